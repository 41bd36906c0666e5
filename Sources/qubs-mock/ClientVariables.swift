import JSON
import OAuth

/// What a client has to know of a server, as environment variables: those that `run` sets, and that
/// `env` prints.
struct ClientVariables {
    /// Names and values, in the order in which they are printed.
    let all: [(name: String, value: String)]

    /// - Parameter session: The session that the client's id shall choose.
    init(baseURL: String, domain: String, clientID: String, secret: String, session: String) {
        let suffix = session == SessionName.default ? "" : "+\(session)"
        all = [
            ("QUBS_BASE_URL", baseURL), ("QUBS_TOKEN_URL", baseURL + "/oauth2/token"),
            ("QUBS_DOMAIN", domain), ("QUBS_CLIENT_ID", clientID + suffix),
            ("QUBS_CLIENT_SECRET", secret),
        ]
    }

    var environment: [String: String] {
        Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.value) })
    }

    /// Lines for a shell to evaluate.
    var shell: String {
        all.map { "export \($0.name)='\($0.value.replacing("'", with: #"'\''"#))'\n" }.joined()
    }

    /// Lines of a `.env` file: quoted where a reader could take a character for something else.
    var dotenv: String {
        all.map { name, value in
            let isPlain = value.utf8.allSatisfy { octet in
                (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
                    || (0x61...0x7A).contains(octet) || "-._~:/+@%[]".utf8.contains(octet)
            }
            return "\(name)=\(isPlain ? value : Self.quoted(value))\n"
        }
        .joined()
    }

    /// In double quotation marks, as readers of `.env` files agree on it.
    private static func quoted(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\", "\"", "$", "`": text += "\\\(character)"
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return "\"\(text)\""
    }

    /// An object, with the variables as members.
    var json: String {
        let members = all.map { name, value in
            "  \(JSONWriter.text(of: .string(name))): \(JSONWriter.text(of: .string(value)))"
        }
        return "{\n\(members.joined(separator: ",\n"))\n}\n"
    }
}

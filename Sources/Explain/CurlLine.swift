import HTTPMessage
import JSON

/// One line for a shell that makes a request with curl.
///
/// What only its reader can know stands in angle brackets, within quotation marks: `<token>`.
struct CurlLine {
    /// Where the access token comes from.
    enum Token: Equatable {
        /// The reader has one.
        case readers
        /// The token endpoint at a path, which the same line asks with the credentials of a client.
        case requested(at: String, clientID: String)
    }

    private var words: [String]
    private let baseURL: String

    /// A request for what is behind a base and a target, or for another URL.
    ///
    /// - Parameter isSaved: Whether the content goes to a file, since it is nothing for a terminal.
    init(
        _ method: HTTPMethod,
        _ target: String,
        base baseURL: String,
        isSaved: Bool = false
    ) {
        let url = target.hasPrefix("/") ? baseURL + target : target
        self.baseURL = baseURL
        if isSaved {
            words = ["curl", "-D", "-", "-o", Self.quoted("<file>")]
        } else {
            words = ["curl", method == .head ? "-I" : "-i"]
        }
        // curl would take these for a pattern, and make several URLs of one.
        if url.contains(where: { "[]{}".contains($0) }) { words.append("-g") }
        if method != .get, method != .head { words += ["-X", method.rawValue] }
        words.append(Self.quoted(url))
    }

    /// The line itself.
    var text: String { words.joined(separator: " ") }

    mutating func add(field name: String, _ value: String) {
        words += ["-H", Self.quoted("\(name): \(value)")]
    }

    mutating func add(_ token: Token) {
        switch token {
        case .readers: add(field: "Authorization", "Bearer <token>")
        case .requested(let path, let clientID):
            var request = CurlLine(.post, path, base: baseURL)
            request.words[1] = "-s"
            request.add(credentials: clientID)
            let member = #"sed 's/.*"access_token":"\([^"]*\)".*/\1/'"#
            words += ["-H", "\"Authorization: Bearer $(\(request.text) | \(member))\""]
        }
    }

    /// The form of a token request (RFC 6749 §4.4.2); `grant` is its type.
    mutating func add(credentials clientID: String, grant: String = "client_credentials") {
        words += ["-d", "grant_type=\(grant)"]
        add(formField: "client_id", clientID)
        add(formField: "client_secret", "<client_secret>")
    }

    mutating func add(formField name: String, _ value: String) {
        words += ["--data-urlencode", Self.quoted("\(name)=\(value)")]
    }

    mutating func add(json value: JSONValue) {
        add(field: "Content-Type", "application/json")
        words += ["-d", Self.quoted(JSONWriter.text(of: value))]
    }

    /// The octets of a file that the reader names.
    mutating func addFile() { words += ["--data-binary", Self.quoted("@<file>")] }

    /// A word of the shell, in single quotation marks.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}

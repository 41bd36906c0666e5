/// The parameters of a form (application/x-www-form-urlencoded), each at most once.
struct FormParameters {
    private var values: [String: String] = [:]

    /// Names that an error message may repeat; any other might be a misplaced secret.
    private static let knownNames: Set<String> = [
        "grant_type", "client_id", "client_secret", "refresh_token", "scope", "audience",
    ]

    /// Decodes a form.
    ///
    /// - Throws: `invalid_request` for a malformed escape, octets that are not UTF-8, or a
    ///   repeated parameter (RFC 6749 §3.2).
    init(_ form: ArraySlice<UInt8>) throws(OAuthError) {
        for pair in form.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = try Self.decode(pair[..<equals])
            let value = try Self.decode(pair[equals...].dropFirst())
            guard values.updateValue(value, forKey: name) == nil else {
                let which = Self.knownNames.contains(name) ? "Parameter \(name)" : "A parameter"
                throw Self.invalid("\(which) stands twice in the form.")
            }
        }
    }

    /// The value of a parameter; `nil` also for an empty one, which counts as omitted (§3.2).
    subscript(name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    private static func decode(_ text: ArraySlice<UInt8>) throws(OAuthError) -> String {
        guard let octets = PercentEncoding.decode(text, plusIsSpace: true, isStrict: true) else {
            throw invalid(
                "The form has a % that two hexadecimal digits do not follow; write % itself as %25."
            )
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw invalid("The form is not UTF-8.")
        }
        return text
    }

    private static func invalid(_ description: String) -> OAuthError {
        OAuthError(code: .invalidRequest, description: description)
    }
}

/// Percent-encoding (RFC 3986 §2.1) in credentials and forms.
enum PercentEncoding {
    /// Decodes `%XX` once.
    ///
    /// - Parameters:
    ///   - plusIsSpace: Whether `+` is a space, as it is in forms.
    ///   - isStrict: Whether a `%` without two digits is an error; else it stands for itself.
    /// - Returns: The octets; `nil` for that error.
    static func decode(
        _ text: ArraySlice<UInt8>,
        plusIsSpace: Bool,
        isStrict: Bool
    ) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let octet = text[index]
            index += 1
            switch octet {
            case UInt8(ascii: "%"):
                if index + 1 < text.endIndex, let high = Hexadecimal.value(of: text[index]),
                    let low = Hexadecimal.value(of: text[index + 1])
                {
                    output.append(high << 4 | low)
                    index += 2
                } else if isStrict {
                    return nil
                } else {
                    output.append(octet)
                }
            case UInt8(ascii: "+") where plusIsSpace: output.append(UInt8(ascii: " "))
            default: output.append(octet)
            }
        }
        return output
    }
}

/// The grammar of `Prefer` (RFC 7240 §2).
///
/// ```
/// Prefer     = "Prefer" ":" 1#preference
/// preference = token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] )
/// parameter  = token [ BWS "=" BWS word ]
/// word       = token / quoted-string
/// ```
enum PreferSyntax {
    /// A preference without its parameters.
    struct Preference: Hashable {
        /// In lower case: names are compared without case.
        let name: String
        /// `nil` without one, or where it is empty (§2 says these are the same).
        let value: String?
        /// In lower case, the names of its parameters.
        let parameterNames: [String]
    }

    /// The preferences of one field line; list members that break the grammar are left out.
    ///
    /// A known name with a value that breaks it is kept with no value, so that it can be refused.
    static func preferences(in fieldLine: String) -> [Preference] {
        split(Array(fieldLine.utf8)[...], at: UInt8(ascii: ",")).compactMap { member in
            let parts = split(member, at: UInt8(ascii: ";"))
            let parameters = parts.dropFirst().map { part in
                trimmed(part.prefix { $0 != UInt8(ascii: "=") })
            }
            return parts.first.flatMap {
                preference(
                    $0,
                    parameterNames: parameters.map {
                        String(decoding: $0, as: UTF8.self).lowercased()
                    }
                )
            }
        }
    }

    private static func preference(
        _ octets: ArraySlice<UInt8>,
        parameterNames: [String]
    ) -> Preference? {
        let equals = octets.firstIndex(of: UInt8(ascii: "="))
        let name = trimmed(octets[..<(equals ?? octets.endIndex)])
        guard !name.isEmpty, name.allSatisfy(isTokenOctet) else { return nil }
        let value = equals.flatMap { word(trimmed(octets[($0 + 1)...])) }
        return Preference(
            name: String(decoding: name, as: UTF8.self).lowercased(),
            value: value?.isEmpty == true ? nil : value,
            parameterNames: parameterNames
        )
    }

    /// A token or the text of a quoted-string; `nil` where it is neither.
    private static func word(_ octets: ArraySlice<UInt8>) -> String? {
        guard octets.first == UInt8(ascii: "\"") else {
            return octets.allSatisfy(isTokenOctet) ? String(decoding: octets, as: UTF8.self) : nil
        }
        var text: [UInt8] = []
        var rest = octets.dropFirst()
        while let octet = rest.popFirst() {
            switch octet {
            case UInt8(ascii: "\""):
                return rest.isEmpty ? String(decoding: text, as: UTF8.self) : nil
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default: text.append(octet)
            }
        }
        return nil
    }

    /// Splits at a separator that stands outside quoted strings.
    private static func split(
        _ octets: ArraySlice<UInt8>,
        at separator: UInt8
    ) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var start = octets.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in octets.indices {
            let octet = octets[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if !isQuoted, octet == separator {
                parts.append(octets[start..<index])
                start = index + 1
            }
        }
        return parts + [octets[start...]]
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }
        guard let first = octets.firstIndex(where: { !isSpace($0) }),
            let last = octets.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return octets[first...last]
    }

    /// `tchar` (RFC 9110 §5.6.2).
    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(octet)
        }
    }
}

/// The grammar that field values have in common (RFC 9110 §5.6), over octets.
package enum FieldSyntax {
    /// Whether the octet may stand in a token.
    ///
    ///     tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`"
    ///           / "|" / "~" / DIGIT / ALPHA
    @inline(__always)
    package static func isTokenOctet(_ octet: UInt8) -> Bool {
        // A bit for each octet of ASCII.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        guard octet < 128 else { return false }
        return (octet < 64 ? low : high) &>> UInt64(octet & 63) & 1 == 1
    }

    /// Whether the octet is a space or a horizontal tab.
    @inline(__always)
    package static func isWhiteSpace(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t")
    }

    /// Whether the octet may stand in a field value: HTAB, SP, VCHAR or obs-text (§5.5).
    @inline(__always)
    package static func isValueOctet(_ octet: UInt8) -> Bool {
        octet >= 0x20 ? octet != 0x7F : octet == UInt8(ascii: "\t")
    }

    /// Whether the octets are a token (§5.6.2).
    package static func isToken(_ octets: ArraySlice<UInt8>) -> Bool {
        !octets.isEmpty && octets.allSatisfy(isTokenOctet)
    }

    /// Whether the octets are this word, without regard to case; `word` must be in lower case.
    package static func matches(_ octets: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        guard octets.count == word.utf8CodeUnitCount else { return false }
        var position = 0
        for octet in octets {
            guard Fields.lowercased(octet) == word.utf8Start[position] else { return false }
            position += 1
        }
        return true
    }

    /// The octets without white space at either end.
    package static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var octets = octets
        while let first = octets.first, isWhiteSpace(first) { octets.removeFirst() }
        while let last = octets.last, isWhiteSpace(last) { octets.removeLast() }
        return octets
    }

    /// The elements of a comma-separated list (§5.6.1), trimmed; empty ones are dropped.
    ///
    /// A comma within a quoted-string separates nothing.
    ///
    /// - Returns: `nil` where a quoted-string does not end.
    package static func listElements(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        split(value, at: UInt8(ascii: ","))
    }

    /// Whether a list names this word, without regard to case; `word` must be in lower case.
    package static func list(_ value: ArraySlice<UInt8>, names word: StaticString) -> Bool {
        guard let elements = listElements(value) else { return false }
        return elements.contains { matches($0, word) }
    }

    /// The text of a quoted-string, without its quotes and escapes (§5.6.4).
    ///
    /// - Returns: `nil` where the octets are not exactly one quoted-string.
    package static func quotedString(_ octets: ArraySlice<UInt8>) -> [UInt8]? {
        guard octets.count >= 2, octets.first == UInt8(ascii: "\""),
            octets.last == UInt8(ascii: "\"")
        else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(octets.count)
        var index = octets.startIndex + 1
        let end = octets.endIndex - 1
        while index < end {
            var octet = octets[index]
            if octet == UInt8(ascii: "\"") { return nil }
            if octet == UInt8(ascii: "\\") {
                index += 1
                guard index < end else { return nil }
                octet = octets[index]
            }
            guard isValueOctet(octet) else { return nil }
            text.append(octet)
            index += 1
        }
        return text
    }

    /// The text of a token or a quoted-string; `nil` where the octets are neither.
    package static func tokenOrQuotedString(_ octets: ArraySlice<UInt8>) -> [UInt8]? {
        isToken(octets) ? Array(octets) : quotedString(octets)
    }

    /// Parameters (§5.6.6), names in lower case, in order.
    ///
    ///     parameters = *( OWS ";" OWS [ parameter ] )
    ///     parameter  = token "=" ( token / quoted-string )
    ///
    /// - Parameter octets: What stands after the first `;`, or nothing.
    /// - Returns: `nil` where they are malformed. Repetition is left to the caller.
    package static func parameters(_ octets: ArraySlice<UInt8>) -> [(name: String, value: String)]?
    {
        guard let pieces = split(octets, at: UInt8(ascii: ";")) else { return nil }
        var parameters: [(name: String, value: String)] = []
        for piece in pieces {
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")),
                isToken(piece[..<equals]), let value = tokenOrQuotedString(piece[(equals + 1)...])
            else { return nil }
            let name = piece[..<equals].map(Fields.lowercased)
            parameters.append(
                (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
            )
        }
        return parameters
    }

    /// Whether the octets are `uri-host [ ":" port ]` (RFC 9110 §7.2) with a host that is not
    /// empty.
    ///
    /// Host is a registered name, an IPv4 address or a bracketed literal (RFC 3986 §3.2.2); a
    /// port may be empty and is at most 65535.
    package static func isAuthority(_ octets: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        if octets.first == UInt8(ascii: "[") {
            index = 1
            while index < octets.count, isLiteralOctet(octets[index]) { index += 1 }
            guard index > 1, index < octets.count, octets[index] == UInt8(ascii: "]") else {
                return false
            }
            index += 1
        } else {
            while index < octets.count, isNameOctet(octets[index]) {
                if octets[index] == UInt8(ascii: "%") {
                    guard index + 2 < octets.count,
                        PercentCoding.hexValue(octets[index + 1]) != nil,
                        PercentCoding.hexValue(octets[index + 2]) != nil
                    else { return false }
                    index += 2
                }
                index += 1
            }
            guard index > 0 else { return false }
        }
        guard index < octets.count else { return true }
        guard octets[index] == UInt8(ascii: ":") else { return false }
        var port = 0
        for octet in octets[(index + 1)...] {
            let digit = octet &- UInt8(ascii: "0")
            guard digit < 10, port <= 65535 else { return false }
            port = port * 10 + Int(digit)
        }
        return port <= 65535
    }

    /// unreserved, sub-delims or the `%` of pct-encoded (RFC 3986 §3.2.2, reg-name).
    private static func isNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"),
            UInt8(ascii: "="), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    /// What may stand in the brackets of an IP literal, the `%` of a zone excepted.
    private static func isLiteralOctet(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: ":") || (octet != UInt8(ascii: "%") && isNameOctet(octet))
    }

    /// The pieces between separators outside quoted-strings, trimmed; empty ones are dropped.
    private static func split(
        _ value: ArraySlice<UInt8>,
        at separator: UInt8
    ) -> [ArraySlice<UInt8>]? {
        var elements: [ArraySlice<UInt8>] = []
        var start = value.startIndex
        var index = start
        var quoted = false
        while index < value.endIndex {
            switch value[index] {
            case UInt8(ascii: "\""): quoted.toggle()
            case UInt8(ascii: "\\") where quoted: index += 1
            case separator where !quoted:
                let element = trimmed(value[start..<index])
                if !element.isEmpty { elements.append(element) }
                start = index + 1
            default: break
            }
            index += 1
        }
        guard !quoted, index == value.endIndex else { return nil }
        let element = trimmed(value[start...])
        if !element.isEmpty { elements.append(element) }
        return elements
    }
}

/// A media type with its parameters (RFC 9110 §8.3.1).
package struct MediaType: Sendable, Hashable {
    /// One parameter; the name is in lower case.
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    /// In lower case.
    package let type: String
    /// In lower case.
    package let subtype: String
    package let parameters: [Parameter]

    /// The media type that a `Content-Type` value names; `nil` where it is malformed.
    package init?(_ value: ArraySlice<UInt8>) {
        let semicolon = value.firstIndex(of: UInt8(ascii: ";")) ?? value.endIndex
        let essence = FieldSyntax.trimmed(value[..<semicolon])
        guard let slash = essence.firstIndex(of: UInt8(ascii: "/")),
            FieldSyntax.isToken(essence[..<slash]), FieldSyntax.isToken(essence[(slash + 1)...]),
            let parameters = FieldSyntax.parameters(value[semicolon...].dropFirst())
        else { return nil }
        type = String(decoding: essence[..<slash].map(Fields.lowercased), as: UTF8.self)
        subtype = String(decoding: essence[(slash + 1)...].map(Fields.lowercased), as: UTF8.self)
        self.parameters = parameters.map { Parameter(name: $0.name, value: $0.value) }
    }

    /// Type and subtype, such as `application/json`.
    package var essence: String { type + "/" + subtype }

    /// The value of the first parameter of this name, which must be in lower case.
    package func parameter(_ name: String) -> String? {
        parameters.first { $0.name == name }?.value
    }
}

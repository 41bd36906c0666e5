/// The target of a request (RFC 9112 §3.2), as octets, not yet percent-decoded.
package struct RequestTarget: Sendable {
    /// Which of the four forms the target was sent in.
    ///
    /// Absolute-form has been reduced to path and query before it gets here.
    package enum Form: Sendable, Hashable {
        case origin
        case absolute
        /// `OPTIONS *`: path and query are empty.
        case asterisk
    }

    package let form: Form
    /// The path, from its first `/` to before the `?`.
    package let path: [UInt8]
    /// The query without its `?`; `nil` where there is none, empty where there is only a `?`.
    package let query: [UInt8]?
    /// The authority of an absolute-form target, which replaces `Host` (§3.2.2); else `nil`.
    package let authority: [UInt8]?

    package init(
        form: Form = .origin,
        path: [UInt8],
        query: [UInt8]?,
        authority: [UInt8]? = nil
    ) {
        self.form = form
        self.authority = authority
        self.path = path
        self.query = query
    }

    /// A target in origin-form from text, split at the first `?`.
    ///
    /// Nothing is checked.
    package init(_ text: String) {
        let octets = Array(text.utf8)
        if let mark = octets.firstIndex(of: UInt8(ascii: "?")) {
            self.init(path: Array(octets[..<mark]), query: Array(octets[(mark + 1)...]))
        } else {
            self.init(path: octets, query: nil)
        }
    }
}

/// Percent-encoding (RFC 3986 §2.1) and the form rules of query strings.
package enum PercentCoding {
    /// Decodes `%XX` once.
    ///
    /// - Parameters:
    ///   - octets: The encoded text.
    ///   - plusIsSpace: Whether `+` stands for a space, as in query strings and forms.
    /// - Returns: The octets, which need not be UTF-8; `nil` where a `%` is not followed by two
    ///   hexadecimal digits.
    package static func decode(
        _ octets: ArraySlice<UInt8>,
        plusIsSpace: Bool = false
    ) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(octets.count)
        var index = octets.startIndex
        while index < octets.endIndex {
            let octet = octets[index]
            switch octet {
            case UInt8(ascii: "%"):
                guard index + 2 < octets.endIndex, let high = hexValue(octets[index + 1]),
                    let low = hexValue(octets[index + 2])
                else { return nil }
                output.append(high << 4 | low)
                index += 3
                continue
            case UInt8(ascii: "+") where plusIsSpace: output.append(UInt8(ascii: " "))
            default: output.append(octet)
            }
            index += 1
        }
        return output
    }

    /// Encodes everything but the unreserved characters of RFC 3986 §2.3.
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                output.append(octet)
            default:
                output.append(UInt8(ascii: "%"))
                output.append(digits[Int(octet >> 4)])
                output.append(digits[Int(octet & 15)])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The value of a hexadecimal digit.
    package static func hexValue(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

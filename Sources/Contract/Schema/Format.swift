import Time

/// The values of `format` that are checked, and those that are only annotations.
enum Format: String, Sendable {
    case date
    case dateTime = "date-time"
    case uuid
    case uri
    case int32
    case int64
    /// Every JSON number is one.
    case double
    /// Octets, not text.
    case binary

    /// Whether a text has this format; formats of numbers say yes to every text.
    func accepts(_ text: String) -> Bool {
        switch self {
        case .date: LocalDate(text) != nil
        case .dateTime: DateTimeText(text) != nil
        case .uuid: Self.isUUID(text)
        case .uri: Self.isURI(text)
        case .int32, .int64, .double, .binary: true
        }
    }

    /// The integers that fit, where this is a format of integers.
    var integers: ClosedRange<Int>? {
        switch self {
        case .int32: Int(Int32.min)...Int(Int32.max)
        case .int64: Int.min...Int.max
        default: nil
        }
    }

    // 8hex-4hex-4hex-4hex-12hex (RFC 9562 §4)
    private static func isUUID(_ text: String) -> Bool {
        let octets = text.utf8
        guard octets.count == 36 else { return false }
        for (index, octet) in octets.enumerated() {
            switch index {
            case 8, 13, 18, 23: if octet != UInt8(ascii: "-") { return false }
            default: if !isHexDigit(octet) { return false }
            }
        }
        return true
    }

    private static func isHexDigit(_ octet: UInt8) -> Bool {
        octet &- UInt8(ascii: "0") < 10 || (octet | 0x20) &- UInt8(ascii: "a") < 6
    }

    // scheme ":" and at least one of the characters that RFC 3986 §2 allows, each `%` followed by
    // two hexadecimal digits.
    private static func isURI(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            colon + 1 < octets.count, (octets[0] | 0x20) &- UInt8(ascii: "a") < 26
        else { return false }
        for octet in octets[..<colon] {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                continue
            default: return false
            }
        }
        var index = colon + 1
        while index < octets.count {
            let octet = octets[index]
            guard octet > 0x20, octet < 0x7F, !"\"<>\\^`{|}".utf8.contains(octet) else {
                return false
            }
            if octet == UInt8(ascii: "%") {
                guard index + 2 < octets.count, isHexDigit(octets[index + 1]),
                    isHexDigit(octets[index + 2])
                else { return false }
                index += 2
            }
            index += 1
        }
        return true
    }
}

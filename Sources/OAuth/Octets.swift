import Glibc

/// The `base64url` encoding without padding (RFC 7515 §2, RFC 4648 §5).
package enum Base64URL {
    /// The text for these octets.
    package static func encode(_ octets: some Collection<UInt8>) -> String {
        String(decoding: encodedOctets(octets), as: UTF8.self)
    }

    /// The text for these octets, as ASCII.
    package static func encodedOctets(_ octets: some Collection<UInt8>) -> [UInt8] {
        withContiguousOctets(of: octets) { octets in
            let count = (octets.count * 4 + 2) / 3
            return [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
                var bits: UInt32 = 0
                var bitCount: UInt32 = 0
                for octet in octets {
                    bits = bits << 8 | UInt32(octet)
                    bitCount += 8
                    while bitCount >= 6 {
                        bitCount -= 6
                        output[initialized] = character(for: bits >> bitCount)
                        initialized += 1
                    }
                }
                if bitCount > 0 {
                    output[initialized] = character(for: bits << (6 - bitCount))
                    initialized += 1
                }
            }
        }
    }

    /// The octets of a text; `nil` when it is not the one encoding of any octets.
    ///
    /// Padding, line feeds, the `+` and `/` of plain base64, and stray bits in the last character
    /// are refused: a token has one spelling, or a cache and a log could be misled by another.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        decode(text, value: value(of:))
    }

    /// The octets of plain, padded base64 (RFC 4648 §4), as HTTP Basic uses it (RFC 7617 §2).
    package static func decodePadded(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var digits = Array(text)
        for _ in 0..<2 where digits.last == UInt8(ascii: "=") { digits.removeLast() }
        return decode(digits) { octet in
            switch octet {
            case UInt8(ascii: "+"): 62
            case UInt8(ascii: "/"): 63
            case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
            default: value(of: octet)
            }
        }
    }

    private static func decode(
        _ text: some Collection<UInt8>,
        value: (UInt8) -> UInt8?
    ) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for octet in text {
            guard let digit = value(octet) else { return nil }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
        }
        // Six bits left over are a lone character; any other rest must be zero bits.
        guard bitCount < 6, bits & (1 << bitCount - 1) == 0 else { return nil }
        return output
    }

    /// The character for the six low bits.
    private static func character(for bits: UInt32) -> UInt8 {
        alphabet.utf8Start[Int(bits & 0x3F)]
    }

    private static let alphabet: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    private static func value(of octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): octet - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): octet - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}

/// Hexadecimal digits, written in lower case (RFC 4648 §8).
package enum Hexadecimal {
    /// Two lower-case digits for each octet.
    package static func encode(_ octets: some Collection<UInt8>) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(octets.count * 2)
        for octet in octets {
            output.append(digit(octet >> 4))
            output.append(digit(octet & 0x0F))
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The octets of a text in either case; `nil` when it is not pairs of digits.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 2)
        var high: UInt8?
        for octet in text {
            guard let value = value(of: octet) else { return nil }
            if let first = high {
                output.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return output
    }

    /// The value of one digit, in either case.
    static func value(of octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    fileprivate static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

/// Comparison whose time tells nothing about where two secrets differ.
package enum ConstantTime {
    /// Whether two sequences of octets are the same; only their lengths may show in the time.
    @inline(never)
    package static func areEqual(
        _ left: some Collection<UInt8>,
        _ right: some Collection<UInt8>
    ) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }
}

extension RandomNumberGenerator {
    /// Random octets.
    package mutating func octets(count: Int) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(count + 7)
        while output.count < count {
            withUnsafeBytes(of: next()) { output.append(contentsOf: $0) }
        }
        output.removeLast(output.count - count)
        return output
    }

    /// A random UUID (RFC 9562 §5.4, version 4) in lower case.
    package mutating func uuid() -> String {
        var octets = octets(count: 16)
        octets[6] = octets[6] & 0x0F | 0x40
        octets[8] = octets[8] & 0x3F | 0x80
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, octet) in octets.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                text.append(UInt8(ascii: "-"))
            }
            text.append(Hexadecimal.digit(octet >> 4))
            text.append(Hexadecimal.digit(octet & 0x0F))
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The system's generator, asked for 32 numbers at a time: a call of the kernel costs more than
/// the numbers do.
package struct SecureGenerator: RandomNumberGenerator {
    private static let count = 32
    private var numbers = [UInt64](repeating: 0, count: Self.count)
    private var left = 0

    /// A generator that has asked for nothing yet.
    package init() {}

    package mutating func next() -> UInt64 {
        if left == 0 { refill() }
        left -= 1
        defer { numbers[left] = 0 }
        return numbers[left]
    }

    private mutating func refill() {
        // At most 256 octets at once; fails for nothing else but a kernel without the call.
        let isFilled = numbers.withUnsafeMutableBytes { octets in
            guard let start = octets.baseAddress else { return false }
            return getentropy(start, octets.count) == 0
        }
        if !isFilled {
            var system = SystemRandomNumberGenerator()
            for index in numbers.indices { numbers[index] = system.next() }
        }
        left = Self.count
    }
}

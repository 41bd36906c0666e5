import HTTPMessage

/// `X-Correlation-Id`: the client's own where it can be used, else one of ours.
struct CorrelationID {
    let text: String
    /// Whether the client sent the field, usable or not.
    let wasSent: Bool
    /// Whether `text` is the client's.
    let isClients: Bool

    /// Takes the client's if it is 1 to 128 visible ASCII characters, between which spaces may stand,
    /// else makes 16 new lower-case hexadecimal digits.
    init(_ fields: Fields, using generator: inout some RandomNumberGenerator) {
        let value = fields.first("x-correlation-id")
        wasSent = value != nil
        if let value, (1...128).contains(value.count),
            // White space around a field value is not part of it (RFC 9110 §5.5).
            value.allSatisfy({ (0x20...0x7E).contains($0) })
        {
            text = String(decoding: value, as: UTF8.self)
            isClients = true
        } else {
            text = Self.make(using: &generator)
            isClients = false
        }
    }

    /// Sixteen lower-case hexadecimal digits.
    static func make(using generator: inout some RandomNumberGenerator) -> String {
        let value: UInt64 = generator.next()
        return String(unsafeUninitializedCapacity: 16) { buffer in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 &- 4 &* index)) & 15
                let zero = digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") &- 10
                buffer[index] = zero &+ digit
            }
            return 16
        }
    }
}

/// A fast generator for ids that must be unlike each other, not unguessable (xoshiro256**).
struct QuickGenerator: RandomNumberGenerator {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    init() {
        var system = SystemRandomNumberGenerator()
        state = (system.next() | 1, system.next(), system.next(), system.next())
    }

    mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, _ bits: UInt64) -> UInt64 {
            value << bits | value >> (64 - bits)
        }
        let result = rotated(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, 45)
        return result
    }
}

import HTTPMessage

/// Text from octets that should be UTF-8, percent-encoded or not.
enum EncodedText {
    /// Percent-decodes once, as in paths and queries.
    ///
    /// - Returns: `nil` where a `%` is not followed by two hexadecimal digits, or the octets are
    ///   not UTF-8.
    static func decode(_ octets: ArraySlice<UInt8>, plusIsSpace: Bool) -> String? {
        // The usual value needs no decoding: one pass, no buffer.
        let plain: String? = octets.withUnsafeBufferPointer { buffer in
            for octet in buffer
            where octet >= 0x80 || octet == UInt8(ascii: "%")
                || (plusIsSpace && octet == UInt8(ascii: "+"))
            {
                return nil
            }
            return String(decoding: buffer, as: UTF8.self)
        }
        if let plain { return plain }
        guard let decoded = PercentCoding.decode(octets, plusIsSpace: plusIsSpace) else {
            return nil
        }
        return validated(decoded[...])
    }

    /// The text that octets are; `nil` where they are not UTF-8.
    static func validated(_ octets: ArraySlice<UInt8>) -> String? {
        octets.withUnsafeBufferPointer { buffer in
            // ASCII, which is nearly everything here, needs no validation.
            for octet in buffer where octet >= 0x80 {
                return String(validating: buffer, as: UTF8.self)
            }
            return String(decoding: buffer, as: UTF8.self)
        }
    }

    /// Whether two runs of octets are the same, without the cost of a generic comparison.
    static func areEqual(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                for index in 0..<left.count where left[index] != right[index] { return false }
                return true
            }
        }
    }
}

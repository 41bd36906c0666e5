import Glibc
import HTTPMessage

/// Finds access tokens where none belong.
enum TokenScan {
    /// Whether text holds a JSON Web Token: `eyJ`, which is `{"` in base64url, and two dots.
    ///
    /// - Parameter exception: A name; its value is not looked at.
    static func holdsToken(
        _ octets: some RandomAccessCollection<UInt8>,
        except exception: StaticString? = nil
    ) -> Bool {
        let found = octets.withContiguousStorageIfAvailable { buffer -> Bool in
            var from = 0
            while from < buffer.count, let base = buffer.baseAddress,
                let hit = memchr(base + from, Int32(UInt8(ascii: "J")), buffer.count - from)
            {
                let place = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
                from = place + 1
                guard place >= 2, buffer[place - 1] == UInt8(ascii: "y"),
                    buffer[place - 2] == UInt8(ascii: "e"), isToken(buffer[(place - 2)...])
                else { continue }
                if place >= 3, isTokenOctet(buffer[place - 3]) { continue }
                if let exception, precedes(exception, buffer[..<(place - 2)]) { continue }
                return true
            }
            return false
        }
        return found ?? false
    }

    /// Whether text holds the beginning of a token, or of its claims: `eyJ` and a long row behind it.
    static func holdsPart(_ octets: ArraySlice<UInt8>) -> Bool {
        var row = 0
        var isToken = false
        for (place, octet) in zip(octets.indices, octets) {
            guard isTokenOctet(octet) else {
                (row, isToken) = (0, false)
                continue
            }
            if row == 0 { isToken = octets[place...].starts(with: "eyJ".utf8) }
            row += 1
            if isToken, row >= longPart { return true }
        }
        return false
    }

    /// Octets of a row that is long enough to be taken for a part of a token.
    private static let longPart = 24

    /// Octets of the shortest header, claims and signature that are taken for a token's.
    private static let shortestPart = 10

    private static func isToken(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var parts = 1
        var length = 0
        for octet in text {
            if octet == UInt8(ascii: "."), parts < 3 {
                guard length >= shortestPart else { return false }
                parts += 1
                length = 0
            } else if isTokenOctet(octet) {
                length += 1
            } else {
                break
            }
        }
        return parts == 3 && length >= shortestPart
    }

    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func precedes(
        _ name: StaticString,
        _ text: Slice<UnsafeBufferPointer<UInt8>>
    ) -> Bool {
        let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        guard text.last == UInt8(ascii: "=") else { return false }
        return text.dropLast().suffix(name.count).elementsEqual(name)
    }

    /// The names of query parameters that carry tokens, whatever these look like.
    static func isTokenName(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.count >= 8, name.count <= 13,
            name.last.map({ $0 | 0x20 }) == UInt8(ascii: "n")
        else { return false }
        switch String(decoding: name, as: UTF8.self).lowercased() {
        case "access_token", "refresh_token", "id_token": return true
        default: return false
        }
    }
}

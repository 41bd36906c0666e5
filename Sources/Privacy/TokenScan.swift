import Glibc

/// Finds access tokens where none belong.
///
/// Every search is linear: an octet is looked at three times at most, whatever the text, and once more
/// where only the tokens of one issuer are meant.
package enum TokenScan {
    /// What a search found, and how much it did for it.
    package struct Outcome: Equatable, Sendable {
        package var isFound = false
        /// How many octets were looked at, an octet counted each time.
        package var octetsVisited = 0
    }

    /// Whether text holds a JSON Web Token: `eyJ`, which is `{"` in base64url, and two dots.
    ///
    /// - Parameters:
    ///   - exception: A name; its value is not looked at.
    ///   - marks: Rows of which one stands in each token that is meant; `nil` for any token.
    package static func holdsToken(
        _ octets: ArraySlice<UInt8>,
        except exception: StaticString? = nil,
        marks: [[UInt8]]? = nil
    ) -> Bool {
        search(octets, except: exception, marks: marks).isFound
    }

    /// Searches text for a JSON Web Token, and counts the octets that it looks at.
    ///
    /// A token begins where a row of its octets begins: the beginning is tested before the row is
    /// read. A row is then read as a header and as the claims behind another; of a signature, only
    /// the first octets are.
    package static func search(
        _ octets: ArraySlice<UInt8>,
        except exception: StaticString? = nil,
        marks: [[UInt8]]? = nil
    ) -> Outcome {
        octets.withUnsafeBufferPointer { buffer in
            var outcome = Outcome()
            guard let base = buffer.baseAddress else { return outcome }
            var from = 0
            while from < buffer.count,
                let hit = memchr(base + from, Int32(UInt8(ascii: "J")), buffer.count - from)
            {
                let place = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
                outcome.octetsVisited += place + 1 - from
                from = place + 1
                let start = place - 2
                guard start >= 0, buffer[place - 1] == UInt8(ascii: "y"),
                    buffer[start] == UInt8(ascii: "e"),
                    start == 0 || !isTokenOctet(buffer[start - 1])
                else { continue }
                if let exception, precedes(exception, buffer[..<start]) { continue }
                if isToken(buffer[start...], visited: &outcome.octetsVisited) {
                    if let marks, !isMarked(buffer[start...], marks, &outcome.octetsVisited) {
                        continue
                    }
                    outcome.isFound = true
                    return outcome
                }
            }
            outcome.octetsVisited += buffer.count - from
            return outcome
        }
    }

    /// Whether text holds the beginning of a token, or of its claims: `eyJ` and a long row behind it.
    package static func holdsPart(_ octets: ArraySlice<UInt8>) -> Bool {
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

    /// Whether text begins with two long rows, a dot behind each, and the beginning of a third.
    private static func isToken(
        _ text: Slice<UnsafeBufferPointer<UInt8>>,
        visited: inout Int
    ) -> Bool {
        var parts = 1
        var length = 0
        for octet in text {
            visited += 1
            if octet == UInt8(ascii: ".") {
                guard length >= shortestPart, parts < 3 else { return false }
                parts += 1
                length = 0
            } else if isTokenOctet(octet) {
                length += 1
                if parts == 3, length >= shortestPart { return true }
            } else {
                return false
            }
        }
        return false
    }

    /// Whether the claims of a token hold one of some rows.
    private static func isMarked(
        _ text: Slice<UnsafeBufferPointer<UInt8>>,
        _ marks: [[UInt8]],
        _ visited: inout Int
    ) -> Bool {
        guard let dot = text.firstIndex(of: UInt8(ascii: ".")) else { return false }
        let claims = UnsafeBufferPointer(
            rebasing: text[(dot + 1)...].prefix { $0 != UInt8(ascii: ".") }
        )
        visited += claims.count
        return marks.contains { holds(claims, $0) }
    }

    private static func holds(_ text: UnsafeBufferPointer<UInt8>, _ row: [UInt8]) -> Bool {
        guard let first = row.first, let base = text.baseAddress else { return false }
        var from = 0
        while from + row.count <= text.count,
            let hit = memchr(base + from, Int32(first), text.count - row.count - from + 1)
        {
            let place = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            if memcmp(hit, row, row.count) == 0 { return true }
            from = place + 1
        }
        return false
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
    package static func isTokenName(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.count >= 8, name.count <= 13,
            name.last.map({ $0 | 0x20 }) == UInt8(ascii: "n")
        else { return false }
        switch String(decoding: name, as: UTF8.self).lowercased() {
        case "access_token", "refresh_token", "id_token": return true
        default: return false
        }
    }
}

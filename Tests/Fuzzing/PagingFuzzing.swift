import OAuth
import QUBS
import Time

/// Paging tokens, which no client may make: no token opens but one that was issued, for one list.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = ["paging": pagingTokens]

    private static let now = Instant(secondsSince1970: 1_748_736_000)
    private static let secret = ServerSecret(octets: Array("a secret of the server".utf8))
    private static let list = PagingToken(secret: secret, boundTo: ["ListSites", "acme"])
    private static let other = PagingToken(secret: secret, boundTo: ["ListSites", "globex"])

    @Sendable static func pagingTokens(_ octets: [UInt8]) -> String? {
        let text = String(decoding: octets, as: UTF8.self)
        do throws(PagingToken.Refusal) {
            let place = try list.open(text, now: now)
            if (try? other.open(text, now: now)) != nil { return "it opens for two lists" }
            if list.issue(place, now: now) != text { return "a token that nobody issued" }
        } catch {
            if error.message.isEmpty { return "a refusal without words" }
        }
        var changed = Array(list.issue(.after(.identifier("A123456")), now: now).utf8)
        if octets.count >= 2, octets[1] != 0 {
            // The octets say which octet of a good token is changed, and how.
            changed[Int(octets[0]) % changed.count] ^= octets[1]
            if (try? list.open(String(decoding: changed, as: UTF8.self), now: now)) != nil {
                return "a changed token opens"
            }
        }
        guard let cursor = PageCursor(octets: octets) else { return nil }
        if cursor.octets != octets { return "a second spelling of a cursor" }
        for place: PagingToken.Place in [.after(cursor), .emptied(cursor), .emptied(nil), .end] {
            let issued = list.issue(place, now: now)
            if (try? list.open(issued, now: now)) != place {
                return "an issued token does not open"
            }
            if (try? list.open(issued + "A", now: now)) != nil { return "a longer token opens" }
        }
        return nil
    }
}

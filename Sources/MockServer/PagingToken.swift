import OAuth
import QUBS
import Time

/// The `nextToken` of cursor paging: opaque, base64url, authenticated.
///
/// It holds when it was issued and where the next page begins. What it is bound to (operation, domain,
/// status, caller, session, order) goes into the code under it but not into the token itself, so
/// a token that is used anywhere else is simply not one of that list's.
struct PagingToken {
    /// How long a token may be used, in seconds by the session's clock.
    static let lifetimeSeconds: Int64 = 86_400

    /// Where a page begins.
    enum Place: Equatable {
        /// Behind the last item of the page before.
        case after(PageCursor)
        /// Where the page before began, which had no items (reading `page-fill`); `nil` is the start.
        case emptied(PageCursor?)
        /// Behind all items, where no page needs to be (reading `page-fill`).
        case end

        /// Tells the places apart in the first octet of a token.
        fileprivate var octets: [UInt8] {
            switch self {
            case .after(let cursor): [1] + cursor.octets
            case .emptied(let cursor): [2] + (cursor?.octets ?? [])
            case .end: [3]
            }
        }

        /// - Parameter cursor: The octets behind the first of the token and its time.
        fileprivate init?(kind: UInt8, cursor: ArraySlice<UInt8>) {
            switch kind {
            case 1:
                guard let cursor = PageCursor(octets: cursor) else { return nil }
                self = .after(cursor)
            case 2 where cursor.isEmpty: self = .emptied(nil)
            case 2:
                guard let cursor = PageCursor(octets: cursor) else { return nil }
                self = .emptied(cursor)
            case 3 where cursor.isEmpty: self = .end
            default: return nil
            }
        }
    }

    let secret: ServerSecret
    /// What a token is bound to: parts of no fixed length, told apart by NUL.
    let binding: [UInt8]

    init(secret: ServerSecret, boundTo parts: [String]) {
        self.secret = secret
        var binding: [UInt8] = []
        for part in parts {
            binding.append(contentsOf: part.utf8)
            binding.append(0)
        }
        self.binding = binding
    }

    /// A token for the page that begins at a place.
    func issue(_ place: Place, now: Instant) -> String {
        let octets = place.octets
        var payload = [octets[0]]
        withUnsafeBytes(of: now.secondsSince1970.bigEndian) { payload.append(contentsOf: $0) }
        payload.append(contentsOf: octets[1...])
        return secret.seal(payload, boundTo: binding, for: .pagingToken)
    }

    /// Where the page begins.
    ///
    /// - Throws: A sentence that says why the token is refused.
    func open(_ token: String, now: Instant) throws(Refusal) -> Place {
        if token == "DDB_NEXT_TOKEN" { throw .placeholder }
        guard let payload = secret.open(token, boundTo: binding, for: .pagingToken),
            payload.count >= 9, let place = Place(kind: payload[0], cursor: payload[9...])
        else { throw .foreign }
        // The key is published, so anybody can seal any time.
        let issued = payload[1..<9].reduce(Int64(0)) { $0 &<< 8 | Int64($1) }
        let age = now.secondsSince1970.subtractingSaturated(issued)
        guard age.addingSaturated(SessionClock.stepSeconds) >= 0 else { throw .notYetIssued }
        guard age < Self.lifetimeSeconds else { throw .expired }
        return place
    }

    /// Why a token is refused.
    enum Refusal: Error {
        /// The documentation's placeholder.
        case placeholder
        /// Not issued here, or for another list, caller or session.
        case foreign
        case expired
        /// Issued later than now: the clock was set back, or somebody else sealed it.
        case notYetIssued

        var message: String {
            switch self {
            case .placeholder:
                "DDB_NEXT_TOKEN is the documentation's placeholder: leave nextToken out to get "
                    + "the first page, then send the nextToken of each answer."
            case .foreign:
                "Not a nextToken that was issued for this list to this caller: send the last "
                    + "answer's nextToken unchanged, with the same path and client, or leave it out."
            case .expired:
                "This nextToken is older than 24 hours: leave it out to start from the first page."
            case .notYetIssued:
                "This nextToken was issued after the present of the mock's clock: leave it out to "
                    + "start from the first page."
            }
        }
    }
}

package import JSON
import Synchronization
import Time

/// The keys of the server: one that signs, and retired ones whose tokens may still be alive.
///
/// A rotation is for the running process only; after a restart the development key signs again,
/// so that tokens made offline stay good. `now` is in seconds since 1970 and always by one clock.
package final class SigningKeys: Sendable {
    /// How long a retired key stays published: the lifetime of an access token, in seconds.
    package static let overlapSeconds: Int64 = 3600
    /// One key of the set.
    package struct Entry: Sendable {
        /// The key and its name.
        package let key: SigningKey
        /// The second from which it is published no more; `nil` while it signs.
        package let retiresAt: Int64?
    }

    /// What authenticates paging tokens, presigned URLs and refresh tokens.
    package let secret: ServerSecret

    private struct State {
        var current: SigningKey
        /// Latest first.
        var retired: [Entry] = []
        /// Made when a token must be signed by a key that is in no key set.
        var stranger: SigningKey?
    }

    private let maximumRetiredKeys: Int
    private let state: Mutex<State>
    private let counter = Atomic<Int>(0)

    /// Keys that begin with the development key, a private JWK.
    ///
    /// - Parameter maximumRetiredKeys: While a clock stands still no retired key would ever go,
    ///   and a loop of rotations must not fill the memory or make the key set longer than clients
    ///   expect: beyond this number the oldest goes early.
    package init(
        developmentKey jwk: JSONValue,
        maximumRetiredKeys: Int = 32
    ) throws(SigningKeyError) {
        precondition(maximumRetiredKeys >= 0)
        self.maximumRetiredKeys = maximumRetiredKeys
        state = Mutex(State(current: try SigningKey(jwk: jwk)))
        secret = try ServerSecret(developmentKey: jwk)
    }

    /// A number that changes whenever the set of keys does, for caches of what was verified.
    package var generation: Int { counter.load(ordering: .acquiring) }

    /// The key that signs.
    package var current: SigningKey { state.withLock(\.current) }

    /// Makes a new key that signs from now on, and retires the present one.
    ///
    /// - Returns: The new key.
    @discardableResult
    package func rotate(now: Int64) throws(SigningKeyError) -> SigningKey {
        // Outside of the lock: making a key takes as long as signing two hundred tokens.
        let key = try SigningKey()
        state.withLock { state in
            let retiring = Entry(
                key: state.current,
                retiresAt: now.addingSaturated(Self.overlapSeconds)
            )
            state.retired.insert(retiring, at: 0)
            state.retired.removeAll { Self.isOver($0, at: now) }
            state.retired.removeLast(max(0, state.retired.count - maximumRetiredKeys))
            state.current = key
            counter.add(1, ordering: .releasing)
        }
        return key
    }

    /// The keys that are published now, the one that signs first.
    package func entries(now: Int64) -> [Entry] {
        state.withLock { state in
            [Entry(key: state.current, retiresAt: nil)]
                + state.retired.filter { !Self.isOver($0, at: now) }
        }
    }

    /// The key set of public keys (RFC 7517 §5) for `/.well-known/jwks.json`.
    package func jwks(now: Int64) -> JSONValue {
        ["keys": .array(entries(now: now).map(\.key.publicJWK))]
    }

    /// The key of a name, published or not: whether it still counts depends on the clock.
    func entry(id: ArraySlice<UInt8>) -> Entry? {
        state.withLock { state in
            if state.current.id.utf8.elementsEqual(id) {
                return Entry(key: state.current, retiresAt: nil)
            }
            return state.retired.first { $0.key.id.utf8.elementsEqual(id) }
        }
    }

    /// A key that no key set ever lists, always the same one.
    func stranger() throws(SigningKeyError) -> SigningKey {
        if let key = state.withLock(\.stranger) { return key }
        let made = try SigningKey()
        return state.withLock { state in
            let key = state.stranger ?? made
            state.stranger = key
            return key
        }
    }

    private static func isOver(_ entry: Entry, at now: Int64) -> Bool {
        entry.retiresAt.map { $0 <= now } ?? false
    }
}

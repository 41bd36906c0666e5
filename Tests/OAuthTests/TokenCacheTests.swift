import Chance
import JSON
import OAuth
import Testing

@Suite("Token cache")
struct TokenCacheTests {
    let keys: SigningKeys
    let verifier: TokenVerifier
    var generator = SplitMix64(seed: 1)

    init() throws {
        keys = try Support.keys()
        verifier = TokenVerifier(keys: keys)
    }

    private mutating func token(flaw: TokenFlaw? = nil) throws -> ArraySlice<UInt8> {
        try TokenIssuer(keys: keys).issue(
            to: Support.partner,
            session: "default",
            now: Support.now,
            flaw: flaw,
            using: &generator
        ).accessToken.octets
    }

    @Test("A token that was seen before is not verified again")
    mutating func hit() throws {
        let cache = TokenCache(verifier: verifier)
        let token = try token()
        let first = try cache.verify(token, now: Support.now)
        let second = try cache.verify(token, now: Support.now + 1)
        #expect(first.principal === second.principal)
        #expect(cache.count == 1)
        // The same octets at another place of another array.
        let moved = ([0x20, 0x20] + token)[2...]
        #expect(try cache.verify(moved, now: Support.now).principal === first.principal)
    }

    @Test("Tokens are told apart, however alike")
    mutating func comparison() throws {
        let cache = TokenCache(verifier: verifier)
        let token = try token()
        let principal = try cache.verify(token, now: Support.now).principal
        let other = try self.token()
        #expect(try cache.verify(other, now: Support.now).principal !== principal)
        // The hash looks at the end only: all before it must be compared.
        for index in [0, 20, 60, 200] {
            var changed = Array(token)
            changed[index] =
                changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: TokenError.self) { try cache.verify(changed[...], now: Support.now) }
        }
        #expect(cache.count == 2)
    }

    @Test("A token from memory still expires")
    mutating func expiry() throws {
        let cache = TokenCache(verifier: verifier)
        let token = try token()
        _ = try cache.verify(token, now: Support.now + 3599)
        #expect(throws: TokenError.expired(secondsAgo: 0)) {
            try cache.verify(token, now: Support.now + 3600)
        }
        // A clock that was set back makes it good again.
        _ = try cache.verify(token, now: Support.now)
        #expect(cache.count == 1)
    }

    @Test("Whoever does not know the time yet gets a token from memory, too")
    mutating func inspection() throws {
        let cache = TokenCache(verifier: verifier)
        let token = try token(flaw: .expired)
        let first = try cache.inspect(token)
        #expect(first.expiresAt == Support.now - 60)
        #expect(try cache.inspect(token).principal === first.principal)
        #expect(throws: TokenError.expired(secondsAgo: 60)) {
            try cache.verify(token, now: Support.now)
        }
    }

    @Test("A bad token never gets in")
    mutating func refusal() throws {
        let cache = TokenCache(verifier: verifier)
        for flaw in TokenFlaw.allCases
        where flaw != .expired && flaw != .notYetValid && flaw.expectedStatus == 401 {
            let token = try token(flaw: flaw)
            for _ in 0..<2 {
                #expect(throws: TokenError.self) { try cache.verify(token, now: Support.now) }
            }
        }
        for text in ["", "a", "a.b.c"] {
            #expect(throws: TokenError.self) { try cache.verify(text.octets, now: Support.now) }
        }
        #expect(cache.count == 0)
    }

    @Test("A full cache forgets all and begins anew")
    mutating func full() throws {
        let cache = TokenCache(verifier: verifier, capacity: 3)
        let tokens = try (0..<4).map { _ in try token() }
        let principals = try tokens[..<3].map {
            try cache.verify($0, now: Support.now).principal
        }
        #expect(cache.count == 3)
        for (token, principal) in zip(tokens, principals) {
            #expect(try cache.verify(token, now: Support.now).principal === principal)
        }
        _ = try cache.verify(tokens[3], now: Support.now)
        #expect(cache.count == 1)
        #expect(try cache.verify(tokens[0], now: Support.now).principal !== principals[0])
        #expect(cache.count == 2)
    }

    @Test("A rotation of the keys empties the cache")
    mutating func rotation() throws {
        let cache = TokenCache(verifier: verifier)
        let token = try token()
        let before = try cache.verify(token, now: Support.now).principal
        try keys.rotate(now: Support.now)
        let after = try cache.verify(token, now: Support.now)
        #expect(after.principal !== before)
        #expect(cache.count == 1)
    }

    @Test("A long-lived token from memory goes with its key")
    mutating func retirement() throws {
        let token = try TokenIssuer(keys: keys).issue(
            to: Support.partner,
            session: "default",
            now: Support.now,
            lifetimeSeconds: 86_400,
            using: &generator
        ).accessToken.octets
        let cache = TokenCache(verifier: verifier)
        _ = try cache.verify(token, now: Support.now)
        try keys.rotate(now: Support.now)
        _ = try cache.verify(token, now: Support.now + 3599)
        #expect(throws: TokenError.unknownKey) {
            try cache.verify(token, now: Support.now + 3600)
        }
    }
}

import Chance
import JSON
import OAuth
import Testing

@Suite("Keys and workers")
struct ConcurrencyTests {
    @Test("Tokens stay good while several workers issue and verify and the keys rotate")
    func rotationUnderLoad() async throws {
        let keys = try Support.keys()
        let refused = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<3 {
                group.addTask {
                    let issuer = TokenIssuer(keys: keys)
                    let cache = TokenCache(verifier: TokenVerifier(keys: keys), capacity: 8)
                    var generator = SplitMix64(seed: UInt64(worker))
                    var tokens: [ArraySlice<UInt8>] = []
                    var refused = 0
                    for _ in 0..<20 {
                        tokens.append(
                            try issuer.issue(
                                to: Support.partner,
                                session: "default",
                                now: Support.now,
                                using: &generator
                            ).accessToken.octets
                        )
                        for token in tokens
                        where (try? cache.verify(token, now: Support.now)) == nil { refused += 1 }
                    }
                    return refused
                }
            }
            group.addTask {
                for _ in 0..<3 { try keys.rotate(now: Support.now) }
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(refused == 0)
        #expect(keys.entries(now: Support.now).count == 4)
    }
}

import QUBS
import Testing
import Time

struct IdempotencyTests {
    @Test(
        "A key is 1 to 128 visible ASCII characters",
        arguments: [
            ("k", true), ("cd4a859c7a1f4b44b765a8fe17bb44c1", true), ("!~", true),
            (String(repeating: "k", count: 128), true), ("", false),
            (String(repeating: "k", count: 129), false), ("a b", false), ("a\t", false),
            ("é", false), ("a\u{7F}", false), ("a\r\nb", false),
        ]
    )
    func keys(text: String, isKey: Bool) {
        #expect((IdempotencyKey(text) != nil) == isKey)
    }

    static let answer = RememberedAnswer(status: 201, content: [1, 2])

    static func entry(expiresAt: Int64) throws -> LedgerEntry {
        LedgerEntry(
            scope: IdempotencyScope(
                client: "c",
                domain: "d",
                operation: "o",
                appointmentID: "a",
                key: try #require(IdempotencyKey("k"))
            ),
            fingerprint: [7],
            answer: answer,
            expiresAt: Instant(secondsSince1970: expiresAt)
        )
    }

    @Test(
        "Same payload replays, another conflicts, and retention ends at its instant",
        arguments: [
            ([7], 99, .replay(answer)), ([8], 99, .conflict), ([7], 100, .proceed),
            ([8], 100, .proceed), ([7], 1000, .proceed), ([], 0, .conflict),
        ] as [([UInt8], Int64, IdempotencyDecision)]
    )
    func decisions(fingerprint: [UInt8], now: Int64, expected: IdempotencyDecision) throws {
        let decision = IdempotencyDecision(
            entry: try Self.entry(expiresAt: 100),
            fingerprint: fingerprint,
            now: Instant(secondsSince1970: now)
        )
        #expect(decision == expected)
    }

    @Test("Without an entry, the request is carried out")
    func fresh() {
        #expect(
            IdempotencyDecision(
                entry: nil,
                fingerprint: [],
                now: Instant(secondsSince1970: 0)
            ) == .proceed
        )
    }
}

import Contract
import HTTPMessage
import JSON
import Testing

@Suite("Quoted values")
struct QuotingTests {
    /// The violation of a value that is none of three.
    private func violation(of value: String) throws -> Violation {
        let contract = try TestContract.make(
            paths: TestContract.get(
                "/a",
                id: "a",
                parameters: [
                    TestContract.query("b", #"{"type": "string", "enum": ["ONE", "TWO", "SIX"]}"#)
                ]
            )
        )
        let valid = try #require(contract.validated(TestContract.request(.get, "/a?b=\(value)")))
        return try #require(valid.violations.first)
    }

    @Test(
        "Nothing that a terminal or a report would obey is repeated",
        arguments: [
            "%0AX%0D", "%1B%5B2J", "X%00", "X%C2%85", "%E2%80%AEX", "%E2%80%A8X", "%7FX", "X%0C",
        ]
    )
    func controls(value: String) throws {
        let violation = try violation(of: value)
        let quoted = try #require(violation.safeValue)
        for text in [quoted, violation.message] {
            for scalar in text.unicodeScalars {
                let category = scalar.properties.generalCategory
                #expect(![.control, .format, .lineSeparator].contains(category))
            }
        }
        #expect(quoted.unicodeScalars.contains("\u{FFFD}"))
    }

    @Test("64 characters are quoted, and an ellipsis says that there was more")
    func cut() throws {
        let most = String(repeating: "X", count: 64)
        #expect(try violation(of: most).safeValue == most)
        #expect(try violation(of: most + "X").safeValue == most + "…")
    }
}

import Foundation
import Testing
import TestTools

/// `docs/clients.md`, whose table `scripts/clients` writes.
@Suite("The table of clients")
struct ClientTableTests {
    @Test("The page has two rows for each program, and a word on each")
    func page() throws {
        let (status, text) = try Python.run(["scripts/clients", "--check"])
        #expect(status == 0, "\(text)")
        // At least twelve stacks.
        let rows = text.split(separator: " ").first.flatMap { Int($0) }
        #expect(try #require(rows) >= 24, "\(text)")
    }

    /// A page that does not fit the programs, and what is said about it.
    struct Page: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let changed: @Sendable (String) -> String
        let told: String
    }

    private static let pages: [Page] = [
        Page(
            testDescription: "a row is missing",
            changed: { page in
                page.split(separator: "\n", omittingEmptySubsequences: false)
                    .filter { !$0.hasPrefix("| `curl_retry` | right ") }.joined(separator: "\n")
            },
            told: "curl_retry (right) has no row"
        ),
        Page(
            testDescription: "a row has no program",
            changed: { $0.replacing("| `curl_retry` | right ", with: "| `curls_retry` | right ") },
            told: "the row curls_retry (right) has no program"
        ),
        Page(
            testDescription: "a row is too short",
            changed: { $0.replacing("| `curl_retry` | right ", with: "| `curl_retry` ") },
            told: "cells, and the head has"
        ),
        Page(
            testDescription: "a program has no word but in the table",
            changed: { page in
                page.split(separator: "\n", omittingEmptySubsequences: false)
                    .filter { !$0.contains("`curl_retry`") || $0.hasPrefix("|") }
                    .joined(separator: "\n")
            },
            told: "curl_retry is in the table alone"
        ),
        Page(
            testDescription: "a scenario is unknown",
            changed: { $0.replacing("`calm` |", with: "`clam` |") },
            told: "scenario clam is not in fixtures/scenarios"
        ),
        Page(
            testDescription: "the table is gone",
            changed: { $0.replacing("\n| ", with: "\n") },
            told: "has no table of stacks"
        ),
    ]

    @Test("A page that does not fit the programs is told", arguments: pages)
    func misfit(_ page: Page) throws {
        let original = String(
            decoding: try Repository.octets(of: "docs/clients.md"),
            as: UTF8.self
        )
        let changed = page.changed(original)
        #expect(changed != original)
        let file = FileManager.default.temporaryDirectory
            .appending(path: "clients-\(UUID().uuidString).md")
        try Data(changed.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let (status, text) = try Python.run(["scripts/clients", "--check", file.path])
        #expect(status == 1 && text.contains(page.told), "\(text)")
    }
}

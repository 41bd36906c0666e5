import Embedded
import Foundation
import JSON
import Readings
import TestTools
import Testing

/// docs/readings.md ends with the readings of the file.
@Suite("The page on readings")
struct ReadingDocumentTests {
    private static let path = "docs/readings.md"
    private static let mark = "writes from here -->\n"

    /// The part of the page that is made.
    private static func made() throws -> String {
        let octets = EmbeddedDefaults.octets(of: EmbeddedDefaults.readingsJSON())
        let catalogue = try ReadingCatalogue(JSONParser.parse(octets), contract: nil)
        return catalogue.entries.map { entry in
            var text = "\n### `\(entry.id.rawValue)`\n\n\(entry.title). "
            text +=
                entry.documented.map { "The documentation: \($0)" }
                ?? "The documentation says nothing."
            text += "\n\n| value | meaning |\n| --- | --- |\n"
            for value in entry.values {
                let beyond = value.isBeyondContract ? " Beyond the contract." : ""
                text += "| `\(value.word)` | \(value.meaning)\(beyond) |\n"
            }
            return text
        }.joined()
    }

    @Test("docs/readings.md says what the file says; UPDATE_DOCUMENTS=1 rewrites it")
    func document() throws {
        let page = try String(decoding: Repository.octets(of: Self.path), as: UTF8.self)
        let parts = page.components(separatedBy: Self.mark)
        try #require(parts.count == 2)
        let text = parts[0] + Self.mark + (try Self.made())
        if ProcessInfo.processInfo.environment["UPDATE_DOCUMENTS"] == "1" {
            try text.write(toFile: Repository.path(Self.path), atomically: true, encoding: .utf8)
            return
        }
        #expect(page == text, "run the test with UPDATE_DOCUMENTS=1 and look at what has changed")
    }
}

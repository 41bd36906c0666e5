import Foundation
import JSON

/// What holds for any octets; the corpus and the fuzzer try it.
///
/// Each returns what was broken, or `nil`.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = ["json": texts]

    /// What is taken is JSON to another parser too, and survives being written and read.
    @Sendable static func texts(_ octets: [UInt8]) -> String? {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(octets)
        } catch {
            return error.offset > octets.count ? "an error behind the end" : nil
        }
        let written = JSONWriter.octets(of: value)
        guard let again = try? JSONParser.parse(written), again == value else {
            return "written and read it is another value"
        }
        if JSONWriter.octets(of: again) != written { return "written twice it is another text" }
        // Numbers beyond a Double are JSON, but Foundation takes none.
        let hasExponent = octets.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
        let isLong = octets.count > 200
        if !hasExponent, !isLong,
            (try? JSONSerialization.jsonObject(
                with: Data(octets),
                options: .fragmentsAllowed
            )) == nil
        {
            return "Foundation takes it for no JSON"
        }
        return nil
    }
}

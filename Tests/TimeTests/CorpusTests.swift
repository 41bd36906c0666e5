import Foundation
import Testing

@Suite("Corpus")
struct CorpusTests {
    /// The inputs that the fuzzer found worth keeping, a line of Base64 for each.
    static func corpus(_ target: String, beside file: String = #filePath) throws -> [[UInt8]] {
        let folder = URL(filePath: file).deletingLastPathComponent()
        let text = try String(
            contentsOf: folder.appending(path: "Corpus/\(target).base64"),
            encoding: .utf8
        )
        return text.split(separator: "\n").compactMap { Data(base64Encoded: String($0)) }
            .map { Array($0) }
    }

    @Test("What the fuzzer found keeps the invariants", arguments: Invariants.all.keys.sorted())
    func replay(target: String) throws {
        let check = try #require(Invariants.all[target])
        let inputs = try Self.corpus(target)
        #expect(!inputs.isEmpty)
        for input in inputs {
            let broken = check(input)
            #expect(broken == nil, "\(Data(input).base64EncodedString())")
        }
    }
}

import Foundation
import Testing

/// The inputs that the fuzzer found worth keeping, in the folder `Corpus` beside a test.
package enum Corpus {
    /// What is kept of a fuzzer's target, a line of Base64 for each input.
    ///
    /// - Parameter file: The test that asks.
    package static func inputs(_ target: String, beside file: String) throws -> [[UInt8]] {
        let folder = URL(filePath: file).deletingLastPathComponent()
        let text = try String(
            contentsOf: folder.appending(path: "Corpus/\(target).base64"),
            encoding: .utf8
        )
        return text.split(separator: "\n").compactMap { Data(base64Encoded: String($0)) }
            .map { Array($0) }
    }

    /// Expects that every input of a target keeps its invariant, and that there is one.
    ///
    /// - Parameter check: Says what an input breaks; `nil` for nothing.
    package static func replay(
        _ target: String,
        beside file: String = #filePath,
        _ check: ([UInt8]) -> String?
    ) throws {
        let inputs = try inputs(target, beside: file)
        #expect(!inputs.isEmpty)
        for input in inputs {
            let broken = check(input)
            #expect(broken == nil, "\(Data(input).base64EncodedString())")
        }
    }
}

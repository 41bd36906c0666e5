import Foundation
import Testing
import TestSupport

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

    @Test("What the fuzzer found keeps the invariants of the contract")
    func contract() throws {
        let inputs = try Self.corpus("contract")
        #expect(!inputs.isEmpty)
        for input in inputs {
            let broken = ContractInvariants.check(input, TestServer.contract)
            #expect(broken == nil, "\(Data(input).base64EncodedString())")
        }
    }

    @Test("No paging token but an issued one opens a page")
    func pagingTokens() throws {
        let server = try TestServer()
        let inputs = try Self.corpus("paging")
        #expect(!inputs.isEmpty)
        for input in inputs {
            let encoded = input.map {
                "%" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            let target = "reporting/appointments/pending?nextToken=\(encoded.joined())"
            let answer = try server.get(target)
            #expect([400, 414].contains(answer.status), "\(Data(input).base64EncodedString())")
        }
    }
}

import TestTools
import Foundation
import Testing
import TestSupport

@Suite("Corpus")
struct CorpusTests {
    @Test("What the fuzzer found keeps the invariants of the contract")
    func contract() throws {
        try Corpus.replay("contract") { ContractInvariants.check($0, TestServer.contract) }
    }

    @Test("No paging token but an issued one opens a page")
    func pagingTokens() throws {
        let server = try TestServer()
        let inputs = try Corpus.inputs("paging", beside: #filePath)
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

import TestTools
import Testing

@Suite("Corpus")
struct CorpusTests {
    @Test("What the fuzzer found keeps the invariants", arguments: Invariants.all.keys.sorted())
    func replay(target: String) throws {
        try Corpus.replay(target, try #require(Invariants.all[target]))
    }
}

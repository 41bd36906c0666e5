import Faults
import JSON
import Testing

@Suite("Faults of a session")
struct FaultEngineTests {
    private func engine() throws -> FaultEngine {
        let engine = try FaultEngine(
            fileRules: rules(#"{"id":"file","when":{"first":3},"then":{"status":502}}"#),
            now: 0
        )
        try engine.add(
            rules(#"{"id":"mine","when":{"first":2},"then":{"status":503}}"#),
            now: 0
        )
        return engine
    }

    @Test("The request's own wish comes first, then the session's rules, then those of --faults")
    func precedence() throws {
        let engine = try engine()
        let facts = MatchVocabulary.sample.facts()
        let wish = try PreferredFault.parse(["code=418"])
        let acting = [wish, nil, nil, nil].map {
            engine.decide(preferred: $0, facts, now: 0)?.ruleID
        }
        #expect(acting == ["prefer", "mine", "file", nil])
        #expect(engine.listings.map(\.id) == ["mine", "file"])
        #expect(engine.listings.map(\.hits) == [1, 1])
        #expect(engine.listings.map(\.seen) == [4, 4])
    }

    @Test("Two sessions count the rules of --faults apart")
    func sessions() throws {
        let rules = try rules(#"{"when":{"first":1},"then":{"status":502}}"#)
        let one = try FaultEngine(fileRules: rules, now: 0)
        let other = try FaultEngine(fileRules: rules, now: 0)
        let facts = MatchVocabulary.sample.facts()
        #expect(one.decide(facts, now: 0) != nil)
        #expect(one.decide(facts, now: 0) == nil)
        #expect(other.decide(facts, now: 0) != nil)
    }

    @Test("A reset drops the session's rules and arms those of --faults anew")
    func reset() throws {
        let engine = try engine()
        let facts = MatchVocabulary.sample.facts()
        for _ in 1...5 { _ = engine.decide(facts, now: 0) }
        engine.reset(now: second)
        #expect(engine.listings.map(\.id) == ["file"])
        #expect(engine.listings.map(\.seen) == [0])
        #expect(engine.decide(facts, now: second)?.ruleID == "file")
        engine.clear()
        #expect(engine.listings.isEmpty)
        #expect(!engine.concerns(operation: facts.operation))
        engine.reset(now: second)
        #expect(engine.listings.map(\.id) == ["file"])
        #expect(engine.concerns(operation: facts.operation))
    }

    @Test("An id is unique over both kinds of rules, and free once its rule is gone")
    func ids() throws {
        let engine = try engine()
        let rule = try rules(#"{"id":"file","then":{"status":500}}"#)
        #expect(throws: FaultError.self) { try engine.add(rule, now: 0) }
        #expect(engine.listing(id: "file")?.rule["when"] != nil)
        #expect(engine.remove(id: "file"))
        #expect(!engine.remove(id: "file"))
        try engine.add(rule, now: 0)
        #expect(engine.listings.map(\.id) == ["mine", "file"])
        try engine.replaceAll(with: rule, now: 0)
        #expect(engine.listings.map(\.id) == ["file"])
    }

    @Test("A file that repeats an id arms nothing")
    func repeatedInFile() throws {
        let rules = try rules(
            #"[{"id":"a","then":{"status":500}},{"id":"a","then":{"status":503}}]"#
        )
        #expect(throws: FaultError.self) { try FaultEngine(fileRules: rules, now: 0) }
    }
}

import Faults
import Testing

@Suite("Rate quotas")
struct RateWindowTests {
    /// At which second a request of which client comes, and the Retry-After it gets, if refused.
    struct Step: Sendable {
        let at: Double
        var client: String? = "acme-partner"
        let retryAfter: Int?
    }

    static let cases: [(name: String, steps: [Step])] = [
        (
            "five in ten seconds, then the first frees after its own ten",
            [
                Step(at: 0, retryAfter: nil), Step(at: 1, retryAfter: nil),
                Step(at: 2, retryAfter: nil), Step(at: 3, retryAfter: nil),
                Step(at: 4, retryAfter: nil), Step(at: 5, retryAfter: 5),
                Step(at: 9.5, retryAfter: 1), Step(at: 9.999, retryAfter: 1),
                Step(at: 10, retryAfter: nil), Step(at: 10, retryAfter: 1),
                Step(at: 11, retryAfter: nil), Step(at: 11.2, retryAfter: 1),
                Step(at: 30, retryAfter: nil),
            ]
        ),
        (
            "refused requests do not count",
            (0..<5).map { _ in Step(at: 0, retryAfter: nil) }
                + (0..<50).map { _ in Step(at: 0, retryAfter: 10) }
                + [Step(at: 0.001, retryAfter: 10), Step(at: 10, retryAfter: nil)]
        ),
        (
            "each client has its own window",
            (0..<5).flatMap { _ in
                [
                    Step(at: 0, retryAfter: nil),
                    Step(at: 0, client: "globex-partner", retryAfter: nil),
                ]
            } + [
                Step(at: 1, retryAfter: 9), Step(at: 1, client: "globex-partner", retryAfter: 9),
                Step(at: 1, client: "acme-referrer", retryAfter: nil),
            ]
        ),
        (
            "unknown clients and none share one window",
            (0..<5).map { Step(at: 0, client: "guess-\($0)", retryAfter: nil) }
                + [
                    Step(at: 0, client: "guess-99", retryAfter: 10),
                    Step(at: 0, client: nil, retryAfter: 10),
                ]
        ),
        (
            "threads that read the clock in turn may arrive out of turn",
            [
                Step(at: 1, retryAfter: nil), Step(at: 0.999, retryAfter: nil),
                Step(at: 1, retryAfter: nil), Step(at: 0.5, retryAfter: nil),
                Step(at: 1, retryAfter: nil), Step(at: 0.9, retryAfter: 10),
                Step(at: 11, retryAfter: nil),
            ]
        ),
        (
            "a clock that was set back opens the window",
            (0..<5).map { _ in Step(at: 1_000, retryAfter: nil) }
                + [Step(at: 1_000, retryAfter: 10), Step(at: 10, retryAfter: nil)]
        ),
    ]

    @Test("What exceeds five in ten seconds is refused until one frees", arguments: cases)
    func quota(name: String, steps: [Step]) throws {
        let plan = try plan(#"{"when":{"rate":{"requests":5,"per":"PT10S"}}}"#)
        for (index, step) in steps.enumerated() {
            let facts = MatchVocabulary.sample.facts(client: step.client)
            let decision = plan.decide(facts, now: Int64(step.at * Double(second)))
            #expect(decision?.retryAfter?.seconds == step.retryAfter, "step \(index)")
            #expect(decision?.status == (step.retryAfter == nil ? nil : 429), "step \(index)")
        }
    }

    static let refusals: [(then: String, status: Int?, retryAfter: RetryAfter?)] = [
        ("{}", 429, RetryAfter(seconds: 60)),
        (#"{"status":503}"#, 503, RetryAfter(seconds: 60)),
        (#"{"retryAfter":3}"#, 429, RetryAfter(seconds: 3)),
        (#"{"retryAfter":{"form":"date"}}"#, 429, RetryAfter(seconds: 60, form: .date)),
        (#"{"detail":"Slowly."}"#, 429, RetryAfter(seconds: 60)),
        (#"{"delay":"1s"}"#, 429, RetryAfter(seconds: 60)),
        (#"{"transport":"EMPTY_RESPONSE"}"#, nil, nil),
    ]

    @Test("A rule may say how it refuses", arguments: refusals)
    func refusal(then: String, status: Int?, retryAfter: RetryAfter?) throws {
        let plan = try plan(
            #"{"when":{"rate":{"requests":1,"per":"PT1M"}},"then":\#(then)}"#
        )
        let facts = MatchVocabulary.sample.facts()
        #expect(plan.decide(facts, now: 0) == nil)
        let decision = try #require(plan.decide(facts, now: 0))
        #expect(decision.status == status)
        #expect(decision.retryAfter == retryAfter)
        #expect(!decision.runsOperation)
    }

    @Test("Whoever waits for the time that is named gets through")
    func waiting() throws {
        let plan = try plan(#"{"when":{"rate":{"requests":3,"per":"1700ms"}}}"#)
        let facts = MatchVocabulary.sample.facts()
        var now: Int64 = 0
        var refusals = 0
        for _ in 0..<200 {
            guard let refused = plan.decide(facts, now: now) else {
                now += 123_456_789
                continue
            }
            refusals += 1
            let seconds = try #require(refused.retryAfter?.seconds)
            #expect((1...2).contains(seconds))
            now += Int64(seconds) * second
            #expect(plan.decide(facts, now: now) == nil)
        }
        #expect(refusals > 20)
    }
}

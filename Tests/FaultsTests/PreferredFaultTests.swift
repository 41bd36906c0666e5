import Faults
import Testing

@Suite("Faults by Prefer")
struct PreferredFaultTests {
    private static func decision(
        status: Int? = nil,
        retryAfter: Int? = nil,
        milliseconds: Int64 = 0,
        _ transport: TransportFault? = nil,
        _ phase: FaultPhase = .before
    ) -> FaultDecision {
        var decision = FaultDecision(ruleID: "prefer", phase: phase)
        decision.status = status
        decision.retryAfter = retryAfter.map { RetryAfter(seconds: $0) }
        decision.delayNanoseconds = milliseconds * 1_000_000
        decision.transport = transport
        return decision
    }

    static let wishes: [(lines: [String], decision: FaultDecision?)] = [
        ([], nil),
        ([""], nil),
        (["return=minimal, respond-async, wait=10"], nil),
        (["code=429"], decision(status: 429)),
        (["code=429, retry-after=2"], decision(status: 429, retryAfter: 2)),
        (["retry-after=2", "code=503"], decision(status: 503, retryAfter: 2)),
        (["delay=500"], decision(milliseconds: 500)),
        (["delay=0"], decision()),
        (["delay=500,code=500"], decision(status: 500, milliseconds: 500)),
        (["fault=reset"], decision(.connectionResetByPeer)),
        (["fault=reset-after"], decision(.connectionResetByPeer, .after)),
        (["fault=empty"], decision(.emptyResponse)),
        (["fault=empty-after"], decision(.emptyResponse, .after)),
        (["fault=hang"], decision(.hang)),
        (["fault=hang-after"], decision(.hang, .after)),
        (["fault=garbage"], decision(.randomDataThenClose)),
        (["fault=bad-chunk"], decision(.malformedResponseChunk)),
        (["fault=hang, delay=20"], decision(milliseconds: 20, .hang)),
        (["CODE=429"], decision(status: 429)),
        ([#"code="429""#], decision(status: 429)),
        ([#"code="4\29""#], decision(status: 429)),
        (["code = 429 ; x=1; y"], decision(status: 429)),
        (["\tcode\t=429 ,, delay=1 ,"], decision(status: 429, milliseconds: 1)),
        (["code=429, code=503"], decision(status: 429)),
        (["code=429", "code=x"], decision(status: 429)),
        ([#"note="a, code=500; \" x", code=503"#], decision(status: 503)),
        ([#"note=x; p="code=500, delay=7", code=503"#], decision(status: 503)),
        (["no good, code=503"], decision(status: 503)),
        (["=500, code=503"], decision(status: 503)),
        ([#"note=\, code=503"#], decision(status: 503)),
        (["foo code=429"], nil),
    ]

    @Test("A request gets the fault that it asks for", arguments: wishes)
    func accepted(lines: [String], decision: FaultDecision?) throws {
        #expect(try PreferredFault.parse(lines) == decision)
    }

    @Test(
        "A known preference with an impossible value is refused by its name",
        arguments: [
            ("code=200", "code"), ("code=600", "code"), ("code", "code"), ("code=", "code"),
            (#"code="""#, "code"), ("code=+429", "code"), ("code=4 29", "code"),
            (#"code="429"#, "code"), (#"code="429"x"#, "code"),
            ("code=99999999999999999999", "code"),
            ("code=abc", "code"), ("code=429, retry-after=-1", "retry-after"),
            ("code=429, retry-after=soon", "retry-after"),
            ("code=429, retry-after=86401", "retry-after"), ("retry-after=2", "retry-after"),
            ("delay=1s", "delay"), ("delay=1.5", "delay"), ("delay=86400001", "delay"),
            ("fault=explode", "fault"), ("fault", "fault"), ("fault=RESET", "fault"),
            ("code=429, fault=reset", "fault"), ("fault=reset, code=429", "fault"),
        ]
    )
    func refused(line: String, preference: String) throws {
        let error = try #require(throws: PreferredFault.Malformed.self) {
            try PreferredFault.parse([line])
        }
        #expect(error.preference == preference)
        #expect(error.reason.contains("`\(preference)`"))
    }

    @Test(
        "A preferred fault replaces the operation as a rule's would",
        arguments: [
            ("code=500", false), ("fault=reset", false), ("fault=hang-after", true),
            ("fault=garbage", true), ("delay=5", true),
        ]
    )
    func runsOperation(line: String, runs: Bool) throws {
        #expect(try PreferredFault.parse([line])?.runsOperation == runs)
    }
}

import Faults
import JSON
import Testing

@Suite("What a rule matches")
struct FaultMatchTests {
    static let reporting = "Integrations_SubmitPendingReportingAppointmentReport"
    static let summary = "Integrations_GetAppointment_Summary"

    /// A `match`, and which of the requests below it is about.
    static let cases: [(match: String, requests: Set<Int>)] = [
        ("{}", [0, 1, 2, 3, 4]),
        (#"{"operation":"integrations_LISTSITES"}"#, [0, 1]),
        (#"{"operation":"token"}"#, [5]),
        (#"{"operation":"download"}"#, [6]),
        (#"{"operation":"upload"}"#, []),
        (#"{"tag":"Site Settings"}"#, [0, 1]),
        (#"{"method":"POST"}"#, [4]),
        (#"{"method":"HEAD"}"#, [1]),
        (#"{"path":"/appointments/{appointmentId}"}"#, [2, 3]),
        (#"{"path":"/appointments/{id}"}"#, [2, 3]),
        (#"{"path":"/integrations/v1/{domain}/appointments/{appointmentId}"}"#, [2, 3]),
        (#"{"path":"/_mock/openapi/integrations/v1/{d}/appointments/{id}"}"#, [2, 3]),
        (#"{"path":"/sites/{siteName}/settings"}"#, []),
        (#"{"domain":"globex"}"#, [1, 3]),
        (#"{"client":"acme-partner"}"#, [0, 2, 3]),
        (#"{"operation":"token","client":"globex-partner"}"#, [5]),
        (#"{"appointmentId":"A2"}"#, [3, 4]),
        (#"{"appointmentId":"A2","method":"GET"}"#, [3]),
        (#"{"tag":"Appointments","domain":"acme","client":"acme-partner"}"#, [2]),
    ]

    @Test("A rule matches what all its members allow", arguments: cases)
    func matches(match: String, requests: Set<Int>) throws {
        let names = MatchVocabulary.sample
        let all = [
            names.facts(),
            names.facts(method: "HEAD", domain: "globex", client: "globex-partner"),
            names.facts(Self.summary, appointmentId: "A1"),
            names.facts(Self.summary, domain: "globex", appointmentId: "A2"),
            names.facts(Self.reporting, method: "POST", client: nil, appointmentId: "A2"),
            names.facts("token", method: "POST", domain: nil, client: "globex-partner"),
            names.facts("download", client: nil),
        ]
        let plan = try plan(#"{"match":\#(match),"then":{"status":500}}"#)
        let met = all.indices.filter { plan.decide(all[$0], now: 0) != nil }
        #expect(Set(met) == requests)
        #expect(plan.listings.map(\.seen) == [requests.count])
        #expect(plan.listings.map(\.hits) == [requests.count])
    }

    @Test("A request for no operation matches nothing")
    func unrouted() throws {
        let plan = try plan(#"{"then":{"status":500}}"#)
        #expect(plan.decide(MatchVocabulary.sample.facts("nothing"), now: 0) == nil)
        #expect(plan.listings.map(\.seen) == [0])
    }

    @Test("A plan knows without counting whether it concerns an operation")
    func concerns() throws {
        let names = MatchVocabulary.sample
        let token = try #require(names.index(ofOperation: "Token"))
        let sites = try #require(names.index(ofOperation: "integrations_listsites"))
        let plan = try plan(#"{"id":"a","match":{"operation":"token"},"then":{"status":500}}"#)
        #expect(plan.concerns(operation: token))
        #expect(!plan.concerns(operation: sites))
        plan.remove(id: "a")
        #expect(!plan.concerns(operation: token))
    }

    @Test("Operations beyond the sixty-fourth are matched like the others")
    func manyOperations() throws {
        let names = MatchVocabulary(
            operations: (0..<70).map { .partner("Op_\($0)", "T", "/\($0)") },
            domains: [],
            clients: [],
            pathPrefixes: []
        )
        let reader = FaultRuleReader(form: ruleForm, vocabulary: names, defaultSeed: 1)
        let rules = try reader.rules(
            ["match": ["operation": "op_68"], "then": ["status": 500]]
        )
        let plan = try FaultPlan(rules: rules)
        let met = (0..<70).filter { operation in
            plan.decide(RequestFacts(operation: operation, method: "GET"), now: 0) != nil
        }
        #expect(met == [68])
    }
}

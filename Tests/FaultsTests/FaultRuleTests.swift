import Faults
import JSON
import Testing

@Suite("Fault rules")
struct FaultRuleTests {
    // MARK: Accepted

    @Test(
        "What the design shows is accepted, and kept as it was set",
        arguments: [
            #"""
            {"id":"two-429-then-lost-answer","match":{"operation":"Integrations_SubmitPendingReportingAppointmentReport","domain":"acme"},"sequence":[{"status":429,"retryAfter":2},{"status":429,"retryAfter":{"seconds":2,"form":"date"}},{"phase":"after","transport":"CONNECTION_RESET_BY_PEER"}],"ttl":"PT5M"}
            """#,
            #"{"sequence":[{},{"status":503}]}"#,
            #"{"when":{"first":2},"then":{"status":400}}"#,
            #"{"when":{"nth":[3,5]},"then":{"status":599}}"#,
            #"{"when":{"every":10},"then":{"status":500}}"#,
            #"{"when":{"probability":0.1,"seed":42},"then":{"status":500}}"#,
            #"{"when":{"probability":0},"then":{"status":500}}"#,
            #"{"when":{"probability":1,"seed":-1},"then":{"status":500}}"#,
            #"{"when":{"window":{"after":"PT30S","for":"PT10S"}},"then":{"status":500}}"#,
            #"{"when":{"window":{"after":"PT30S"}},"then":{"status":500}}"#,
            #"{"when":{"window":{"for":"P1D"}},"then":{"status":500}}"#,
            #"{"when":{"rate":{"requests":5,"per":"PT1S"}}}"#,
            #"{"when":{"rate":{"requests":5,"per":"1s"}},"then":{"retryAfter":{"form":"date"}}}"#,
            #"{"when":{"rate":{"requests":5,"per":"1s"}},"then":{}}"#,
            #"{"then":{"delay":"0ms"}}"#,
            #"{"then":{"delay":{"uniform":["50ms","200ms"]}}}"#,
            #"{"then":{"delay":{"uniform":["50ms","50ms"]}}}"#,
            #"{"then":{"delay":{"lognormal":{"median":"80ms","sigma":0.4,"max":"2s"}}}}"#,
            #"{"then":{"delay":{"p50":"80ms","p99":"400ms"}}}"#,
            #"{"then":{"transport":"HANG","delay":"1s","phase":"after"}}"#,
            #"{"then":{"truncateAt":0}}"#,
            #"{"then":{"truncateAt":0.5,"drip":{"chunks":10,"over":"2s"}}}"#,
            #"{"then":{"truncateAt":100.0,"bytesPerSecond":1024}}"#,
            #"{"then":{"status":503,"content":"html","delay":"PT2S","bytesPerSecond":1}}"#,
            #"{"then":{"content":"malformed-json"}}"#,
            #"{"then":{"content":"wrong-content-type","truncateAt":1}}"#,
            #"{"match":{"operation":"TOKEN"},"then":{"token":"hmac-confusion","delay":"1s"}}"#,
            #"{"match":{"operation":"upload","method":"PUT"},"then":{"status":503}}"#,
            #"{"match":{"operation":"token","attempt":"first"},"then":{"status":503}}"#,
            #"{"match":{"attempt":"repeated"},"then":{"status":503}}"#,
            #"{"match":{},"then":{"status":503,"detail":"Come back later.","retryAfter":0}}"#,
        ]
    )
    func accepted(text: String) throws {
        let rules = try rules(text)
        #expect(rules.count == 1)
        #expect(rules.first.map { JSONWriter.text(of: .object($0.source)) } == text)
    }

    @Test("Every fault has the name that the design gives it")
    func names() {
        #expect(
            TransportFault.allCases.map(\.rawValue) == [
                "CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "HANG", "RANDOM_DATA_THEN_CLOSE",
                "MALFORMED_RESPONSE_CHUNK",
            ]
        )
        #expect(
            ContentFault.allCases.map(\.rawValue) == [
                "malformed-json", "empty", "html", "wrong-content-type",
            ]
        )
        #expect(
            TokenFault.allCases.map(\.rawValue) == [
                "expired", "not-yet-valid", "wrong-issuer", "wrong-key", "tampered", "unsigned",
                "hmac-confusion", "id-token", "garbage", "no-domains", "wrong-domain",
            ]
        )
    }

    // MARK: Refused

    /// A malformed document, and for each error its pointer and a part of its reason.
    struct Refused: Sendable, CustomTestStringConvertible {
        let text: String
        let errors: [(pointer: String, reason: String)]
        var testDescription: String { text }

        init(_ text: String, _ errors: (String, String)...) {
            self.text = text
            self.errors = errors.map { (pointer: $0.0, reason: $0.1) }
        }
    }

    static let documents: [Refused] = [
        Refused("1", ("", "object")),
        Refused("null", ("", "null")),
        Refused("[]", ("", "1 to 1000 elements")),
        Refused("[1,[]]", ("/0", "a number"), ("/1", "an array")),
        Refused("{}", ("/then", "`then`")),
        Refused(#"{"id":"a"}"#, ("/then", "needs `then`")),
        Refused(#"{"when":{"first":1}}"#, ("/then", "`when` needs `then`")),
        Refused(#"{"then":{}}"#, ("/then", "no effect")),
        Refused(#"{"then":{"phase":"after"}}"#, ("/then", "no effect")),
        Refused(#"{"then":[]}"#, ("/then", "an array")),
        Refused(#"{"status":503}"#, ("/status", "Effects stand in `then`")),
        Refused(#"{"then":{"status":503},"tll":"1s"}"#, ("/tll", "`ttl`?")),
        Refused(
            #"{"then":{"status":503},"hits":1}"#,
            ("/hits", "members known here are `id`, `match`")
        ),
        Refused(
            #"{"sequence":[{"status":500}],"when":{"first":1},"then":{"status":500}}"#,
            ("/when", "either"),
            ("/then", "either")
        ),
        Refused(#"{"sequence":[]}"#, ("/sequence", "1 to 1000 elements")),
        Refused(#"{"sequence":[{},{}]}"#, ("/sequence", "does nothing")),
        Refused(#"{"sequence":{}}"#, ("/sequence", "an object")),
        Refused(#"{"sequence":[{"status":500},null]}"#, ("/sequence/1", "null")),
        Refused(#"{"sequence":[{"phase":"after"},{"status":500}]}"#, ("/sequence/0", "no effect")),
        Refused(#"{"sequence":[{"status":200}]}"#, ("/sequence/0/status", "400 to 599")),
    ]

    static let identifiers: [Refused] = [
        Refused(#"{"id":1,"then":{"status":500}}"#, ("/id", "a string")),
        Refused(#"{"id":"","then":{"status":500}}"#, ("/id", "1 to 64")),
        Refused(#"{"id":"a b","then":{"status":500}}"#, ("/id", "1 to 64")),
        Refused(#"{"id":"..","then":{"status":500}}"#, ("/id", "the first")),
        Refused(#"{"id":"é","then":{"status":500}}"#, ("/id", "letters")),
        Refused(
            #"{"id":"\#(String(repeating: "a", count: 65))","then":{"status":500}}"#,
            ("/id", "1 to 64")
        ),
        Refused(#"{"id":"prefer","then":{"status":500}}"#, ("/id", "`Prefer`")),
        Refused(#"{"ttl":5,"then":{"status":500}}"#, ("/ttl", "a string")),
        Refused(#"{"ttl":"0s","then":{"status":500}}"#, ("/ttl", "longer than zero")),
        Refused(#"{"ttl":"P1M","then":{"status":500}}"#, ("/ttl", "years or months")),
        Refused(#"{"ttl":"P2D","then":{"status":500}}"#, ("/ttl", "24 hours")),
        Refused(#"{"ttl":"soon","then":{"status":500}}"#, ("/ttl", "ISO 8601")),
        Refused(
            #"{"ttl":"10s","when":{"window":{"after":"10s"}},"then":{"status":500}}"#,
            ("/when/window/after", "Never fires")
        ),
    ]

    static let triggers: [Refused] = [
        ("{}", "", "at least 1 member, not 0. The members known here are `first`"),
        ("[]", "", "an array"),
        (#"{"frist":1}"#, "/frist", "`first`?"),
        (#"{"first":0}"#, "/first", "from 1"), (#"{"first":-1}"#, "/first", "from 1"),
        (#"{"first":1.5}"#, "/first", "integer"), (#"{"first":"1"}"#, "/first", "integer"),
        (#"{"first":true}"#, "/first", "integer"), (#"{"first":1e30}"#, "/first", "integer"),
        (#"{"nth":3}"#, "/nth", "array"), (#"{"nth":[]}"#, "/nth", "at least 1 element"),
        (#"{"nth":[1,0]}"#, "/nth/1", "from 1"), (#"{"nth":[2,2]}"#, "/nth/1", "twice"),
        (#"{"every":0}"#, "/every", "from 1"),
        (#"{"probability":1.1}"#, "/probability", "a number from 0 to 1, not 1.1"),
        (#"{"probability":-0.1}"#, "/probability", "0 to 1"),
        (#"{"probability":1e999}"#, "/probability", "0 to 1"),
        (#"{"probability":"0.1"}"#, "/probability", "a number"),
        (#"{"probability":0.1,"seed":1.5}"#, "/seed", "integer"),
        (#"{"first":1,"seed":1}"#, "/seed", "beside `probability`"),
        (#"{"first":1,"every":2}"#, "/every", "one form"),
        (#"{"window":{}}"#, "/window", "`after`, `for`"),
        (#"{"window":"1s"}"#, "/window", "an object"),
        (#"{"window":{"for":"0s"}}"#, "/window/for", "longer than zero"),
        (#"{"window":{"after":"-1s","for":"1s"}}"#, "/window/after", "\"250ms\""),
        (#"{"window":{"for":"1s","till":"2s"}}"#, "/window/till", "Leave this member out"),
        (#"{"rate":{"per":"1s"}}"#, "/rate/requests", "required"),
        (#"{"rate":{"requests":1}}"#, "/rate/per", "required"),
        (#"{"rate":{"requests":0,"per":"1s"}}"#, "/rate/requests", "from 1"),
        (#"{"rate":{"requests":100001,"per":"1s"}}"#, "/rate/requests", "100000"),
        (#"{"rate":{"requests":1,"per":"0s"}}"#, "/rate/per", "longer than zero"),
    ].map { Refused(#"{"when":\#($0.0),"then":{"status":500}}"#, ("/when" + $0.1, $0.2)) }

    static let effects: [Refused] = [
        (#"{"status":399}"#, "/status", "400 to 599"), (#"{"status":600}"#, "/status", "599"),
        (#"{"status":"503"}"#, "/status", "integer"),
        (#"{"staus":503,"delay":"1s"}"#, "/staus", "`status`?"),
        (#"{"status":503,"retryAfter":-1}"#, "/retryAfter", "from 0"),
        (#"{"status":503,"retryAfter":1.5}"#, "/retryAfter", "integer"),
        (#"{"status":503,"retryAfter":"2s"}"#, "/retryAfter", "integer"),
        (#"{"status":503,"retryAfter":86401}"#, "/retryAfter", "86400"),
        (#"{"status":503,"retryAfter":{}}"#, "/retryAfter/seconds", "how many seconds"),
        (#"{"status":503,"retryAfter":{"seconds":-1}}"#, "/retryAfter/seconds", "from 0"),
        (
            #"{"status":503,"retryAfter":{"seconds":1,"form":"http"}}"#, "/retryAfter/form",
            "seconds, date"
        ),
        (#"{"status":503,"retryAfter":{"seconds":1,"unit":"s"}}"#, "/retryAfter/unit", "Leave"),
        (#"{"delay":"1s","retryAfter":1}"#, "/retryAfter", "beside `status`"),
        (#"{"delay":"1s","detail":"x"}"#, "/detail", "beside `status`"),
        (#"{"status":503,"detail":""}"#, "/detail", "1 to 1000"),
        (#"{"status":503,"detail":1}"#, "/detail", "a string"),
        (#"{"delay":250}"#, "/delay", "a string or an object"),
        (#"{"delay":"250"}"#, "/delay", "\"250ms\""),
        (#"{"delay":"-250ms"}"#, "/delay", "\"250ms\""),
        (#"{"delay":"25h"}"#, "/delay", "\"250ms\""),
        (#"{"delay":"PT25H"}"#, "/delay", "24 hours"),
        (#"{"delay":{}}"#, "/delay", "`uniform`"),
        (
            #"{"delay":{"uniform":["1s","2s"],"lognormal":{"median":"1s","sigma":1,"max":"1s"}}}"#,
            "/delay", "or `lognormal`"
        ),
        (
            #"{"delay":{"p50":"1s","lognormal":{"median":"1s","sigma":1,"max":"1s"}}}"#,
            "/delay", "`p50` with `p99`"
        ),
        (#"{"delay":{"p50":"1s"}}"#, "/delay", "say `p99`, too"),
        (#"{"delay":{"p99":"1s"}}"#, "/delay", "say `p50`, too"),
        (#"{"delay":{"p50":"1s","p99":"999ms"}}"#, "/delay/p99", "not below `p50`"),
        (#"{"delay":{"p50":"0s","p99":"1s"}}"#, "/delay/p50", "longer than zero"),
        (#"{"delay":{"p50":"1s","p99":1}}"#, "/delay/p99", "a string"),
        (#"{"delay":{"p50":"1s","p99":"25h"}}"#, "/delay/p99", "\"250ms\""),
        (#"{"delay":{"uniform":["2s","1s"]}}"#, "/delay/uniform", "least duration first"),
        (#"{"delay":{"uniform":["2s"]}}"#, "/delay/uniform", "exactly 2 elements"),
        (#"{"delay":{"uniform":["2s",3]}}"#, "/delay/uniform/1", "a string"),
        (
            #"{"delay":{"lognormal":{"median":"80ms","sigma":0.4}}}"#, "/delay/lognormal/max",
            "required"
        ),
        (
            #"{"delay":{"lognormal":{"median":"80ms","sigma":-1,"max":"1s"}}}"#,
            "/delay/lognormal/sigma", "0 to 10"
        ),
        (
            #"{"delay":{"lognormal":{"median":"80ms","sigma":1,"max":"1ms"}}}"#,
            "/delay/lognormal/max", "not below"
        ),
        (#"{"transport":"RESET"}"#, "/transport", "one of: CONNECTION_RESET_BY_PEER"),
        (#"{"transport":"hang"}"#, "/transport", "Did you mean \"HANG\""),
        (#"{"transport":null}"#, "/transport", "a string, not null"),
        (#"{"transport":"HANG","status":503}"#, "/transport", "drop `status`"),
        (#"{"transport":"EMPTY_RESPONSE","truncateAt":1}"#, "/transport", "drop `truncateAt`"),
        (#"{"transport":"HANG","status":503,"detail":"x"}"#, "/transport", "`status`, `detail`"),
        (#"{"truncateAt":-1}"#, "/truncateAt", "at least 0"),
        (#"{"truncateAt":1.0}"#, "/truncateAt", "below 1"),
        (#"{"truncateAt":1.5}"#, "/truncateAt", "below 1"),
        (#"{"truncateAt":-0.5}"#, "/truncateAt", "at least 0"),
        (#"{"truncateAt":"50%"}"#, "/truncateAt", "a number"),
        (#"{"drip":{"chunks":10}}"#, "/drip/over", "required"),
        (#"{"drip":{"over":"2s"}}"#, "/drip/chunks", "required"),
        (#"{"drip":{"chunks":0,"over":"2s"}}"#, "/drip/chunks", "from 1"),
        (#"{"drip":{"chunks":1,"over":"0s"}}"#, "/drip/over", "longer than zero"),
        (#"{"drip":"2s"}"#, "/drip", "an object"),
        (#"{"bytesPerSecond":0}"#, "/bytesPerSecond", "from 1"),
        (#"{"bytesPerSecond":1,"drip":{"chunks":2,"over":"2s"}}"#, "/bytesPerSecond", "two paces"),
        (#"{"content":"xml"}"#, "/content", "html"),
        (#"{"content":"empty","truncateAt":0.5}"#, "/truncateAt", "Empty content"),
        (#"{"phase":"during","status":500}"#, "/phase", "before, after"),
        (#"{"token":"expired"}"#, "/token", "\"operation\": \"token\""),
    ].map { Refused(#"{"then":\#($0.0)}"#, ("/then" + $0.1, $0.2)) }

    static let tokens: [Refused] = [
        (#"{"token":"expierd"}"#, "/token", "Did you mean \"expired\""),
        (#"{"token":"expired","status":500}"#, "/token", "`status`"),
        (#"{"token":"expired","content":"html"}"#, "/token", "`content`"),
    ].map {
        Refused(#"{"match":{"operation":"token"},"then":\#($0.0)}"#, ("/then" + $0.1, $0.2))
    }

    static let matches: [Refused] = [
        ("[]", "", "an array"),
        (#"{"operations":"token"}"#, "/operations", "`operation`?"),
        (#"{"operation":1}"#, "/operation", "a string"),
        (#"{"operation":"ListSite"}"#, "/operation", "`Integrations_ListSites`"),
        (
            #"{"operation":"Integrations_GetApointment_Summary"}"#, "/operation",
            "`Integrations_GetAppointment_Summary`"
        ),
        (#"{"operation":"tokne"}"#, "/operation", "`token`"),
        (#"{"tag":"reporting"}"#, "/tag", "`Reporting`"),
        (#"{"method":"get"}"#, "/method", "`GET`"),
        (#"{"method":"DELETE"}"#, "/method", "No such method"),
        (#"{"path":"/sites/Main"}"#, "/path", "`/sites/{siteName}`"),
        (
            #"{"path":"/integrations/v1/acme/appointments/A1"}"#, "/path",
            "`/appointments/{appointmentId}`"
        ),
        (#"{"path":"/apointments/{appointmentId}"}"#, "/path", "`/appointments/{appointmentId}`"),
        (#"{"path":"sites"}"#, "/path", "`/sites`"),
        (#"{"path":""}"#, "/path", "there are `/sites`"),
        (#"{"path":"/sites/"}"#, "/path", "`/sites`"),
        (#"{"domain":"acne"}"#, "/domain", "`acme`"),
        (#"{"client":"acme-partner+s1"}"#, "/client", "`acme-partner`"),
        (#"{"appointmentId":""}"#, "/appointmentId", "at least 1 character"),
        (#"{"appointmentId":123}"#, "/appointmentId", "a string"),
        (
            #"{"tag":"Reporting","operation":"Integrations_ListSites"}"#, "/tag",
            "has the tag `Site Settings`"
        ),
        (#"{"operation":"Integrations_ListSites","method":"POST"}"#, "/method", "`GET` or `HEAD`"),
        (
            #"{"operation":"Integrations_ListSites","path":"/sites/{siteName}"}"#, "/path",
            "the path `/sites`"
        ),
        (#"{"operation":"token","domain":"acme"}"#, "/domain", "not about one domain"),
        (#"{"operation":"token","tag":"Reporting"}"#, "/tag", "`token` has no tag"),
        (
            #"{"operation":"Integrations_ListSites","appointmentId":"A123456"}"#, "/appointmentId",
            "not about one appointment"
        ),
        (#"{"tag":"Appointments","method":"POST"}"#, "/method", "no API operation"),
        (#"{"method":"PUT"}"#, "/method", "`upload` and `download`"),
        (#"{"path":"/oauth2/token"}"#, "/path", "by `operation` only"),
        (
            #"{"path":"/appointments/operational","appointmentId":"A1"}"#, "/appointmentId",
            "not about one appointment"
        ),
    ].map { Refused(#"{"match":\#($0.0),"then":{"status":500}}"#, ("/match" + $0.1, $0.2)) }

    @Test(
        "A malformed rule is refused with its pointer, the reason, and nothing else",
        arguments: documents + identifiers + triggers + effects + tokens + matches
    )
    func refused(document: Refused) throws {
        let error = try #require(throws: FaultError.self) { try rules(document.text) }
        guard case .invalid(let errors) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(errors.map(\.pointer.description) == document.errors.map(\.pointer))
        for (error, expected) in zip(errors, document.errors) {
            #expect(error.reason.contains(expected.reason), "\(error.reason)")
        }
    }

    /// The pointers of everything that is wrong with a document.
    private func pointers(_ text: String) throws -> [String] {
        let error = try #require(throws: FaultError.self) { try rules(text) }
        guard case .invalid(let errors) = error else {
            Issue.record("\(error)")
            return []
        }
        return errors.map(\.pointer.description)
    }

    @Test("All errors in the form of all rules are told at once, in the order of the document")
    func allErrorsOfForm() throws {
        let text = #"""
            [ { "then": { "status": 503 } },
              { "id": "a b", "when": { "first": 0 }, "then": { "status": 1, "retryAfter": -1 } },
              { "ttl": 1, "then": { "transport": "HANG", "drip": { "chunks": "1" } },
                "match": { "oops": 1 } } ]
            """#
        #expect(
            try pointers(text) == [
                "/1/id", "/1/when/first", "/1/then/status", "/1/then/retryAfter", "/2/ttl",
                "/2/then/drip/over", "/2/then/drip/chunks", "/2/match/oops",
            ]
        )
    }

    @Test("So are all errors beyond the form")
    func allErrorsBeyondForm() throws {
        let text = #"""
            [ { "then": { "status": 503 } },
              { "when": { "first": 1, "every": 2 }, "then": { "delay": "soon" } },
              { "match": { "domain": "x", "operation": "y" }, "ttl": "never", "then": {} },
              { "id": "prefer", "then": { "transport": "HANG", "status": 503 }, "sequence": [{}] } ]
            """#
        #expect(
            try pointers(text) == [
                "/1/when/every", "/1/then/delay", "/2/match/domain", "/2/match/operation", "/2/ttl",
                "/2/then", "/3/id", "/3/then", "/3/then/transport", "/3/sequence",
            ]
        )
    }

    @Test("A large document of nonsense gets a bounded answer")
    func boundedErrors() throws {
        for element: JSONValue in [1, ["then": ["delay": "soon"]]] {
            let document = JSONValue.array(Array(repeating: element, count: 5_000))
            let error = try #require(throws: FaultError.self) {
                try FaultRuleReader.sample.rules(document)
            }
            guard case .invalid(let errors) = error else {
                Issue.record("\(error)")
                return
            }
            #expect((1...1_000).contains(errors.count))
        }
    }
}

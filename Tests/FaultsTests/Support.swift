import Faults
import JSON

/// Nanoseconds in a second.
let second: Int64 = 1_000_000_000

extension MatchVocabulary {
    /// A few operations of the contract, spelled as there.
    static let sample = MatchVocabulary(
        operations: [
            .partner("Integrations_ListSites", "Site Settings", "/sites"),
            .partner(
                "Integrations_GetSiteSettings_Summary",
                "Site Settings",
                "/sites/{siteName}",
                "/sites/{siteName}/settings"
            ),
            .partner(
                "Integrations_ListAppointments_Operational",
                "Appointments",
                "/appointments/operational"
            ),
            .partner(
                "Integrations_GetAppointment_Summary",
                "Appointments",
                "/appointments/{appointmentId}"
            ),
            .partner(
                "Integrations_ListPendingReportingAppointmentComments",
                "Reporting",
                "/reporting/appointments/{appointmentId}/comments"
            ),
            .partner(
                "Integrations_CreatePendingReportingAppointmentComment",
                "Reporting",
                methods: ["POST"],
                "/reporting/appointments/{appointmentId}/comments"
            ),
            .partner(
                "Integrations_SubmitPendingReportingAppointmentReport",
                "Reporting",
                methods: ["POST"],
                "/reporting/appointments/{appointmentId}/report"
            ),
            .own("token", methods: ["POST"], "/oauth2/token", knowsDomain: false),
            .own("upload", methods: ["PUT"], "/uploads/{uploadId}", knowsDomain: true),
            .own("download", methods: ["GET", "HEAD"], "/files/{fileId}", knowsDomain: true),
        ],
        domains: ["acme", "globex"],
        clients: ["acme-partner", "acme-referrer", "globex-partner"],
        pathPrefixes: ["/integrations/v1/{domain}", "/_mock/openapi/integrations/v1/{domain}"]
    )

    /// The facts of a request for an operation.
    func facts(
        _ operation: String = "Integrations_ListSites",
        method: String = "GET",
        domain: String? = "acme",
        client: String? = "acme-partner",
        appointmentId: String? = nil
    ) -> RequestFacts {
        RequestFacts(
            operation: index(ofOperation: operation) ?? -1,
            method: method,
            domain: domain,
            client: client,
            appointmentId: appointmentId
        )
    }
}

extension MatchVocabulary.Operation {
    static func partner(
        _ id: String,
        _ tag: String,
        methods: [String] = ["GET", "HEAD"],
        _ paths: String...
    ) -> Self {
        Self(
            id: id,
            isPartnerOperation: true,
            tag: tag,
            methods: methods,
            paths: paths,
            knowsDomain: true,
            knowsClient: true,
            knowsAppointment: paths.contains { $0.contains("{appointmentId}") }
        )
    }

    static func own(_ id: String, methods: [String], _ path: String, knowsDomain: Bool) -> Self {
        Self(
            id: id,
            isPartnerOperation: false,
            tag: nil,
            methods: methods,
            paths: [path],
            knowsDomain: knowsDomain,
            knowsClient: true,
            knowsAppointment: false
        )
    }
}

extension FaultRuleReader {
    /// Rules in the contract's own form, about the operations of `MatchVocabulary.sample`.
    static let sample = FaultRuleReader(form: ruleForm, vocabulary: .sample, defaultSeed: 1)
}

/// The rules of a JSON text, with 1 as the server's seed.
func rules(_ text: String) throws -> [FaultRule] {
    try FaultRuleReader.sample.rules(JSONParser.parse(Array(text.utf8)))
}

/// The rules of a JSON text, armed at time 0.
func plan(_ text: String) throws -> FaultPlan {
    try FaultPlan(rules: rules(text))
}

extension FaultPlan {
    /// Which of so many equal requests at one time met a fault, counted from 1.
    func faulty(of count: Int, now: Int64 = 0, _ facts: RequestFacts? = nil) -> [Int] {
        let facts = facts ?? MatchVocabulary.sample.facts()
        return (1...count).filter { _ in decide(facts, now: now) != nil }
    }
}

extension Check {
    /// What failed checks break, the worst first; a report shows failures in this order.
    ///
    /// Each check stands in one group, and in its group in the order of the catalogue.
    package static let harms: [(harm: String, checks: [String])] = [
        (
            "Data get lost: a write, a report, a file, or a part of a list.",
            [
                "retry.retries-transient", "paging.cursor-verbatim", "paging.stops-at-end",
                "paging.keeps-parameters", "paging.offset-stops", "paging.reads-to-the-end",
                "upload.before-expiry", "upload.content-type", "upload.content-length",
                "upload.size",
                "upload.new-url-after-failure", "upload.stored-after-failure",
                "upload.content-as-promised", "upload.completed", "errors.tolerates-foreign",
                "reporting.report-after-files", "reporting.no-step-back",
                "reporting.each-exam-once",
            ]
        ),
        (
            "Data are written twice, or under a wrong key.",
            [
                "idempotency.key-sent", "idempotency.key-wellformed",
                "idempotency.key-reused-on-retry", "idempotency.payload-stable",
                "idempotency.key-fresh-per-operation", "idempotency.no-duplicate-effect",
                "upload.single-put",
            ]
        ),
        (
            "Names of patients, tokens or secrets come where they do not belong.",
            ["auth.header-only", "upload.no-credentials", "privacy.no-patient-data-in-urls"]
        ),
        (
            "Calls are refused, or the client hangs.",
            [
                "auth.recovers-from-401", "auth.within-domains", "reporting.pending-only",
                "reporting.plausible-time", "transport.times-out", "contract.valid-requests",
                "contract.known-parameters",
            ]
        ),
        (
            "The API gets more load than it needs to.",
            [
                "retry.honours-retry-after", "retry.not-too-late", "retry.pauses",
                "retry.backs-off",
                "retry.jitters", "retry.bounded", "retry.leaves-permanent-errors-alone",
                "auth.token-reused", "auth.no-token-storm", "auth.no-stampede",
                "transport.reuses-connections",
            ]
        ),
        ("Errors are hard to trace.", ["trace.correlation-id"]),
    ]

    /// The place of each check among `harms`.
    private static let ranks: [String: Int] = {
        var ranks: [String: Int] = [:]
        for (rank, group) in harms.enumerated() {
            for id in group.checks { ranks[id] = rank }
        }
        return ranks
    }()

    /// How bad a failure is: the smaller, the worse.
    var rank: Int { Self.ranks[id] ?? Self.harms.count }
}

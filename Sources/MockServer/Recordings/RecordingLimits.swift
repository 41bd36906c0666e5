/// What a recording cannot prove: the checks by id, each with the reason.
package enum RecordingLimits {
    /// Checks that need what only the mock knows.
    package static let unprovable: [String: String] = [
        "errors.tolerates-foreign": "Only the mock knows which answers were not the API's own.",
        "idempotency.no-duplicate-effect": "Only the mock knows what was stored.",
        "auth.within-domains": "A recording does not tell why a call was forbidden.",
        "upload.before-expiry": "A recording does not tell why an upload was refused.",
        "upload.content-type": "A recording does not tell why an upload was refused.",
        "upload.content-as-promised": "Recordings do not keep the octets of files as they were.",
        "reporting.pending-only": "A recording does not tell why an appointment was not found.",
        "reporting.each-exam-once": "Only the mock knows which exams waited.",
        "transport.reuses-connections": "A recording tells the recorder's connections.",
        "transport.times-out": "Only the mock knows which calls it left without an answer.",
        "privacy.no-patient-data-in-urls": "Only the mock knows who its patients are.",
    ]

    /// Checks that need the contents of answers.
    package static let needContents: [String: String] = {
        let reason = "The recording has no contents of answers."
        let ids = [
            "paging.cursor-verbatim", "paging.stops-at-end", "paging.keeps-parameters",
            "paging.offset-stops", "paging.reads-to-the-end", "auth.token-reused",
            "auth.recovers-from-401", "auth.no-stampede", "auth.header-only",
            "upload.new-url-after-failure", "upload.stored-after-failure", "upload.single-put",
            "upload.completed", "reporting.report-after-files",
        ]
        return Dictionary(uniqueKeysWithValues: ids.map { ($0, reason) })
    }()

    /// Checks that need to know why an upload was forbidden, where one was.
    package static let needReasons: [String: String] = {
        let reason = "A recording does not tell why an upload was forbidden."
        let ids = ["upload.new-url-after-failure", "upload.stored-after-failure"]
        return Dictionary(uniqueKeysWithValues: ids.map { ($0, reason) })
    }()
}

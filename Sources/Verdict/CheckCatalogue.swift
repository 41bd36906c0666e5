import Journal

extension Check {
    /// All checks, in the order in which every report lists them.
    package static let all: [Check] =
        retry + idempotency + paging + auth + upload + errors
        + conduct

    /// The check with this id.
    package static func named(_ id: String) -> Check? { all.first { $0.id == id } }

    private static let retrySection = "Retry, idempotency and rate limits"
    private static let pagingSection = "Paging"
    private static let authSection = "Authentication and authorisation"
    private static let uploadSection = "Report attachments: upload URLs"
    private static let reportingSection = "Reporting"
    private static let headerSection = "Shared parameters and headers"
    private static let errorSection = "Errors"
    private static let privacySection = "Personal health information"

    private static let retry: [Check] = [
        Check(
            id: "retry.retries-transient",
            level: .must,
            unit: (
                "temporary failure of a GET, a keyed POST or a token request", "temporary failures"
            ),
            rule: "A GET, a POST with a key or a token request that fails temporarily is "
                + "attempted three times at least, or until it succeeds.",
            basis: .documentation(
                "A GET may be repeated safely; a reporting POST is repeated with its key after a "
                    + "timeout or a transport error, with backoff. That 429 and 5xx count like one is our reading.",
                section: retrySection
            ),
            advice:
                "Retry 429, 500, 502, 503, 504, timeouts and broken connections, at least twice; a POST "
                + "with the same Idempotency-Key and the same content.",
            judge: RetryChecks.retriesTransient
        ),
        Check(
            id: "retry.honours-retry-after",
            level: .must,
            unit: ("retry after an answer with Retry-After", "retries after Retry-After"),
            rule:
                "The next attempt comes no sooner than Retry-After says, in seconds or as a date.",
            basis: .documentation(
                "On 429, wait as long as Retry-After says when it is present.",
                section: retrySection
            ),
            advice:
                "Read Retry-After on 429 and 503, as seconds and as a date, and sleep that long.",
            judge: RetryChecks.honoursRetryAfter
        ),
        Check(
            id: "retry.not-too-late",
            level: .should,
            unit: ("retry after an answer with Retry-After", "retries after Retry-After"),
            rule:
                "After Retry-After the next attempt comes within twice its value and 30 seconds.",
            basis: .goodPractice(
                "Who is told when to come back, and comes much later, keeps people waiting for nothing."
            ),
            advice:
                "Sleep as long as Retry-After says, and some jitter: not until the next run of a job.",
            judge: RetryChecks.notTooLate
        ),
        Check(
            id: "retry.pauses",
            level: .must,
            unit: (
                "retry chain of three or more pauses", "retry chains of three or more pauses"
            ),
            rule: "Without Retry-After there is a pause between one attempt and the next.",
            basis: .documentation(
                "Retries wait exponentially longer, with jitter.",
                section: retrySection
            ),
            advice: "Sleep before each attempt but the first: 100 ms at least, then longer.",
            judge: RetryChecks.pausesBetween
        ),
        Check(
            id: "retry.backs-off",
            level: .must,
            unit: (
                "retry chain of three or more pauses", "retry chains of three or more pauses"
            ),
            rule: "Without Retry-After the pauses between attempts grow.",
            basis: .documentation(
                "Retries wait exponentially longer, with jitter.",
                section: retrySection
            ),
            advice: "Double the pause with every attempt, up to a ceiling.",
            judge: RetryChecks.backsOff
        ),
        Check(
            id: "retry.jitters",
            level: .should,
            unit: ("pause of a client's own", "pauses"),
            rule: "Pauses after like failures differ from one chain to the next.",
            basis: .documentation(
                "Retries wait exponentially longer, with jitter.",
                section: retrySection
            ),
            advice:
                "Multiply each pause by a random factor, so that many clients do not return at once.",
            judge: RetryChecks.jitters
        ),
        Check(
            id: "retry.bounded",
            level: .should,
            unit: ("chain of attempts", "chains of attempts"),
            rule: "A call is attempted ten times at most.",
            basis: .goodPractice("A client that never gives up turns a fault into a flood."),
            advice: "Give up after some attempts and tell whoever waits.",
            judge: RetryChecks.bounded
        ),
        Check(
            id: "retry.leaves-permanent-errors-alone",
            level: .must,
            unit: ("permanent refusal", "permanent refusals"),
            rule:
                "What was refused for good is not sent again unchanged: a POST or PUT not at all, "
                + "a GET not three times in a row.",
            basis: .documentation(
                "Wrong parameters, missing grants, an appointment that does not wait for a report "
                    + "and a key with another payload are refused, each with its own status.",
                section: errorSection
            ),
            advice:
                "Retry only what can pass by itself; report 400, 403, 404, 409, 411, 413 and 415.",
            judge: RetryChecks.leavesPermanentErrorsAlone
        ),
    ]

    private static let idempotency: [Check] = [
        Check(
            id: "idempotency.key-sent",
            level: .should,
            unit: ("reporting POST", "reporting POSTs"),
            rule: "Every reporting POST carries Idempotency-Key.",
            basis: .documentation(
                "Without the header a repeated POST may create a duplicate.",
                section: retrySection
            ),
            advice: "Make a UUID for each operation before its first attempt, and send it.",
            judge: IdempotencyChecks.keySent
        ),
        Check(
            id: "idempotency.key-wellformed",
            level: .must,
            unit: ("idempotency key", "idempotency keys"),
            rule: "A key is 1 to 128 visible ASCII characters, sent once.",
            basis: .documentation(
                "The key is a stable ASCII token of up to 128 characters; a UUID is recommended.",
                section: headerSection
            ),
            advice: "Use a UUID as the key.",
            judge: IdempotencyChecks.keyWellFormed
        ),
        Check(
            id: "idempotency.key-reused-on-retry",
            level: .must,
            unit: ("retry of a keyed POST", "retries of keyed POSTs"),
            rule: "The retry of a POST carries the key of its first attempt.",
            basis: .documentation(
                "After a timeout or a transport error repeat with the same key.",
                section: retrySection
            ),
            advice: "Make the key outside the retry loop and keep it until the call has an answer.",
            judge: IdempotencyChecks.keyReusedOnRetry
        ),
        Check(
            id: "idempotency.payload-stable",
            level: .must,
            unit: ("second use of a key", "repeated uses of a key"),
            rule: "A key that is used again comes with the same payload.",
            basis: .documentation(
                "The same key with another payload is a conflict, 409.",
                section: retrySection
            ),
            advice: "Build the payload once, timestamps included, and send that on every attempt.",
            judge: IdempotencyChecks.payloadStable
        ),
        Check(
            id: "idempotency.key-fresh-per-operation",
            level: .must,
            unit: ("pair of keyed calls to tell apart", "keyed calls to tell apart"),
            rule:
                "Calls for different appointments or of different operations have different keys.",
            basis: .documentation(
                "A key stands for one operation: the same key with the same payload returns the "
                    + "first answer.",
                section: retrySection
            ),
            advice: "Never use an appointment id, a date or a constant as the key.",
            judge: IdempotencyChecks.keyFreshPerOperation
        ),
        Check(
            id: "idempotency.no-duplicate-effect",
            level: .must,
            unit: (
                "write that was repeated after its answer was lost",
                "writes that were repeated after their answers were lost"
            ),
            rule: "A write that is repeated after its answer was lost takes effect once.",
            basis: .documentation(
                "Without the header a repeated POST may create a duplicate.",
                section: retrySection
            ),
            advice:
                "Repeat with the same key and the same payload: the mock answers what you missed.",
            judge: IdempotencyChecks.noDuplicateEffect
        ),
    ]

    private static let paging: [Check] = [
        Check(
            id: "paging.cursor-verbatim",
            level: .must,
            unit: ("nextToken in a request", "nextTokens in requests"),
            rule: "nextToken is sent exactly as it was answered.",
            basis: .documentation(
                "nextToken is opaque: send the value of the previous page; omit it for the first.",
                section: pagingSection
            ),
            advice: "Store nextToken as text, percent-encode it once, and never build one.",
            judge: PagingChecks.cursorVerbatim
        ),
        Check(
            id: "paging.stops-at-end",
            level: .must,
            unit: ("list read to its end", "lists read to their ends"),
            rule:
                "After a page without nextToken no page is asked for with an empty or null token, "
                + "nor one page over and over.",
            basis: .documentation(
                "A list ends where nextToken is empty or omitted.",
                section: pagingSection
            ),
            advice: "Stop when nextToken is null, empty or absent.",
            judge: PagingChecks.stopsAtEnd
        ),
        Check(
            id: "paging.keeps-parameters",
            level: .should,
            unit: ("further page", "further pages"),
            rule: "All pages of a list are asked for with the same path and pageSize.",
            basis: .goodPractice("A cursor is a place in one list, cut into pages of one size."),
            advice: "Change nothing but nextToken from page to page.",
            judge: PagingChecks.keepsParameters
        ),
        Check(
            id: "paging.offset-stops",
            level: .must,
            unit: ("page of an offset list", "pages of offset lists"),
            rule:
                "skip grows by what was received, and a page of fewer than take items is the last.",
            basis: .documentation(
                "Fewer than take elements mean the end of the list.",
                section: pagingSection
            ),
            advice: "Add the number of items received to skip; stop when it is less than take.",
            judge: PagingChecks.offsetStops
        ),
        Check(
            id: "paging.reads-to-the-end",
            level: .should,
            unit: ("list", "lists"),
            rule:
                "A list is read to its end, unless one page of a size of the client's own was wanted.",
            basis: .goodPractice(
                "The first page of a list looks like the list until there are more than a hundred items."
            ),
            advice: "Follow nextToken, or skip and take, until the list ends.",
            judge: PagingChecks.readsToTheEnd
        ),
    ]

    private static let auth: [Check] = [
        Check(
            id: "auth.token-reused",
            level: .should,
            unit: ("caller with two or more API calls", "cases of a token kept or renewed"),
            rule:
                "A new token is asked for after a 401 for the newest one, in its last ten minutes, or "
                + "in the second half of its life.",
            basis: .documentation("An access token lives for 60 minutes.", section: authSection),
            advice: "Keep the token until ten minutes before its end; do not fetch one per call.",
            judge: AuthChecks.tokenReused
        ),
        Check(
            id: "auth.recovers-from-401",
            level: .must,
            unit: ("call with an expired token", "calls with expired tokens"),
            rule:
                "After a 401 for an expired token a new token is fetched, and the call is made again "
                + "with it once; no token that was replaced is sent again.",
            basis: .documentation(
                "An access token lives for 60 minutes, then a new one must be obtained.",
                section: authSection
            ),
            advice: "On 401 fetch one new token and repeat the call once, within a minute.",
            judge: AuthChecks.recoversFrom401
        ),
        Check(
            id: "auth.no-token-storm",
            level: .must,
            unit: ("refusal by the token endpoint", "refusals by the token endpoint"),
            rule:
                "When the token endpoint refuses, it is not asked again in a rush; when the API refuses "
                + "three new tokens in a row, no further one is fetched.",
            basis: .documentation(
                "After an error wait exponentially longer, with jitter.",
                section: retrySection
            ),
            advice: "Back off at the token endpoint too, let one thread ask for all, and after one "
                + "renewal and one repetition tell whoever waits.",
            judge: AuthChecks.noTokenStorm
        ),
        Check(
            id: "auth.no-stampede",
            level: .should,
            unit: ("start of a client", "starts of clients"),
            rule:
                "At the start one token is fetched for all threads, not one by each and thrown away.",
            basis: .goodPractice("Token endpoints limit how often they are asked."),
            advice: "Put a lock around fetching the token, and look again inside it.",
            judge: AuthChecks.noStampede
        ),
        Check(
            id: "auth.header-only",
            level: .must,
            unit: ("request that sent or got a token", "requests that sent or got a token"),
            rule: "A token stands in the Authorization field, never in a URL or a body.",
            basis: .documentation(
                "The token is sent as Authorization: Bearer on every operation.",
                section: authSection
            ),
            advice: "Take the token out of query strings and bodies: both end up in logs.",
            judge: AuthChecks.headerOnly
        ),
        Check(
            id: "auth.within-domains",
            level: .should,
            unit: ("API call", "API calls"),
            rule: "Calls stay within the domains of the token.",
            basis: .documentation(
                "A domain outside the token's claims is refused.",
                section: authSection
            ),
            advice: "Use the domain that you were given together with the credentials.",
            judge: AuthChecks.withinDomains
        ),
    ]

    private static let upload: [Check] = [
        Check(
            id: "upload.before-expiry",
            level: .must,
            unit: ("PUT to an upload URL", "PUTs to upload URLs"),
            rule: "An upload ends before uploadUrlExpiresAtUtc.",
            basis: .documentation(
                "The upload must finish before uploadUrlExpiresAtUtc.",
                section: uploadSection
            ),
            advice:
                "Ask for upload URLs when the file is ready, and compare the time before the PUT.",
            judge: UploadChecks.beforeExpiry
        ),
        uploadRefusal(
            "upload.content-type",
            .uploadContentType,
            "another Content-Type was promised",
            rule: "A PUT has the Content-Type that its URL was asked for with.",
            says: "Where contentType was given, the same Content-Type must be sent.",
            advice: "Keep the contentType of the request beside the URL, and send it."
        ),
        uploadRefusal(
            "upload.content-length",
            .uploadContentLength,
            "it had no Content-Length",
            rule: "A PUT has a Content-Length.",
            says: "The upload is one PUT of the raw bytes, with Content-Length.",
            advice: "Send the file with its length; switch chunked uploads off."
        ),
        uploadRefusal(
            "upload.size",
            .tooLarge,
            "the file is larger than 2 MB",
            rule: "A file has at most 2097152 bytes.",
            says: "An object has at most 2 MB.",
            advice: "Compress or split the file before asking for a URL."
        ),
        Check(
            id: "upload.single-put",
            level: .must,
            unit: ("upload that succeeded", "uploads that succeeded"),
            rule: "After a successful PUT there is no second one to the same URL.",
            basis: .documentation(
                "An upload URL is meant for one successful PUT.",
                section: uploadSection
            ),
            advice: "Forget the URL once the PUT was answered with 200.",
            judge: UploadChecks.singlePut
        ),
        Check(
            id: "upload.new-url-after-failure",
            level: .must,
            unit: ("failed PUT", "failed PUTs"),
            rule:
                "After a PUT that broke off, was answered 5xx or was refused, its URL is not used again.",
            basis: .documentation(
                "After a failure or after the end of a URL ask for a new one.",
                section: uploadSection
            ),
            advice:
                "After a failed PUT go back to the operation that issued the URL, with a new key.",
            judge: UploadChecks.newURLAfterFailure
        ),
        Check(
            id: "upload.stored-after-failure",
            level: .must,
            unit: ("failed upload", "failed uploads"),
            rule:
                "A file whose PUT failed is stored by another one, before the report is submitted.",
            basis: .documentation(
                "After a failure or after the end of a URL ask for a new one.",
                section: uploadSection
            ),
            advice:
                "Do not submit the report before each file has its 200: ask for a new URL with a new "
                + "key and put the file there.",
            judge: UploadChecks.storedAfterFailure
        ),
        Check(
            id: "upload.content-as-promised",
            level: .should,
            unit: ("stored file", "stored files"),
            rule:
                "A file has content, and begins as its type says: %PDF, or DICM behind 128 bytes.",
            basis: .goodPractice(
                "A body that was read once for a failed attempt is empty at the next."
            ),
            advice: "Open the file anew for each attempt, and upload the bytes of the file alone.",
            judge: UploadChecks.contentAsPromised
        ),
        Check(
            id: "upload.no-credentials",
            level: .must,
            unit: ("request to a presigned URL", "requests to presigned URLs"),
            rule: "A request to a presigned URL has no Authorization field.",
            basis: .documentation(
                "Presigned URLs carry their own authority; no bearer token is sent to them.",
                section: uploadSection
            ),
            advice: "Use another HTTP client, or clear its default fields, for presigned URLs.",
            judge: UploadChecks.noCredentials
        ),
        Check(
            id: "upload.completed",
            level: .should,
            unit: ("upload URL", "upload URLs"),
            rule: "Every upload URL gets its content before it expires.",
            basis: .documentation(
                "The attachment exists from the request on; its content only after a successful PUT.",
                section: uploadSection
            ),
            advice:
                "Ask only for the URLs you will use, and use them all; after a failed PUT ask for "
                + "a new one.",
            judge: UploadChecks.completed
        ),
    ]

    private static func uploadRefusal(
        _ id: String,
        _ refusal: JournalRefusal,
        _ words: String,
        rule: String,
        says: String,
        advice: String
    ) -> Check {
        Check(
            id: id,
            level: .must,
            unit: ("PUT to an upload URL", "PUTs to upload URLs"),
            rule: rule,
            basis: .documentation(says, section: uploadSection),
            advice: advice,
            judge: UploadChecks.notRefused(refusal, words)
        )
    }

    private static let errors: [Check] = [
        Check(
            id: "errors.tolerates-foreign",
            level: .must,
            unit: (
                "temporary failure that is not in the API's format (such as HTML of a proxy)",
                "temporary failures that are not in the API's format (such as HTML of a proxy)"
            ),
            rule:
                "A temporary failure is retried whoever answers it: a gateway, a load balancer, a "
                + "proxy, without problem details.",
            basis: .documentation(
                "A GET may be repeated safely; a reporting POST is repeated with its key after a "
                    + "timeout or a transport error, with backoff. That 429 and 5xx count like one is our reading.",
                section: retrySection
            ),
            advice: "Decide by the status alone. Read the content of an error only where its "
                + "Content-Type is application/problem+json, and survive what is no JSON.",
            judge: RetryChecks.toleratesForeign
        )
    ]

    private static let conduct: [Check] = [
        Check(
            id: "reporting.pending-only",
            level: .should,
            unit: ("reporting call for an appointment", "reporting calls for appointments"),
            rule: "Reporting operations are called for appointments that wait for a report.",
            basis: .documentation(
                "404 answers a reporting call for an appointment that is not PENDING REPORTING.",
                section: reportingSection
            ),
            advice: "Take appointment ids from the pending list, and drop those that leave it.",
            judge: ConductChecks.pendingOnly
        ),
        Check(
            id: "reporting.report-after-files",
            level: .should,
            unit: ("report with announced files", "reports with announced files"),
            rule: "A report is submitted when the files that were announced for it are stored.",
            basis: .documentation(
                "The attachment exists from the request on; its content only after a successful PUT.",
                section: uploadSection
            ),
            advice: "Upload first, and submit the report when each PUT was answered with 200.",
            judge: ConductChecks.reportAfterFiles
        ),
        Check(
            id: "reporting.no-step-back",
            level: .should,
            unit: ("report", "reports"),
            rule: "After a final report no preliminary one is submitted for the appointment.",
            basis: .goodPractice("The last report is the one that the referrer reads."),
            advice: "Keep the order of reports: wait for one answer before you submit the next.",
            judge: ConductChecks.noStepBack
        ),
        Check(
            id: "reporting.each-exam-once",
            level: .must,
            unit: ("exam that fell due", "exams that fell due"),
            rule:
                "Where a working day is played, each exam that fell due before the last look at the "
                + "pending list gets one final report.",
            basis: .documentation(
                "The pending list has the appointments in PENDING REPORTING, whenever they came there; "
                    + "its order is not promised.",
                section: reportingSection
            ),
            advice:
                "Read the list to its end each time, and remember the ids that you have reported, not a "
                + "date: exams do not fall due in the order of their times.",
            judge: PlayedDay.eachExamOnce
        ),
        Check(
            id: "reporting.plausible-time",
            level: .should,
            unit: ("report with a time", "reports with times"),
            rule: "reportedAtUtc is no more than five minutes ahead, and no more than a year back.",
            basis: .goodPractice("A local time sent as UTC is hours off, a default date years."),
            advice: "Send the instant at which the report was signed, in UTC.",
            judge: ConductChecks.plausibleTime
        ),
        Check(
            id: "transport.reuses-connections",
            level: .should,
            unit: (
                "client with 20 or more requests to one host", "clients with 20 or more requests"
            ),
            rule:
                "No connection is opened while another one to the same host is idle (allowed: one in five "
                + "requests).",
            basis: .goodPractice("Setting up TLS costs more than most of these calls."),
            advice: "Keep one HTTP client or session object, and read every answer to its end.",
            judge: ConductChecks.reusesConnections
        ),
        Check(
            id: "transport.times-out",
            level: .must,
            unit: ("silence of the server", "silences of the server"),
            rule: "A client gives up on a silent server within 120 s.",
            basis: .documentation(
                "After a timeout repeat with the same key: so there must be a timeout.",
                section: retrySection
            ),
            advice: "Set a timeout for connecting and one for the whole answer.",
            judge: ConductChecks.timesOut
        ),
        Check(
            id: "contract.valid-requests",
            level: .must,
            unit: ("API call", "API calls"),
            rule: "Requests keep to the contract.",
            basis: .documentation(
                "Parameters and bodies have the types, lengths and values that the reference names.",
                section: headerSection
            ),
            advice:
                "Hold the request against the reference. While the server runs, "
                + "/__admin/requests/{id}/explain shows what would have been right.",
            judge: ConductChecks.validRequests
        ),
        Check(
            id: "contract.known-parameters",
            level: .should,
            unit: ("API call", "API calls"),
            rule: "Query parameters are those of the operation.",
            basis: .goodPractice(
                "An unknown parameter is ignored, so that a filter with a slip in its name filters nothing."
            ),
            advice: "Compare the names with the reference, letter by letter.",
            judge: ConductChecks.knownParameters
        ),
        Check(
            id: "privacy.no-patient-data-in-urls",
            level: .must,
            unit: ("request", "requests"),
            rule:
                "No full patient name and no Medicare number stands in a path, query, correlation id, "
                + "Idempotency-Key, User-Agent or Referer.",
            basis: .documentation(
                "Answers hold patients' names and dates of birth; they must not be logged or kept "
                    + "longer than needed.",
                section: privacySection
            ),
            advice: "Use ids in URLs and fields: every proxy on the way logs them.",
            judge: ConductChecks.noPatientDataInURLs
        ),
        Check(
            id: "trace.correlation-id",
            level: .should,
            unit: ("API call", "API calls"),
            rule: "X-Correlation-Id is sent, and tells calls that run at once apart.",
            basis: .documentation(
                "X-Correlation-Id may be sent, and is echoed on the answer.",
                section: headerSection
            ),
            advice: "Send a fresh id with every call and log it: support will ask for it.",
            judge: ConductChecks.correlationID
        ),
    ]
}

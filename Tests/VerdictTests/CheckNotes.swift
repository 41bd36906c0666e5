import Verdict

/// What docs/checks.md says of a check beside its catalogue entry.
struct CheckNotes {
    /// Numbers of the rule, each with its reason; empty where the rule has none.
    let thresholds: String
    /// What is not judged, or not counted.
    let notJudged: String

    init(_ thresholds: String, not notJudged: String) {
        self.thresholds = thresholds
        self.notJudged = notJudged
    }

    private static func seconds(_ nanoseconds: Double) -> String {
        "\(Int(nanoseconds / 1_000_000)) ms"
    }

    /// By the id of the check.
    static let all: [String: CheckNotes] = [
        "retry.retries-transient": CheckNotes(
            "Three attempts, since an outage of a second or two outlives one repetition. Two minutes of patience: nobody "
                + "need wait longer than that for Retry-After. A client that leaves within a second has not timed out: "
                + "nobody wanted the answer any more. Fifteen minutes later, a request is a new one. An answer that breaks "
                + "off inside a list is a broken connection, too.",
            not:
                "A wait of more than two minutes, or one that is not over; a failure less than 60 s before the command was "
                + "stopped; a call given up within a second. Not counted: a POST without a key; a call that a twin, another "
                + "program started later, or the same list begun anew has answered."
        ),
        "retry.honours-retry-after": CheckNotes(
            "50 ms or 2 % of the wait, whichever is more, are forgiven: timers are that coarse. An attempt with another key "
                + "is an attempt.",
            not:
                "The session's clock was moved, or its records changed, between the attempts; a date, where the clock had "
                + "been set. Not counted: the next request of a poller, and what another caller sends."
        ),
        "retry.not-too-late": CheckNotes(
            "Twice the value, since jitter of all of it is common; 30 s more, since a short value says little beside the "
                + "pace of a queue.",
            not:
                "The session's clock was moved, or its records changed, between the attempts. Not counted: the next request "
                + "of a poller, what another caller sends, and whoever never comes back: another check says that."
        ),
        "retry.pauses": CheckNotes(
            "\(PauseRules.pausesInARow) pauses in a row below "
                + "\(seconds(Double(PauseRules.shortestPause))): full jitter from 100 ms on draws that once in ten "
                + "thousand chains.",
            not:
                "Never. Chains with fewer pauses of the client's own are not counted, nor are pauses after Retry-After. A "
                + "chain goes on where the key changes."
        ),
        "retry.backs-off": CheckNotes(
            "\(PauseRules.chainsForGrowth) chains of \(PauseRules.pausesForGrowth) pauses after like failures, since jitter "
                + "alone can shrink one; they are compared as far as all of them reach. The last pauses are "
                + "\(PauseRules.ratioOfGrowth) times the first on average where they grow (doubling makes four of it), and "
                + "\(PauseRules.certaintyOfGrowth) standard errors more than they where jitter is large. They are up to "
                + "\(PauseRules.ratioWithoutGrowth) times the first where they do not grow, if pauses at one place deviate by "
                + "\(Int(PauseRules.deviationThatHides * 100)) % of their mean at most: more of it hides growth, as the random "
                + "second does that stamina adds to a tenth, two and four tenths. Last pauses that are shorter by "
                + "\(Int(PauseRules.certaintyOfShrinking)) standard errors shrink. Below "
                + "\(seconds(PauseRules.measurable)) the machine's own delays are what is measured. The table at the end of "
                + "this page has the rates of false alarms and misses.",
            not:
                "Too few chains; pauses too short to compare; a ratio between the two; jitter that would hide growth. Only "
                + "pauses after like failures are compared, and none after Retry-After."
        ),
        "retry.jitters": CheckNotes(
            "\(PauseRules.comparisonsForSpread) comparisons of pauses at the same place after the same kind of failure. "
                + "Jitter deviates by \(seconds(PauseRules.leastJitter)) and "
                + "\(Int(PauseRules.shareOfJitter * 100)) % of the mean at least; up to "
                + "\(Int(PauseRules.shareWithoutJitter * 100)) % the pauses are the same. A busy machine alone makes half of "
                + "that.",
            not: "Too few comparisons, and what lies between. Not counted: the rhythm of a poller."
        ),
        "retry.bounded": CheckNotes(
            "Ten attempts: with doubling pauses from 100 ms on they span almost a minute.",
            not:
                "Never. Not counted: attempts that came when Retry-After had asked for them, and what a poller asks in "
                + "its rhythm."
        ),
        "retry.leaves-permanent-errors-alone": CheckNotes(
            "60 s for a POST or PUT: after a minute somebody may have mended what was wrong. Three reads in a row within 10 s "
                + "are a loop; one repetition may look whether the appointment has come.",
            not:
                "The session's clock was moved, or its records changed, in between. Another caller's request is another's."
        ),
        "errors.tolerates-foreign": CheckNotes(
            "Three attempts, as for the API's own failures.",
            not:
                "As for the API's own failures. Not counted: statuses that the API does not have, such as 522, and pages "
                + "under 200; `retry.retries-transient` counts the others."
        ),
        "idempotency.key-sent": CheckNotes("", not: "Never."),
        "idempotency.key-wellformed": CheckNotes(
            "",
            not: "Never. Requests without a key are not counted."
        ),
        "idempotency.key-reused-on-retry": CheckNotes(
            "Fifteen minutes: later, the same words are a new wish.",
            not:
                "Never. Not counted: the same words from another caller, or from a program started again."
        ),
        "idempotency.payload-stable": CheckNotes(
            "As long as the key is kept: 24 hours, 15 minutes for upload URLs.",
            not: "The session's records or its ledger were changed in between."
        ),
        "idempotency.key-fresh-per-operation": CheckNotes(
            "As long as the key is kept.",
            not: "Never. One target alone has nothing to tell apart, and is not counted."
        ),
        "idempotency.no-duplicate-effect": CheckNotes(
            "A minute: another payload for the same appointment within that time may be the lost one, said otherwise.",
            not:
                "Another payload follows a lost answer, and nothing shows that the lost one was settled; another program "
                + "writes the same; the key was forgotten before the repetition; records were changed in between."
        ),
        "paging.cursor-verbatim": CheckNotes("", not: "Never."),
        "paging.stops-at-end": CheckNotes(
            "One page four times, for each time that it was offered, is a loop: once or twice is the Back button.",
            not: "Never. Lists that are left before their end are not counted."
        ),
        "paging.keeps-parameters": CheckNotes(
            "",
            not:
                "Never. Where programs with pages of different sizes come to one place, each goes on from its own page."
        ),
        "paging.offset-stops": CheckNotes(
            "Pages that overlap by half a page at most lose nothing. A gap of more than a page is a jump.",
            not: "Pages of one list asked for at the same time, and a jump, are left out."
        ),
        "paging.reads-to-the-end": CheckNotes(
            "",
            not:
                "The command was stopped less than 60 s after the last page. Not counted: one page whose size the client "
                + "asked for, and lists that are begun in the middle."
        ),
        "auth.token-reused": CheckNotes(
            "Ten minutes before the end, or half of the life where that is more: libraries renew at three quarters of it.",
            not:
                "Never. Not counted: a token asked for while an older one stays in use, which has another owner."
        ),
        "auth.recovers-from-401": CheckNotes(
            "A minute, since the documentation asks for no more than a new token.",
            not:
                "The session's clock was moved within the life of the token, and nothing followed: who renews by expires_in "
                + "could not know; the command was stopped within a minute. HEAD is not counted. A second 401 for the renewed "
                + "token is the server's."
        ),
        "auth.no-token-storm": CheckNotes(
            "Three pauses of 80 ms together, five of 400 ms, nine of 3 s: full jitter from 100 ms on stays below these in "
                + "less than one run of a hundred. A wait as long as Retry-After said begins the count anew. The fourth token "
                + "in a row that the API refuses, within a minute each, is one too many.",
            not:
                "Never. Token requests that succeed are no storm, however many: that is `auth.token-reused`."
        ),
        "auth.no-stampede": CheckNotes(
            "Two tokens that nobody uses, of those fetched in the first two seconds before any call: one may be chance.",
            not: "Never. Several programs, each with a token that it uses, are right."
        ),
        "auth.header-only": CheckNotes(
            "",
            not:
                "Never. Only tokens that were issued here are looked for: a JWT of somebody else in a report is its text."
        ),
        "auth.within-domains": CheckNotes("", not: "Never."),
        "upload.before-expiry": CheckNotes(
            "",
            not: "The session's clock was moved after the URL had been given out."
        ),
        "upload.content-type": CheckNotes(
            "",
            not: "Never. Letter case makes no difference; parameters do."
        ),
        "upload.content-length": CheckNotes("", not: "Never."),
        "upload.size": CheckNotes(
            "2,097,152 bytes: the documentation's 2 MB, read generously.",
            not: "Never."
        ),
        "upload.single-put": CheckNotes("", not: "Never. URLs whose PUT failed are not counted."),
        "upload.new-url-after-failure": CheckNotes(
            "",
            not:
                "Never. A PUT refused for what the client sent (type, length) may be sent right to the same URL."
        ),
        "upload.stored-after-failure": CheckNotes(
            "",
            not:
                "The command was stopped less than 60 s after the failure. Files of one appointment are taken for tries at one "
                + "another, unless their URLs were given out together."
        ),
        "upload.content-as-promised": CheckNotes(
            "%PDF within the first 1,024 bytes, where readers look for it; DICM behind 128 bytes (PS3.10 §7.1).",
            not: "Never. Other types are not looked into."
        ),
        "upload.no-credentials": CheckNotes("", not: "Never."),
        "upload.completed": CheckNotes(
            "",
            not:
                "The session's clock was set and the URL never used: its end says nothing to a client; the command was stopped "
                + "within 60 s. A URL that was replaced by a new one is not counted."
        ),
        "reporting.pending-only": CheckNotes(
            "",
            not:
                "A 404 because another caller has reported; where a working day is played, a 404 for what left the list "
                + "after the client had last looked there."
        ),
        "reporting.report-after-files": CheckNotes(
            "",
            not:
                "Never. Of files announced over connections that are in use side by side, those of the report's own count."
        ),
        "reporting.no-step-back": CheckNotes(
            "",
            not:
                "Two programs or threads reported on one appointment: their connections were in use side by side, or two "
                + "calls with the token were under way at once. A reset in between begins anew."
        ),
        "reporting.each-exam-once": CheckNotes(
            "A look counts when it came to the end of the list, and from the time of its first page: what falls due while the "
                + "list is read may stand on a page that has been read. A repetition with the same key is one report.",
            not:
                "Other scenarios than those that play a working day. An exam that left the list before the client reported "
                + "it; reports of two programs or threads on one exam; what waited already when the program was started "
                + "again, or fell due within its first look; what only the last look before the command was stopped could show; a missing report where the "
                + "journal overflowed."
        ),
        "reporting.plausible-time": CheckNotes(
            "Five minutes ahead, since clocks differ; 366 days back, since some reports wait that long for a signature.",
            not: "The session's clock was moved. A report without a time is not counted."
        ),
        "transport.reuses-connections": CheckNotes(
            "Twenty requests of a caller to one host, since fewer cost little. A connection counts as wasted when another "
                + "of the caller had been idle for 50 ms: a pool that opens many at once has not found out yet that one "
                + "would do. One in five requests may waste one.",
            not:
                "Fewer than twenty requests. A connection that the server has ended, or would end within 250 ms by "
                + "`--idle-timeout`, is not idle; nor is one whose answer was cut."
        ),
        "transport.times-out": CheckNotes(
            "120 s: longer than any answer takes, shorter than the patience of whoever waits.",
            not:
                "The command was stopped while it waited; the silence ended before 120 s; the verdict was asked for while the "
                + "client waits."
        ),
        "contract.valid-requests": CheckNotes(
            "A call with a token counts, too, where the contract has no such path or method.",
            not:
                "Never. A nextToken that has aged out is no mistake the first time; sending it again is one. What a fault "
                + "answers is not counted."
        ),
        "contract.known-parameters": CheckNotes("", not: "Never."),
        "privacy.no-patient-data-in-urls": CheckNotes(
            "Given and family name together, in any order, decoded up to four times.",
            not: "Never. One of the two names alone is no finding: it may be a word."
        ),
        "trace.correlation-id": CheckNotes(
            "",
            not: "Never. One id for calls after one another is fine."
        ),
    ]

    /// The cases that could be decided otherwise, and how they are.
    static let decisions: [(number: String, decision: String)] = [
        (
            "D34",
            "Upload URLs asked for anew with the same key when the key has been forgotten: not judged. What was made first is of "
                + "no use any more."
        ),
        ("D35", "A call closed within a second and never repeated: not judged. Somebody has left."),
        (
            "D36",
            "A poller (three beats or more, half a second or longer) keeps its rhythm over failures: its next request is no retry, "
                + "so it needs no jitter and no bound. Retry-After does not bind its rhythm either."
        ),
        (
            "D37",
            "Offset pages that overlap by half a page at most lose nothing; a jump over more than a page is a reader's; a smaller "
                + "gap fails."
        ),
        (
            "D38",
            "Where the clock was set, dates say nothing: an upload URL that was never used is not judged."
        ),
        ("D39", "Renewal from half of a token's life on, or in its last ten minutes, is right."),
        (
            "D40",
            "Back-off of half a second, one and two seconds at the token endpoint is no storm: what counts is haste."
        ),
        (
            "D41",
            "One key with `1` and then `1.0`: 409, and `idempotency.payload-stable` fails. The documentation says the same "
                + "payload; a client that keeps its bytes is safe, and equal numbers are not equal to every reader."
        ),
        ("D42", "HEAD with 401 asks how things are; no repetition is asked for."),
        (
            "D43",
            "A part of a token as correlation id or key is marked in the journal (`token-in-request-id`) and not judged: "
                + "a digest-like id may look like one."
        ),
        ("D44", "A byte order mark is named in the refusal; the request is invalid."),
        (
            "D45",
            "A 404 because another caller has reported is not judged; for one's own report it fails."
        ),
        (
            "D46",
            "One correlation id for two different calls at once fails (a should): an id that names two calls finds neither in a "
                + "log. Send the id of the business transaction elsewhere."
        ),
        (
            "D50",
            "Retry-After that is neither seconds nor a date of RFC 9110 (a word, a fraction, a sign, two lines) tells nothing: the "
                + "client's own back-off is judged. A date that is past asks for no wait; the obsolete forms of dates count."
        ),
        (
            "D51",
            "Other ends of lists are a matter of readings (`page-end`), and none of the verdict."
        ),
        (
            "D52",
            "Presigned URLs that need encoding are a reading (`storage`); the verdict judges what became of the transfers."
        ),
        (
            "D53",
            "A second request while the first one runs waits for its answer. Where the reading `duplicate-in-flight` answers 409, a "
                + "repetition is right: that 409 passes."
        ),
        (
            "D54",
            "Retry-After while the clock is moved in between is not judged: nobody can tell a client that slept from a harness that "
                + "moved time."
        ),
        (
            "D61",
            "Names and Medicare numbers in Idempotency-Key, User-Agent or Referer fail: proxies log them as URLs."
        ),
        (
            "D62",
            "Other calls while one is told to wait are not judged: Retry-After speaks of the request that it answers."
        ),
        (
            "D63",
            "A list whose further pages were never asked for fails `paging.reads-to-the-end`, unless the client asked for one page "
                + "of a size of its own."
        ),
        (
            "D64",
            "Many tokens at the start fail `auth.no-stampede` where two or more of them are never used; programs that each use "
                + "theirs are right."
        ),
        (
            "D65",
            "Stored empty files, PDFs without `%PDF` and DICOM files without `DICM` fail a should."
        ),
        ("D66", "reportedAtUtc more than five minutes ahead or a year back fails a should."),
        ("D67", "A preliminary report over a final one fails a should, for one caller."),
    ]
}

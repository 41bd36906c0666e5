import Journal
import Testing
import Verdict

/// One hand-built journal, and what its verdict must be.
struct CheckCase: CustomTestStringConvertible {
    let check: String
    let name: String
    let outcome: CheckResult.Outcome
    /// Other checks that fail with it.
    let implied: Set<String>
    let story: Story

    init(
        _ check: String,
        _ outcome: CheckResult.Outcome,
        _ name: String,
        implied: Set<String> = [],
        _ tell: (inout Story) -> Void
    ) {
        self.check = check
        self.name = name
        self.outcome = outcome
        self.implied = implied
        var story = Story()
        tell(&story)
        self.story = story
    }

    var testDescription: String { "\(check) \(outcome.rawValue): \(name)" }
}

extension CheckCase {
    static let all: [CheckCase] =
        retry + pauses + permanent + foreign + keys + effects + cursors + offsets + tokens + grants
        + uploads
        + conduct + traces

    // MARK: Errors

    private static let foreign: [CheckCase] = [
        CheckCase("errors.tolerates-foreign", .notExercised, "the API itself fails") {
            $0.call(Story.sites, status: 503) { $0.inject() }
            $0.wait(0.5)
            $0.call(Story.sites)
        },
        CheckCase("errors.tolerates-foreign", .pass, "the page of a proxy, then 200") {
            $0.call(Story.sites, status: 502) { $0.answerForeign() }
            $0.wait(0.5)
            $0.call(Story.sites)
        },
        CheckCase("errors.tolerates-foreign", .pass, "given up after two retries") {
            for _ in 1...3 {
                $0.call(Story.sites, status: 502) { $0.answerForeign() }
                $0.wait(0.5)
            }
        },
        CheckCase("errors.tolerates-foreign", .fail, "the page of a proxy and no more") {
            $0.call(Story.sites, status: 502) { $0.answerForeign() }
            $0.call(Story.summary)
        },
        CheckCase("errors.tolerates-foreign", .notJudged, "told to come back in an hour") {
            $0.call(Story.sites, status: 429) {
                $0.answerForeign()
                $0.details.retryAfter = .init(seconds: 3_600)
            }
        },
        CheckCase("errors.tolerates-foreign", .fail, "a keyed POST is given up") {
            $0.post(key: "k", status: 504) { $0.answerForeign(.after) }
        },
        CheckCase("errors.tolerates-foreign", .fail, "a token request is given up") {
            $0.tokenRequest(status: 429) { $0.answerForeign() }
        },
        CheckCase("errors.tolerates-foreign", .notExercised, "a refusal is no passing failure") {
            $0.call(Story.sites, status: 403) { $0.answerForeign() }
        },
        CheckCase("errors.tolerates-foreign", .notExercised, "a status of the edge's own") {
            $0.call(Story.sites, status: 522) { $0.answerForeign() }
        },
        CheckCase("errors.tolerates-foreign", .notExercised, "the page of a guest network") {
            $0.call(Story.sites) {
                $0.details.fault = JournalFault(
                    rule: "f",
                    phase: .before,
                    effects: [.edge, .content]
                )
            }
            $0.wait(0.5)
            $0.call(Story.sites)
        },
    ]

    // MARK: Retries

    private static let retry: [CheckCase] = [
        CheckCase("retry.retries-transient", .notExercised, "all is well") { $0.call(Story.sites) },
        CheckCase("retry.retries-transient", .pass, "503, then 200") {
            $0.call(Story.sites, status: 503)
            $0.wait(0.5)
            $0.call(Story.sites)
        },
        CheckCase("retry.retries-transient", .fail, "503 and no more") {
            $0.call(Story.sites, status: 503)
            $0.call(Story.summary)
        },
        CheckCase("retry.retries-transient", .fail, "given up after one retry") {
            $0.call(Story.sites, status: 503)
            $0.wait(0.5)
            $0.call(Story.sites, status: 503)
        },
        CheckCase("retry.retries-transient", .pass, "given up after two retries") {
            for _ in 1...3 {
                $0.call(Story.sites, status: 503)
                $0.wait(0.5)
            }
        },
        CheckCase("retry.retries-transient", .fail, "the connection broke") {
            $0.call(Story.sites) { $0.cut() }
        },
        CheckCase("retry.retries-transient", .fail, "the client gave up") {
            $0.call(Story.sites, status: nil, takes: 5) { $0.delivery = .clientLeft }
        },
        CheckCase("retry.retries-transient", .fail, "a token request is given up") {
            $0.tokenRequest(status: 429) { $0.details.retryAfter = .init(seconds: 1) }
        },
        CheckCase("retry.retries-transient", .fail, "another query is another call") {
            $0.call(Story.sites, status: 503) { $0.queryDigest = Story.digest("a=1") }
            $0.wait(1)
            $0.call(Story.sites) { $0.queryDigest = Story.digest("a=2") }
        },
        CheckCase("retry.retries-transient", .fail, "sixteen minutes later is no retry") {
            $0.call(Story.sites, status: 503)
            $0.wait(16 * 60)
            $0.call(Story.sites)
        },
        CheckCase(
            "retry.retries-transient",
            .notExercised,
            "a POST without a key may stay failed",
            implied: ["idempotency.key-sent"]
        ) { $0.post(key: nil, status: 503) },
        CheckCase(
            "retry.retries-transient",
            .notExercised,
            "400 is no passing failure",
            implied: ["contract.valid-requests"]
        ) { $0.call(Story.sites, status: 400) },
        CheckCase("retry.retries-transient", .pass, "a keyed POST is repeated with its key") {
            $0.post(key: "k", status: 503)
            $0.wait(0.5)
            $0.post(key: "k")
        },
        CheckCase(
            "retry.retries-transient",
            .notExercised,
            "a POST repeated with another key is repeated",
            implied: ["idempotency.key-reused-on-retry"]
        ) {
            $0.post(key: "k", status: 503)
            $0.wait(0.5)
            $0.post(key: "k2")
        },
        CheckCase("retry.retries-transient", .pass, "a server that hears late that the client left")
        {
            $0.call(Story.sites, status: nil, takes: 8.8) {
                $0.requestID = "c"
                $0.delivery = .clientLeft
            }
            $0.wait(-0.5)
            $0.call(Story.sites) { $0.requestID = "c" }
        },
        CheckCase("retry.retries-transient", .fail, "the same words before are no repetition") {
            $0.post(key: "k")
            $0.wait(0.5)
            $0.post(key: "k2", status: 503)
        },
        CheckCase("retry.honours-retry-after", .notExercised, "no Retry-After") {
            $0.call(Story.sites, status: 503)
            $0.wait(0.5)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "waited in full") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(2)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "40 ms too early are forgiven") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(1.96)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .fail, "60 ms too early are not") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(1.94)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "of 10 s two percent are forgiven") {
            $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 10) }
            $0.wait(9.81)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .notExercised, "Retry-After of a 500 has no meaning")
        {
            $0.call(Story.sites, status: 500) { $0.details.retryAfter = .init(seconds: 10) }
            $0.wait(0.5)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "a date, waited for to the instant") {
            let date = ($0.now + $0.clockLead + 1.4) * 1e9
            $0.call(Story.sites, status: 429) {
                $0.details.retryAfter = .init(seconds: 2, date: Int64(date))
            }
            $0.wait(1.4)
            $0.call(Story.sites)
        },
        CheckCase(
            "retry.honours-retry-after",
            .fail,
            "another key, and no waiting",
            implied: ["idempotency.key-reused-on-retry"]
        ) {
            $0.post(key: "k1", status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.post(key: "k2")
        },
        CheckCase(
            "retry.honours-retry-after",
            .pass,
            "another key, in time",
            implied: ["idempotency.key-reused-on-retry"]
        ) {
            $0.post(key: "k1", status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(2)
            $0.post(key: "k2")
        },
        CheckCase("retry.honours-retry-after", .fail, "a date that was not understood") {
            let date = ($0.now + $0.clockLead + 1.9) * 1e9
            $0.call(Story.sites, status: 429) {
                $0.details.retryAfter = .init(seconds: 2, date: Int64(date))
            }
            $0.wait(0.2)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .notJudged, "the clock was moved in between") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.advanceClock(60)
            $0.wait(0.2)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .notJudged, "a date by a clock that was set") {
            $0.advanceClock(3600)
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2, date: 0) }
            $0.wait(0.2)
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "of two readings the kinder one is taken") {
            $0.call(Story.sites, status: 429, takes: 0.1) {
                $0.details.retryAfter = .init(seconds: 2)
            }
            $0.now -= 0.05
            $0.connection = 2
            $0.call(Story.sites, status: 503, takes: 0.1)
            $0.wait(0.3)
            $0.call(Story.sites)
            $0.wait(1.7)
            $0.connection = 1
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .notExercised, "no Retry-After") {
            $0.call(Story.sites, status: 503)
            $0.wait(60)
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .pass, "33 s after it was told to wait 2 s") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(33)
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .fail, "35 s after it was told to wait 2 s") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.wait(35)
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .pass, "twenty minutes after it was told to wait ten") {
            $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 600) }
            $0.wait(1_200)
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .notJudged, "the clock was moved in between") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 2) }
            $0.advanceClock(60)
            $0.wait(40)
            $0.call(Story.sites)
        },
        CheckCase("retry.not-too-late", .notExercised, "it never comes back") {
            $0.call(Story.sites, status: 429) { $0.details.retryAfter = .init(seconds: 200) }
        },
        CheckCase("retry.bounded", .notExercised, "no retry") { $0.call(Story.sites) },
        CheckCase("retry.bounded", .pass, "ten attempts") {
            for attempt in 1...10 {
                $0.call(Story.sites, status: attempt < 10 ? 503 : 200)
                $0.wait(1)
            }
        },
        CheckCase("retry.bounded", .fail, "eleven attempts") {
            for attempt in 1...11 {
                $0.call(Story.sites, status: attempt < 11 ? 503 : 200)
                $0.wait(1)
            }
        },
        CheckCase("retry.retries-transient", .fail, "nonsense in Retry-After is no excuse") {
            $0.call(Story.sites, status: 503) { $0.details.retryAfter = .init(nonsense: "soon") }
        },
        CheckCase("retry.honours-retry-after", .notExercised, "nonsense tells nothing") {
            for text in ["soon", "", "2.5", "-2", "2, Sun, 06 Nov 1994 08:49:37 GMT"] {
                $0.call(Story.sites, status: 429) {
                    $0.details.retryAfter = .init(nonsense: text)
                }
                $0.wait(0.1)
            }
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .pass, "a date that is past asks for no wait") {
            $0.call(Story.sites, status: 503) {
                $0.details.retryAfter = .init(seconds: 0, date: 784_111_777 * 1_000_000_000)
            }
            $0.call(Story.sites)
        },
        CheckCase("retry.honours-retry-after", .fail, "the last date of all is far away") {
            $0.call(Story.sites, status: 503) {
                $0.details.retryAfter = .init(seconds: 251_000_000_000, date: .max)
            }
            $0.wait(60)
            $0.call(Story.sites)
        },
    ]

    /// Chains of four attempts on different paths, with these pauses.
    private static func chains(_ pauses: [[Double]], _ story: inout Story) {
        for (number, chain) in pauses.enumerated() {
            for pause in chain {
                story.call(Story.summary, on: "A\(number)", status: 503)
                story.wait(pause)
            }
            story.call(Story.summary, on: "A\(number)")
        }
    }

    private static let growing = [
        [0.10, 0.21, 0.40], [0.12, 0.18, 0.43], [0.08, 0.22, 0.37], [0.11, 0.15, 0.50],
        [0.09, 0.25, 0.32], [0.10, 0.20, 0.41],
    ]

    /// Chains with these pauses, the first three after statuses, the others after broken connections.
    private static func mixedChains(_ pauses: [[Double]], _ story: inout Story) {
        for (number, chain) in pauses.enumerated() {
            for pause in chain {
                story.call(Story.summary, on: "A\(number)", status: number < 3 ? 503 : nil) {
                    if number >= 3 { $0.cut() }
                }
                story.wait(pause)
            }
            story.call(Story.summary, on: "A\(number)")
        }
    }

    private static let pauses: [CheckCase] = [
        CheckCase("retry.pauses", .notExercised, "two pauses are no habit") {
            chains([[0, 0]], &$0)
        },
        CheckCase("retry.pauses", .pass, "three pauses") { chains([[0.1, 0.2, 0.4]], &$0) },
        CheckCase("retry.pauses", .pass, "the first repetition comes at once") {
            chains([[0, 0.1, 0.2]], &$0)
        },
        CheckCase("retry.pauses", .pass, "jitter makes two short ones") {
            chains([[0.004, 0.008, 0.2, 0.001, 0.009, 0.3]], &$0)
        },
        CheckCase("retry.pauses", .fail, "eight attempts without a pause") {
            chains([[0, 0.001, 0.001, 0, 0, 0.002, 0]], &$0)
        },
        CheckCase(
            "retry.pauses",
            .fail,
            "a new key for each of four attempts without a pause",
            implied: ["idempotency.key-reused-on-retry"]
        ) { story in
            for number in 1...4 { story.post(key: "k\(number)", status: 503) }
        },
        CheckCase("retry.pauses", .fail, "three pauses of 9 ms in the middle") {
            chains([[0.2, 0.009, 0.009, 0.009, 0.2]], &$0)
        },
        CheckCase("retry.pauses", .fail, "Retry-After holds no number, and nothing is waited") {
            for _ in 1...4 {
                $0.call(Story.sites, status: 503) {
                    $0.details.retryAfter = .init(nonsense: "soon")
                }
            }
            $0.call(Story.sites)
        },
        CheckCase("retry.pauses", .notExercised, "Retry-After: 0 was answered") { story in
            for _ in 1...4 {
                story.call(Story.sites, status: 503) { $0.details.retryAfter = .init(seconds: 0) }
            }
            story.call(Story.sites)
        },
        CheckCase("retry.backs-off", .notExercised, "chains of one pause") {
            chains([[0.1], [0.12], [0.15]], &$0)
        },
        CheckCase("retry.backs-off", .notJudged, "five chains are too few") {
            chains(Array(growing.prefix(5)), &$0)
        },
        CheckCase("retry.backs-off", .pass, "six chains of growing pauses") {
            chains(growing, &$0)
        },
        CheckCase("retry.backs-off", .pass, "one shrinks by jitter") {
            chains(Array(growing.prefix(5)) + [[0.3, 0.2, 0.15]], &$0)
        },
        CheckCase("retry.backs-off", .fail, "six chains of shrinking pauses") {
            chains(growing.map { $0.reversed() }, &$0)
        },
        CheckCase(
            "retry.backs-off",
            .fail,
            "constant pauses, the last longer by microseconds",
            implied: ["retry.jitters"]
        ) {
            chains(Array(repeating: [0.4, 0.4, 0.400_2], count: 6), &$0)
        },
        CheckCase("retry.backs-off", .notJudged, "a third more may be chance") {
            chains(
                [
                    [0.3, 0.3, 0.4], [0.35, 0.3, 0.45], [0.25, 0.3, 0.35], [0.3, 0.4, 0.4],
                    [0.3, 1, 0.4],
                ],
                &$0
            )
        },
        CheckCase(
            "retry.backs-off",
            .notJudged,
            "the machine is slower than the client",
            implied: ["retry.jitters"]
        ) {
            chains(Array(repeating: [0.02, 0.03, 0.045], count: 6), &$0)
        },
        CheckCase(
            "retry.backs-off",
            .notExercised,
            "failures of two kinds have two scales",
            implied: ["retry.jitters"]
        ) {
            story in
            for number in 1...6 {
                for (place, pause) in [0.0, 2, 0].enumerated() {
                    story.call(Story.summary, on: "A\(number)", status: 503) {
                        if place != 1 { $0.cut() }
                    }
                    story.wait(pause)
                }
                story.call(Story.summary, on: "A\(number)")
            }
        },
        CheckCase("retry.backs-off", .notExercised, "Retry-After governs the pauses") { story in
            for number in 1...6 {
                for pause in [2.0, 1.0, 1.0] {
                    story.call(Story.summary, on: "A\(number)", status: 429) {
                        $0.details.retryAfter = .init(seconds: Int(pause))
                    }
                    story.wait(pause)
                }
                story.call(Story.summary, on: "A\(number)")
            }
        },
        CheckCase("retry.jitters", .notJudged, "three chains are too few") {
            chains([[0.1, 0.2], [0.13, 0.22], [0.11, 0.25]], &$0)
        },
        CheckCase("retry.jitters", .notExercised, "no pause of its own") { $0.call(Story.sites) },
        CheckCase("retry.jitters", .pass, "pauses differ") { chains(growing, &$0) },
        CheckCase("retry.jitters", .fail, "pauses are all the same") {
            chains(Array(repeating: [0.1, 0.2, 0.4], count: 5), &$0)
        },
        CheckCase("retry.jitters", .fail, "long pauses differ by less than two percent") {
            chains([[5.00], [5.02], [4.98], [5.03], [4.97], [5.01], [5]], &$0)
        },
        CheckCase("retry.jitters", .notJudged, "by three percent: a slow machine, or little jitter")
        {
            chains([[5.00], [5.15], [4.85], [5.2], [4.8], [5.1], [5]], &$0)
        },
        CheckCase(
            "retry.jitters",
            .fail,
            "at once after one kind of failure, a second after another"
        ) {
            mixedChains(
                Array(repeating: [1, 2], count: 3) + Array(repeating: [0, 0], count: 3),
                &$0
            )
        },
        CheckCase("retry.jitters", .pass, "jitter after statuses alone") {
            mixedChains(
                [[1, 2], [1.3, 1.6], [0.8, 2.5]] + Array(repeating: [0, 0], count: 3),
                &$0
            )
        },
    ]

    private static let permanent: [CheckCase] = {
        let id = "retry.leaves-permanent-errors-alone"
        return [
            CheckCase(id, .fail, "a GET that was refused, over and over") {
                for _ in 1...4 { $0.call(Story.summary, status: 404) }
            },
            CheckCase(id, .notExercised, "a GET is asked again after something was done") {
                for number in 1...4 {
                    $0.call(Story.summary, status: 404)
                    $0.post(key: "k\(number)")
                }
            },
            CheckCase(id, .notExercised, "a poller waits for what is to come") {
                for _ in 1...4 {
                    $0.call(Story.summary, status: 404)
                    $0.wait(10)
                }
            },
            CheckCase(id, .notExercised, "a GET may be asked again") {
                $0.call(Story.summary, status: 404)
                $0.call(Story.summary, status: 404)
            },
            CheckCase(id, .pass, "a refused POST is dropped") {
                $0.post(key: "k", status: 404)
                $0.post(on: "A2", key: "k2")
            },
            CheckCase(id, .fail, "a refused POST is repeated") {
                $0.post(key: "k", status: 404)
                $0.wait(5)
                $0.post(key: "k", status: 404)
            },
            CheckCase(id, .pass, "sixty seconds later it may be tried again") {
                $0.post(key: "k", status: 404)
                $0.wait(60)
                $0.post(key: "k", status: 404)
            },
            CheckCase(id, .pass, "another body is another request") {
                $0.post(key: "k", status: 404)
                $0.post(key: "k2", body: "mended")
            },
            CheckCase(id, .pass, "two that ran at once are no repetition") {
                $0.post(key: "k", status: 404, takes: 1)
                $0.now -= 0.5
                $0.post(key: "k", status: 404, takes: 1)
            },
            CheckCase(id, .notJudged, "the clock was moved in between") {
                $0.post(key: "k", status: 404)
                $0.advanceClock(10)
                $0.post(key: "k") { $0.cut() }
                $0.post(key: "k")
            },
            CheckCase(id, .fail, "a PUT is repeated", implied: ["upload.content-length"]) {
                $0.put("g", status: 411, refusal: .uploadContentLength)
                $0.put("g")
            },
            CheckCase(id, .notExercised, "the refusal never arrived") {
                $0.post(key: "k", status: 404) { $0.delivery = .cut }
                $0.post(key: "k")
            },
        ]
    }()

    // MARK: Idempotency

    private static let keys: [CheckCase] = [
        CheckCase("idempotency.key-sent", .notExercised, "no POST") { $0.call(Story.sites) },
        CheckCase("idempotency.key-sent", .pass, "a key") { $0.post(key: "k") },
        CheckCase("idempotency.key-sent", .fail, "no key") { $0.post(key: nil) },
        CheckCase(
            "idempotency.key-wellformed",
            .notExercised,
            "no key",
            implied: ["idempotency.key-sent"]
        ) { $0.post(key: nil) },
        CheckCase("idempotency.key-wellformed", .pass, "a good key") { $0.post(key: "k") },
        CheckCase(
            "idempotency.key-wellformed",
            .fail,
            "a bad key",
            implied: ["contract.valid-requests"]
        ) {
            $0.post(key: "k", status: 400) { $0.details.idempotencyKey?.isWellFormed = false }
        },
        CheckCase(
            "idempotency.key-wellformed",
            .fail,
            "two fields",
            implied: ["contract.valid-requests"]
        ) {
            $0.post(key: "k", status: 400) { $0.details.idempotencyKey?.count = 2 }
        },
        CheckCase("idempotency.key-reused-on-retry", .notExercised, "no retry") {
            $0.post(key: "k")
            $0.post(key: "k2")
        },
        CheckCase("idempotency.key-reused-on-retry", .pass, "the same key") {
            $0.post(key: "k") { $0.cut() }
            $0.wait(0.2)
            $0.post(key: "k")
        },
        CheckCase("idempotency.key-reused-on-retry", .fail, "a new key") {
            $0.post(key: "k") { $0.cut() }
            $0.wait(0.2)
            $0.post(key: "k2")
        },
        CheckCase(
            "idempotency.key-reused-on-retry",
            .fail,
            "no key any more",
            implied: ["idempotency.key-sent"]
        ) {
            $0.post(key: "k") { $0.cut() }
            $0.wait(0.2)
            $0.post(key: nil)
        },
        CheckCase(
            "idempotency.key-reused-on-retry",
            .pass,
            "twins that ran at once keep their keys"
        ) {
            $0.post(key: "k1", status: 503, takes: 1)
            $0.now -= 1
            $0.post(key: "k2", status: 503, takes: 1)
            $0.wait(0.4)
            $0.post(key: "k2")
            $0.wait(0.1)
            $0.post(key: "k1")
        },
        CheckCase("idempotency.key-reused-on-retry", .pass, "later the same text is said again") {
            $0.post(key: "k", status: 503)
            $0.wait(0.2)
            $0.post(key: "k")
            $0.wait(30)
            $0.post(key: "k2")
        },
        CheckCase("idempotency.payload-stable", .notExercised, "no second use") {
            $0.post(key: "k")
        },
        CheckCase("idempotency.payload-stable", .pass, "the same payload") {
            $0.post(key: "k") { $0.cut(.after) }
            $0.wait(0.2)
            $0.post(key: "k") { $0.committed = false }
        },
        CheckCase("idempotency.payload-stable", .pass, "the first was met by a fault at the door") {
            $0.post(key: "k") {
                $0.cut()
                $0.details.fingerprint = nil
            }
            $0.wait(0.2)
            $0.post(key: "k") { $0.details.fingerprint = Story.digest("sorted body") }
        },
        CheckCase("idempotency.payload-stable", .fail, "another payload, 409") {
            $0.post(key: "k")
            $0.post(key: "k", body: "other", status: 409) { $0.idempotency = .conflict }
        },
        CheckCase("idempotency.payload-stable", .fail, "another payload after a lost answer") {
            $0.post(key: "k") { $0.cut() }
            $0.wait(0.2)
            $0.post(key: "k", body: "now with a new time")
        },
        CheckCase("idempotency.payload-stable", .fail, "the first use was dropped from the journal")
        {
            $0.post(key: "k", status: 409) { $0.idempotency = .conflict }
        },
        CheckCase(
            "idempotency.payload-stable",
            .notExercised,
            "a refused payload may be mended",
            implied: ["contract.valid-requests"]
        ) {
            $0.post(key: "k", body: "bad", status: 400)
            $0.post(key: "k", body: "good")
        },
        CheckCase(
            "idempotency.payload-stable",
            .notExercised,
            "after 24 hours the key is forgotten"
        ) {
            $0.post(key: "k")
            $0.advanceClock(86_401)
            $0.post(key: "k", body: "other")
        },
        CheckCase("idempotency.key-fresh-per-operation", .notExercised, "one call") {
            $0.post(key: "k")
        },
        CheckCase("idempotency.key-fresh-per-operation", .pass, "two keys") {
            $0.post(key: "k")
            $0.post(on: "A2", key: "k2")
        },
        CheckCase("idempotency.key-fresh-per-operation", .fail, "one key for two appointments") {
            $0.post(key: "k")
            $0.post(on: "A2", key: "k")
        },
        CheckCase("idempotency.key-fresh-per-operation", .fail, "one key for two operations") {
            $0.post(key: "k")
            $0.post(Story.reports, key: "k")
        },
        CheckCase("idempotency.key-fresh-per-operation", .pass, "reused after its retention") {
            $0.askForURLs([], key: "k")
            $0.advanceClock(901)
            $0.post(key: "k")
        },
    ]

    private static let effects: [CheckCase] = {
        let id = "idempotency.no-duplicate-effect"
        return [
            CheckCase(id, .notExercised, "every answer arrived") {
                $0.post(key: "k")
                $0.post(key: "k2")
            },
            CheckCase(id, .pass, "the replay tells what was missed") {
                $0.post(key: "k") { $0.cut(.after) }
                $0.wait(0.2)
                $0.post(key: "k") {
                    $0.committed = false
                    $0.idempotency = .replay
                }
            },
            CheckCase(
                id,
                .fail,
                "done twice with a new key",
                implied: ["idempotency.key-reused-on-retry"]
            ) {
                $0.post(key: "k") { $0.cut(.after) }
                $0.wait(0.2)
                $0.post(key: "k2")
            },
            CheckCase(id, .fail, "done twice without keys", implied: ["idempotency.key-sent"]) {
                $0.post(key: nil, status: 500) {
                    $0.committed = true
                    $0.inject(.after)
                }
                $0.wait(0.2)
                $0.post(key: nil)
            },
            CheckCase(
                id,
                .notExercised,
                "never repeated proves nothing",
                implied: ["retry.retries-transient"]
            ) {
                $0.post(key: "k") { $0.cut(.after) }
            },
            CheckCase(id, .pass, "said again later, after the replay") {
                $0.post(key: "k") { $0.cut(.after) }
                $0.wait(0.2)
                $0.post(key: "k") { $0.committed = false }
                $0.wait(60)
                $0.post(key: "k2")
            },
            CheckCase(
                id,
                .pass,
                "a busy server hears of the replay before it hears that the client left"
            ) {
                $0.post(key: "k", takes: 8.8) { $0.delivery = .clientLeft }
                $0.wait(-0.5)
                $0.post(key: "k") {
                    $0.committed = false
                    $0.idempotency = .replay
                }
                $0.wait(5)
                $0.post(key: "k2")
            },
            CheckCase(
                id,
                .notExercised,
                "lost before it was done",
                implied: ["idempotency.key-sent"]
            ) {
                $0.post(key: nil) { $0.cut() }
                $0.wait(0.2)
                $0.post(key: nil)
            },
            CheckCase(
                id,
                .notExercised,
                "another appointment is another effect",
                implied: ["retry.retries-transient"]
            ) {
                $0.post(key: "k") { $0.cut(.after) }
                $0.post(on: "A2", key: "k2")
            },
            CheckCase(id, .pass, "repeated, though nobody answered") {
                $0.post(key: "k") { $0.cut(.after) }
                for _ in 1...2 {
                    $0.wait(0.5)
                    $0.post(key: "k", status: 503) {
                        $0.committed = false
                        $0.inject()
                    }
                }
            },
        ]
    }()

    // MARK: Paging

    private static let cursors: [CheckCase] = [
        CheckCase("paging.cursor-verbatim", .notExercised, "one page") { $0.page() },
        CheckCase("paging.cursor-verbatim", .pass, "the token as it came") {
            $0.page(next: "t1")
            $0.page("t1")
        },
        CheckCase(
            "paging.cursor-verbatim",
            .fail,
            "a token made up",
            implied: ["contract.valid-requests"]
        ) { $0.page("DDB_NEXT_TOKEN", form: .foreign, status: 400) },
        CheckCase(
            "paging.cursor-verbatim",
            .fail,
            "an empty token for the first page",
            implied: ["contract.valid-requests"]
        ) { $0.page("", form: .empty, status: 400) },
        CheckCase("paging.stops-at-end", .notExercised, "not read to the end") {
            $0.page(next: "t1")
        },
        CheckCase("paging.stops-at-end", .pass, "read to the end, twice") {
            for _ in 1...2 {
                $0.page(next: "t1")
                $0.page("t1", next: "t2")
                $0.page("t2")
                $0.wait(5)
            }
        },
        CheckCase(
            "paging.stops-at-end",
            .fail,
            "an empty token after the end",
            implied: ["contract.valid-requests"]
        ) {
            $0.page(next: "t1")
            $0.page("t1")
            $0.page("", form: .empty, status: 400)
        },
        CheckCase(
            "paging.stops-at-end",
            .fail,
            "null after the end",
            implied: ["contract.valid-requests"]
        ) {
            $0.page()
            $0.page("null", form: .null, status: 400)
        },
        CheckCase("paging.stops-at-end", .fail, "one page over and over after the end") {
            $0.page(next: "t1")
            for _ in 1...4 { $0.page("t1") }
        },
        CheckCase("paging.stops-at-end", .pass, "the Back button") {
            $0.page(next: "t1")
            $0.page("t1", next: "t2")
            $0.page("t2")
            $0.page("t1", next: "t2")
        },
        CheckCase("paging.stops-at-end", .pass, "two walks at once have the same tokens") {
            $0.page(next: "t1", takes: 1)
            $0.now -= 0.5
            $0.page(next: "t1", takes: 1)
            $0.page("t1", takes: 0.1)
            $0.page("t1", takes: 0.1)
        },
        CheckCase("paging.stops-at-end", .pass, "a lost page is asked for again") {
            $0.page(next: "t1")
            $0.page("t1") { $0.cut() }
            $0.wait(0.3)
            $0.page("t1")
        },
        CheckCase("paging.stops-at-end", .fail, "over and over, though a fault met its first use") {
            $0.page(next: "t1")
            $0.page("t1", status: 503) { $0.details.nextTokenSent = nil }
            $0.wait(0.3)
            for _ in 1...4 { $0.page("t1") }
        },
        CheckCase("paging.stops-at-end", .pass, "a spoiled last page is asked for again") {
            $0.page(next: "t1")
            $0.page("t1") {
                $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .content)
            }
            $0.wait(0.3)
            $0.page("t1")
        },
        CheckCase("paging.reads-to-the-end", .notExercised, "no list") { $0.call(Story.sites) },
        CheckCase("paging.reads-to-the-end", .pass, "to the end") {
            $0.page(next: "t1")
            $0.page("t1")
        },
        CheckCase("paging.reads-to-the-end", .notExercised, "a look at twenty") {
            $0.page(next: "t1", size: 20)
        },
        CheckCase("paging.reads-to-the-end", .fail, "the first page of a size nobody asked for") {
            $0.page(next: "t1") { $0.details.query = [] }
        },
        CheckCase("paging.reads-to-the-end", .fail, "left between two pages") {
            $0.page(next: "t1")
            $0.page("t1", next: "t2")
        },
        CheckCase("paging.keeps-parameters", .notExercised, "one page") { $0.page(next: "t1") },
        CheckCase("paging.keeps-parameters", .pass, "the same size") {
            $0.page(next: "t1")
            $0.page("t1")
        },
        CheckCase("paging.keeps-parameters", .fail, "another size") {
            $0.page(next: "t1")
            $0.page("t1", size: 100)
        },
        CheckCase(
            "paging.keeps-parameters",
            .fail,
            "another list",
            implied: ["contract.valid-requests"]
        ) {
            $0.page(next: "t1")
            $0.page("t1", on: "other list", status: 400)
        },
    ]

    private static let offsets: [CheckCase] = {
        let id = "paging.offset-stops"
        return [
            CheckCase(id, .notExercised, "no offset list") { $0.page() },
            CheckCase(id, .pass, "stops at the short page, twice") {
                for _ in 1...2 {
                    $0.offsetPage(skip: 0, items: 100)
                    $0.offsetPage(skip: 100, items: 100)
                    $0.offsetPage(skip: 200, items: 7)
                }
            },
            CheckCase(id, .fail, "leaves a page out") {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 200, items: 7)
            },
            CheckCase(id, .pass, "an empty page ends a list of full pages") {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 100, items: 0)
            },
            CheckCase(id, .fail, "goes on after the short page") {
                $0.offsetPage(skip: 0, items: 7)
                $0.offsetPage(skip: 7, items: 0)
            },
            CheckCase(id, .fail, "skips as many as asked for, not as received") {
                $0.offsetPage(skip: 0, items: 7)
                $0.offsetPage(skip: 100, items: 0)
            },
            CheckCase(id, .pass, "overlaps on purpose") {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 90, items: 100)
                $0.offsetPage(skip: 180, items: 20)
            },
            CheckCase(id, .pass, "a reader jumps to page 7", implied: ["paging.reads-to-the-end"]) {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 600, items: 100)
            },
            CheckCase(
                id,
                .fail,
                "counts pages instead of items",
                implied: ["paging.reads-to-the-end"]
            ) {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 1, items: 100)
            },
            CheckCase(id, .pass, "other filters are another list") {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 100, items: 3)
                $0.offsetPage(skip: 0, items: 100, filter: "g")
                $0.offsetPage(skip: 100, items: 3, filter: "g")
            },
            CheckCase(id, .pass, "a lost page is asked for again") {
                $0.offsetPage(skip: 0, items: 100)
                $0.offsetPage(skip: 100, items: 3) { $0.cut() }
                $0.wait(0.3)
                $0.offsetPage(skip: 100, items: 3)
            },
            CheckCase(id, .fail, "goes on after the end, though a fault met its first try") {
                $0.offsetPage(skip: 0, items: 7)
                $0.offsetPage(skip: 7, items: 0, status: 503) {
                    $0.details.skip = nil
                    $0.details.take = nil
                }
                $0.wait(0.3)
                $0.offsetPage(skip: 7, items: 0)
            },
            CheckCase(id, .pass, "two walks at once") {
                $0.offsetPage(skip: 0, items: 100, takes: 0.2)
                $0.now -= 0.1
                $0.offsetPage(skip: 0, items: 100, takes: 0.2)
                $0.offsetPage(skip: 100, items: 100)
                $0.offsetPage(skip: 200, items: 3)
                $0.offsetPage(skip: 100, items: 100)
                $0.offsetPage(skip: 200, items: 3)
            },
            CheckCase(id, .pass, "pages fetched side by side") { story in
                story.offsetPage(skip: 0, items: 100, takes: 1)
                story.now -= 0.9
                story.offsetPage(skip: 100, items: 100, takes: 1)
                story.now -= 0.9
                story.offsetPage(skip: 200, items: 5, takes: 1)
            },
            CheckCase(id, .notJudged, "begun in the middle, side by side") { story in
                story.offsetPage(skip: 100, items: 100, takes: 1)
                story.now -= 0.9
                story.offsetPage(skip: 300, items: 100, takes: 1)
            },
        ]
    }()

    // MARK: Tokens

    private static let tokens: [CheckCase] = [
        CheckCase("auth.token-reused", .notExercised, "one call") {
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        CheckCase("auth.token-reused", .pass, "one token for two calls") {
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.call(Story.summary)
        },
        CheckCase("auth.token-reused", .fail, "a token for each call") {
            for _ in 1...3 {
                $0.tokenRequest()
                $0.call(Story.sites)
            }
        },
        CheckCase("auth.token-reused", .pass, "renewed in its last ten minutes") {
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.advanceClock(3001)
            $0.tokenRequest()
            $0.call(Story.summary)
        },
        CheckCase("auth.token-reused", .pass, "renewed after a 401") {
            $0.tokenRequest()
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenInvalid }
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        CheckCase("auth.token-reused", .pass, "two threads ask before either has one") {
            $0.tokenRequest(takes: 0.5)
            $0.now -= 0.4
            $0.tokenRequest(takes: 0.5)
            $0.call(Story.sites)
            $0.call(Story.summary)
        },
        CheckCase("auth.token-reused", .pass, "the first answer was lost") {
            $0.tokenRequest { $0.cut(.after) }
            $0.wait(0.3)
            $0.tokenRequest()
            $0.call(Story.sites)
            $0.call(Story.summary)
        },
        CheckCase("auth.no-stampede", .notExercised, "no token") { $0.call(Story.sites) },
        CheckCase("auth.no-stampede", .pass, "one token") {
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        CheckCase("auth.no-stampede", .pass, "eight processes, eight tokens") { story in
            for number in 0..<8 {
                story.connection = UInt64(number)
                story.tokenRequest(takes: 0.002)
                for _ in 1...3 { story.call(Story.sites) }
            }
        },
        CheckCase("auth.no-stampede", .fail, "five threads, one token is kept") { story in
            for number in 0..<5 {
                story.connection = UInt64(number)
                story.tokenRequest(takes: 0.5)
                story.now -= 0.499
            }
            story.wait(0.6)
            story.call(Story.sites)
        },
        CheckCase("auth.recovers-from-401", .notExercised, "no 401") { $0.call(Story.sites) },
        CheckCase("auth.recovers-from-401", .pass, "one token, then the call") {
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        CheckCase("auth.recovers-from-401", .fail, "never called again") {
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            $0.tokenRequest()
            $0.call(Story.summary)
        },
        CheckCase("auth.recovers-from-401", .fail, "called again too late") {
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            $0.tokenRequest()
            $0.wait(61)
            $0.call(Story.sites)
        },
        CheckCase("auth.recovers-from-401", .fail, "the same token again") {
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
        },
        CheckCase(
            "auth.recovers-from-401",
            .fail,
            "three tokens first",
            implied: ["auth.token-reused"]
        ) {
            $0.call(Story.sites, status: 401) { $0.refusal = .tokenExpired }
            for _ in 1...3 { $0.tokenRequest() }
            $0.call(Story.sites)
        },
        CheckCase("auth.recovers-from-401", .pass, "threads share one new token") { story in
            for _ in 1...16 {
                story.call(Story.sites, status: 401, takes: 0.1) { $0.refusal = .tokenExpired }
                story.now -= 0.099
            }
            story.wait(0.2)
            story.tokenRequest()
            for _ in 1...16 {
                story.call(Story.sites, takes: 0.1)
                story.now -= 0.099
            }
        },
        CheckCase("auth.no-token-storm", .notExercised, "the endpoint works") {
            for _ in 1...2 { $0.tokenRequest(takes: 2) }
        },
        CheckCase("auth.no-token-storm", .pass, "three tries in ten seconds") {
            $0.tokenRequest(status: 503)
            $0.wait(1)
            $0.tokenRequest(status: 503)
            $0.wait(2)
            $0.tokenRequest()
        },
        CheckCase("auth.no-token-storm", .fail, "a rush") { story in
            for _ in 1...6 {
                story.tokenRequest(status: 429)
                story.wait(0.015)
            }
        },
        CheckCase("auth.no-token-storm", .fail, "five constant pauses of 70 ms") { story in
            for _ in 1...6 {
                story.tokenRequest(status: 503)
                story.wait(0.07)
            }
        },
        CheckCase("auth.no-token-storm", .pass, "a back-off with jitter") { story in
            for pause in [0.45, 1.1, 1.8, 0] {
                story.tokenRequest(status: 503)
                story.wait(pause)
            }
        },
        CheckCase("auth.no-token-storm", .fail, "renewed again and again in vain") { story in
            for _ in 1...9 {
                story.tokenRequest()
                story.call(Story.sites, status: 401) { $0.refusal = .tokenInvalid }
            }
        },
        CheckCase("auth.no-token-storm", .notExercised, "renewed once in vain") { story in
            for _ in 1...2 {
                story.tokenRequest()
                story.call(Story.sites, status: 401) { $0.refusal = .tokenInvalid }
            }
        },
        CheckCase("auth.no-token-storm", .pass, "four tries in eleven seconds") { story in
            for _ in 1...4 {
                story.tokenRequest(status: 503)
                story.wait(3.6)
            }
        },
        CheckCase("auth.no-token-storm", .pass, "each client is counted apart") { story in
            for number in 1...9 {
                story.client = "client-\(number % 3)"
                story.connection = UInt64(number % 3)
                story.tokenRequest(status: 503)
                story.wait(0.03)
            }
        },
    ]

    private static let grants: [CheckCase] = [
        CheckCase("auth.header-only", .notExercised, "no token") {
            $0.request(.other, "GET", "/openapi.yaml")
        },
        CheckCase("auth.header-only", .pass, "in its field") {
            $0.tokenRequest()
            $0.call(Story.sites)
        },
        CheckCase("auth.header-only", .fail, "in the URL") {
            $0.tokenRequest()
            $0.call(Story.sites) { $0.findings = .tokenInURL }
        },
        CheckCase("auth.header-only", .fail, "in the body") {
            $0.tokenRequest()
            $0.post(key: "k") { $0.findings = .tokenInContent }
        },
        CheckCase("auth.within-domains", .notExercised, "no API call") { $0.tokenRequest() },
        CheckCase("auth.within-domains", .pass, "its own domain") { $0.call(Story.sites) },
        CheckCase("auth.within-domains", .fail, "a foreign domain") {
            $0.call(Story.sites, status: 403) { $0.refusal = .domain }
        },
        CheckCase("auth.within-domains", .pass, "another 403 is another matter") {
            $0.call(Story.sites, status: 403) { $0.refusal = .permission }
        },
    ]

    // MARK: Uploads

    private static let uploads: [CheckCase] = [
        CheckCase("upload.before-expiry", .notExercised, "no PUT") { $0.call(Story.sites) },
        CheckCase("upload.before-expiry", .pass, "in time") { $0.put("g") },
        CheckCase("upload.before-expiry", .fail, "too late") {
            $0.put("g", status: 403, refusal: .urlExpired)
        },
        CheckCase("upload.content-type", .notExercised, "no PUT") { $0.call(Story.sites) },
        CheckCase("upload.content-type", .pass, "as promised") { $0.put("g") },
        CheckCase("upload.content-type", .fail, "another") {
            $0.put("g", status: 403, refusal: .uploadContentType)
        },
        CheckCase("upload.content-length", .notExercised, "no PUT") { $0.call(Story.sites) },
        CheckCase("upload.content-length", .pass, "sent") { $0.put("g") },
        CheckCase("upload.content-length", .fail, "missing") {
            $0.put("g", status: 411, refusal: .uploadContentLength)
        },
        CheckCase("upload.size", .notExercised, "no PUT") { $0.call(Story.sites) },
        CheckCase("upload.size", .pass, "small") { $0.put("g") },
        CheckCase("upload.size", .fail, "large") { $0.put("g", status: 413, refusal: .tooLarge) },
        CheckCase("upload.single-put", .notExercised, "no success") {
            $0.put("g", status: nil) { $0.cut() }
        },
        CheckCase("upload.single-put", .pass, "two files, two URLs") {
            $0.put("g")
            $0.put("h")
        },
        CheckCase("upload.single-put", .fail, "twice to one URL") {
            $0.put("g")
            $0.put("g", status: 403, refusal: .urlUsed)
        },
        CheckCase(
            "upload.single-put",
            .notExercised,
            "the success was never heard of",
            implied: ["upload.new-url-after-failure"]
        ) {
            $0.put("g") { $0.cut(.after) }
            $0.put("g", status: 403, refusal: .urlUsed)
        },
        CheckCase("upload.new-url-after-failure", .notExercised, "no refusal") { $0.put("g") },
        CheckCase(
            "upload.new-url-after-failure",
            .pass,
            "a new URL",
            implied: ["upload.before-expiry"]
        ) {
            $0.put("g", status: 403, refusal: .urlExpired)
            $0.askForURLs(["h"], key: "k")
            $0.put("h")
        },
        CheckCase(
            "upload.new-url-after-failure",
            .fail,
            "the dead URL again",
            implied: ["upload.before-expiry", "retry.leaves-permanent-errors-alone"]
        ) {
            $0.put("g", status: 403, refusal: .urlExpired)
            $0.put("g", status: 403, refusal: .urlExpired)
        },
        CheckCase("upload.new-url-after-failure", .fail, "a broken PUT to the same URL again") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
            $0.put("g")
        },
        CheckCase(
            "upload.new-url-after-failure",
            .notExercised,
            "what was sent wrong is sent right",
            implied: ["upload.content-type"]
        ) {
            $0.askForURLs(["g"], key: "k")
            $0.put("g", status: 403, refusal: .uploadContentType) { $0.committed = false }
            $0.put("g") { $0.contentDigest = Story.digest("again") }
        },
        CheckCase("upload.stored-after-failure", .notExercised, "no failure") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g")
        },
        CheckCase("upload.stored-after-failure", .pass, "stored by a new URL") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
            $0.askForURLs(["h"], key: "k2")
            $0.put("h")
        },
        CheckCase(
            "upload.stored-after-failure",
            .fail,
            "the report goes without it",
            implied: ["upload.completed", "reporting.report-after-files"]
        ) {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
            $0.post(Story.reports, key: "r") {
                $0.details.report = .init(status: "final", reportedAt: nil)
            }
        },
        CheckCase(
            "upload.stored-after-failure",
            .fail,
            "one of two is lost",
            implied: ["upload.completed"]
        ) {
            $0.askForURLs(["g", "h"], key: "k")
            $0.put("g") { $0.cut() }
            $0.put("h") { $0.cut() }
            $0.askForURLs(["i", "j"], key: "k2")
            $0.put("i")
        },
        CheckCase("upload.content-as-promised", .notExercised, "no file") { $0.call(Story.sites) },
        CheckCase("upload.content-as-promised", .pass, "a file") { $0.put("g") },
        CheckCase("upload.content-as-promised", .fail, "an empty file") {
            $0.put("g") { $0.details.uploadFlaw = .empty }
        },
        CheckCase("upload.content-as-promised", .fail, "no PDF") {
            $0.put("g") { $0.details.uploadFlaw = .unlike }
        },
        CheckCase("upload.no-credentials", .notExercised, "no presigned URL") {
            $0.call(Story.sites)
        },
        CheckCase("upload.no-credentials", .pass, "PUT and GET without") {
            $0.put("g")
            $0.request(.download, "GET", "/attachments/g")
        },
        CheckCase("upload.no-credentials", .fail, "PUT with a token") {
            $0.put("g") { $0.traits = [.contentLength, .authorization] }
        },
        CheckCase("upload.no-credentials", .fail, "GET with a token") {
            $0.request(.download, "GET", "/attachments/g") { $0.traits = .authorization }
        },
        CheckCase("upload.completed", .notExercised, "no URL") { $0.call(Story.sites) },
        CheckCase("upload.completed", .pass, "each URL got its content") {
            $0.askForURLs(["g", "h"], key: "k")
            $0.put("g")
            $0.put("h")
        },
        CheckCase("upload.completed", .fail, "one was forgotten") {
            $0.askForURLs(["g", "h"], key: "k")
            $0.put("g")
        },
        CheckCase("upload.completed", .pass, "replaced after a failed PUT") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g") { $0.cut() }
            $0.askForURLs(["h"], key: "k2")
            $0.put("h")
        },
        CheckCase("upload.completed", .pass, "replaced after its end") {
            $0.askForURLs(["g"], key: "k")
            $0.advanceClock(1000)
            $0.askForURLs(["h"], key: "k2")
            $0.put("h")
        },
        CheckCase("upload.completed", .fail, "asked for again without need") {
            $0.askForURLs(["g"], key: "k")
            $0.askForURLs(["h"], key: "k2")
            $0.put("h")
        },
        CheckCase("upload.completed", .pass, "a replay names the same URLs") {
            $0.askForURLs(["g", "h"], key: "k")
            $0.askForURLs(["g", "h"], key: "k")
            $0.put("g")
            $0.put("h")
        },
    ]

    // MARK: Conduct

    private static let conduct: [CheckCase] = [
        CheckCase("reporting.pending-only", .notExercised, "no reporting call") {
            $0.call(Story.sites)
        },
        CheckCase("reporting.pending-only", .pass, "a pending appointment") {
            $0.call(Story.pendingOne)
        },
        CheckCase("reporting.pending-only", .pass, "an unknown one is another matter") {
            $0.call(Story.pendingOne, status: 404) { $0.refusal = .notFound }
        },
        CheckCase("reporting.pending-only", .fail, "one that is not pending") {
            $0.call(Story.pendingOne, status: 404) { $0.refusal = .notPending }
        },
        CheckCase("reporting.report-after-files", .notExercised, "no files") {
            report("final", &$0)
        },
        CheckCase("reporting.report-after-files", .pass, "file, then report") {
            $0.askForURLs(["g"], key: "k")
            $0.put("g")
            report("final", &$0)
        },
        CheckCase("reporting.report-after-files", .fail, "report, then file") {
            $0.askForURLs(["g"], key: "k")
            report("final", &$0)
            $0.put("g")
        },
        CheckCase("reporting.no-step-back", .notExercised, "no report") { $0.post(key: "k") },
        CheckCase("reporting.no-step-back", .pass, "preliminary, final, amended") {
            for status in ["preliminary", "final", "amended"] { report(status, &$0) }
        },
        CheckCase("reporting.no-step-back", .fail, "preliminary over final") {
            for status in ["final", "preliminary"] { report(status, &$0) }
        },
        CheckCase("reporting.each-exam-once", .notExercised, "no day is played") {
            $0.page()
            report("final", &$0)
        },
        CheckCase("reporting.each-exam-once", .notExercised, "the list is never read to its end") {
            $0.fallsDue("A1")
            $0.page(next: "t")
        },
        CheckCase("reporting.each-exam-once", .notExercised, "it fell due after the last look") {
            $0.page(next: "t")
            $0.wait(1)
            $0.fallsDue("A1")
            $0.page("t")
        },
        CheckCase("reporting.each-exam-once", .pass, "found by the look after it fell due") {
            $0.page()
            $0.fallsDue("A1")
            $0.wait(60)
            $0.page(next: "t")
            $0.page("t")
            report("preliminary", &$0)
            report("final", &$0)
            $0.leaves("A1")
            $0.wait(60)
            $0.page()
        },
        CheckCase(
            "reporting.each-exam-once",
            .pass,
            "its answer was lost, and its repetition a replay"
        ) {
            $0.fallsDue("A1")
            $0.page()
            report("final", key: "k", &$0) { $0.cut(.after) }
            $0.wait(0.2)
            report("final", key: "k", &$0) {
                $0.committed = false
                $0.idempotency = .replay
            }
        },
        CheckCase("reporting.each-exam-once", .fail, "never reported, though it was there") {
            $0.fallsDue("A1")
            $0.wait(600)
            $0.page()
        },
        CheckCase("reporting.each-exam-once", .fail, "a preliminary report alone") {
            $0.fallsDue("A1")
            $0.page()
            report("preliminary", &$0)
        },
        CheckCase("reporting.each-exam-once", .fail, "two final reports") {
            $0.fallsDue("A1")
            $0.page()
            report("final", &$0)
            report("final", &$0)
        },
        CheckCase("reporting.each-exam-once", .notJudged, "two programs reported it") { story in
            story.fallsDue("A1")
            story.tokenRequest()
            for connection in [1, 2] as [UInt64] {
                story.connection = connection
                story.page()
                report("final", &story)
            }
            story.connection = 1
            story.page()
        },
        CheckCase("reporting.each-exam-once", .fail, "two programs, and one of them twice") {
            story in
            story.fallsDue("A1")
            story.tokenRequest()
            for connection in [1, 2, 1] as [UInt64] {
                story.connection = connection
                story.page()
                report("final", &story)
            }
        },
        CheckCase("reporting.each-exam-once", .notJudged, "the program was started again") {
            story in
            start(&story)
            story.fallsDue("A1")
            story.wait(1)
            story.page()
            story.connection = 2
            start(&story)
            story.wait(60)
            story.page()
        },
        CheckCase("reporting.each-exam-once", .notJudged, "a program began while it fell due") {
            story in
            start(&story)
            story.connection = 2
            start(&story) { story in
                story.page(next: "t")
                story.wait(1)
                story.fallsDue("A1")
                story.wait(1)
                story.page("t")
            }
            story.wait(60)
            story.page()
        },
        CheckCase("reporting.each-exam-once", .notJudged, "it fell due within the first look") {
            $0.page(next: "t")
            $0.wait(1)
            $0.fallsDue("A1")
            $0.wait(1)
            $0.page("t")
            $0.wait(60)
            $0.page()
        },
        CheckCase("reporting.each-exam-once", .fail, "it fell due after the program's new start") {
            story in
            start(&story)
            story.connection = 2
            start(&story)
            story.wait(1)
            story.fallsDue("A1")
            story.wait(60)
            story.page()
        },
        CheckCase("reporting.each-exam-once", .notJudged, "it left the list before") {
            $0.fallsDue("A1")
            $0.page()
            $0.wait(60)
            $0.leaves("A1")
            $0.page()
        },
        CheckCase("reporting.each-exam-once", .notExercised, "stopped after its first look") {
            $0.fallsDue("A1")
            $0.page()
            $0.stopped = $0.now + 1
        },
        CheckCase("reporting.each-exam-once", .fail, "stopped, but after a look more") {
            $0.fallsDue("A1")
            $0.page()
            $0.page()
            $0.stopped = $0.now + 1
        },
        CheckCase("reporting.pending-only", .notJudged, "it left the list after the look") {
            $0.fallsDue("A1")
            $0.page()
            $0.wait(1)
            $0.leaves("A1")
            $0.call(Story.pendingOne, status: 404) { $0.refusal = .notPending }
        },
        CheckCase("reporting.pending-only", .fail, "it had left the list before the look") {
            $0.fallsDue("A1")
            $0.wait(1)
            $0.leaves("A1")
            $0.wait(1)
            $0.page()
            $0.call(Story.pendingOne, status: 404) { $0.refusal = .notPending }
        },
        CheckCase("reporting.pending-only", .fail, "it left by the client's own report") {
            $0.fallsDue("A1")
            $0.page()
            report("final", &$0)
            $0.leaves("A1")
            $0.call(Story.pendingOne, status: 404) { $0.refusal = .notPending }
        },
        CheckCase("reporting.pending-only", .pass, "it left by another's report") { story in
            story.tokenRequest()
            story.call(Story.pendingOne)
            story.connection = 2
            report("final", &story)
            story.connection = 1
            report("preliminary", &story)
            story.call(Story.pendingOne, status: 404) { $0.refusal = .notPending }
            story.connection = 2
            story.call(Story.summary)
        },
        CheckCase("reporting.plausible-time", .notExercised, "no time") { report("final", &$0) },
        CheckCase("reporting.plausible-time", .pass, "now") { report("final", at: 0, &$0) },
        CheckCase("reporting.plausible-time", .fail, "ten hours ahead") {
            report("final", at: 36_000, &$0)
        },
        CheckCase("reporting.plausible-time", .fail, "two years back") {
            report("final", at: -63_072_000, &$0)
        },
        CheckCase("reporting.plausible-time", .notJudged, "the clock was set") {
            $0.advanceClock(3600)
            report("final", at: 36_000, &$0)
        },
        CheckCase("transport.reuses-connections", .notExercised, "no request") { _ in },
        CheckCase("transport.reuses-connections", .notJudged, "nineteen requests") { story in
            for number in 1...19 {
                story.connection = UInt64(number)
                story.call(Story.sites)
            }
        },
        CheckCase("transport.reuses-connections", .pass, "five a connection") { story in
            for number in 0..<20 {
                story.connection = UInt64(number / 5)
                story.call(Story.sites)
            }
        },
        CheckCase("transport.reuses-connections", .fail, "a connection each") { story in
            for number in 1...20 {
                story.connection = UInt64(number)
                story.call(Story.sites)
            }
        },
        CheckCase("transport.reuses-connections", .pass, "cut connections cannot be used again") {
            story in
            for number in 1...10 {
                story.connection = UInt64(number)
                story.call(Story.summary, on: "A\(number)") { $0.cut() }
            }
            story.connection = 11
            for number in 1...12 {
                story.wait(0.2 * Double(number))
                story.call(Story.summary, on: "A\(number)")
            }
        },
        CheckCase("transport.reuses-connections", .pass, "sixteen at once need sixteen") {
            story in
            for number in 0..<32 {
                story.connection = UInt64(number % 16)
                story.call(Story.sites, takes: 1)
                story.now -= number == 15 ? 0 : 1
            }
        },
        CheckCase("transport.reuses-connections", .pass, "a pool that is opened at once and kept") {
            story in
            for number in 0..<31 {
                story.connection = UInt64(number % 12)
                story.call(Story.sites, takes: 0.001)
                if number > 12 { story.wait(0.1) }
            }
        },
        CheckCase("transport.reuses-connections", .pass, "the server ends idle connections") {
            story in
            for number in 0..<21 {
                story.connection = UInt64(number)
                story.call(Story.sites)
                story.wait(76)
            }
        },
        CheckCase("transport.reuses-connections", .notJudged, "three hosts need three pools") {
            story in
            story.connection = 100
            story.tokenRequest()
            for number in 0..<20 {
                story.connection = UInt64(number % 4)
                if number < 12 {
                    story.call(Story.sites)
                } else {
                    story.request(.download, "GET", "/attachments/g\(number)")
                }
            }
        },
        CheckCase("transport.times-out", .notExercised, "no silence") { $0.call(Story.sites) },
        CheckCase("transport.times-out", .pass, "gave up after ten seconds") {
            silence(seconds: 10, left: true, &$0)
            $0.call(Story.sites)
        },
        CheckCase("transport.times-out", .fail, "gave up after 130 seconds") {
            silence(seconds: 130, left: true, &$0)
            $0.call(Story.sites)
        },
        CheckCase("transport.times-out", .fail, "never gave up") {
            silence(seconds: 300, left: false, &$0)
            $0.call(Story.sites)
        },
        CheckCase("transport.times-out", .notJudged, "the fault ended first") {
            silence(seconds: 60, left: false, &$0)
            $0.call(Story.sites)
        },
        CheckCase("transport.times-out", .notJudged, "still waiting, time unknown") {
            $0.call(Story.sites, status: nil) {
                $0.delivery = .pending
                $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
            }
        },
        CheckCase("contract.valid-requests", .notExercised, "no API call") { $0.tokenRequest() },
        CheckCase("contract.valid-requests", .pass, "all valid") { $0.call(Story.sites) },
        CheckCase("contract.valid-requests", .fail, "415") {
            $0.post(key: "k", status: 415) { $0.refusal = .mediaType }
        },
        CheckCase("contract.valid-requests", .fail, "a path that the contract does not have") {
            unknownPath(&$0)
        },
        CheckCase("contract.valid-requests", .notExercised, "a browser's own request") {
            $0.request(.other, "GET", "/favicon.ico", status: 404) {
                $0.client = nil
                $0.refusal = .route
            }
        },
        CheckCase(
            "contract.valid-requests",
            .fail,
            "a path that is not there, again and again",
            implied: ["retry.leaves-permanent-errors-alone"]
        ) { story in
            for _ in 1...3 { unknownPath(&story) }
        },
        CheckCase("contract.valid-requests", .pass, "an injected 400") {
            $0.call(Story.sites, status: 400) { $0.inject() }
        },
        CheckCase("contract.known-parameters", .notExercised, "no API call") { $0.tokenRequest() },
        CheckCase("contract.known-parameters", .pass, "known ones") {
            $0.offsetPage(skip: 0, items: 1)
        },
        CheckCase("contract.known-parameters", .fail, "a slip") {
            $0.call(Story.sites) {
                $0.details.query = [
                    .init(name: "pagesize", value: .digest(Story.digest("5")), isKnown: false)
                ]
            }
        },
        CheckCase("privacy.no-patient-data-in-urls", .notExercised, "no request") { _ in },
        CheckCase("privacy.no-patient-data-in-urls", .pass, "ids only") { $0.call(Story.sites) },
        CheckCase("privacy.no-patient-data-in-urls", .fail, "a name in the URL") {
            $0.call(Story.sites) { $0.findings = .patientNameInURL }
        },
        CheckCase("privacy.no-patient-data-in-urls", .fail, "a number in the URL") {
            $0.request(.other, "GET", "/x") { $0.findings = .medicareNumberInURL }
        },
        CheckCase("privacy.no-patient-data-in-urls", .fail, "a name in the correlation id") {
            $0.call(Story.sites) { $0.findings = .patientDataInRequestID }
        },
    ]

    private static func report(
        _ status: String,
        at seconds: Int64? = nil,
        key: String? = nil,
        _ story: inout Story,
        _ change: (inout JournalEntry) -> Void = { _ in }
    ) {
        let now = Int64(story.now + story.clockLead)
        story.post(Story.reports, key: key ?? "r\(story.entries.count)", body: status) {
            $0.details.report = .init(status: status, reportedAt: seconds.map { now + $0 })
            change(&$0)
        }
    }

    /// A program begins: with a token, a look at the pending list, and calls enough to be told apart.
    private static func start(
        _ story: inout Story,
        look: (inout Story) -> Void = { $0.page() }
    ) {
        story.tokenRequest()
        look(&story)
        for _ in 1...6 { story.call(Story.summary) }
    }

    /// A call with a token to no operation.
    private static func unknownPath(_ story: inout Story) {
        story.call("exam-codes", status: 404) {
            $0.kind = .other
            $0.operation = nil
            $0.refusal = .route
        }
    }

    private static func silence(seconds: Double, left: Bool, _ story: inout Story) {
        story.call(Story.sites, status: nil, takes: seconds) {
            $0.delivery = left ? .clientLeft : .cut
            $0.details.fault = JournalFault(rule: "f", phase: .before, effects: .hang)
        }
    }

    private static let traces: [CheckCase] = [
        CheckCase("trace.correlation-id", .notExercised, "no API call") { $0.tokenRequest() },
        CheckCase("trace.correlation-id", .pass, "an id each") {
            $0.call(Story.sites)
            $0.call(Story.summary)
        },
        CheckCase("trace.correlation-id", .fail, "none sent") {
            $0.call(Story.sites) { $0.traits = .authorization }
        },
        CheckCase("trace.correlation-id", .fail, "one id for two calls at once") {
            $0.call(Story.sites, takes: 1) { $0.requestID = "same" }
            $0.now -= 0.5
            $0.call(Story.summary, takes: 1) { $0.requestID = "same" }
        },
        CheckCase("trace.correlation-id", .fail, "a long call hides behind a twin") {
            $0.call(Story.sites, takes: 9) { $0.requestID = "same" }
            $0.now -= 8
            $0.call(Story.sites, takes: 1) { $0.requestID = "same" }
            $0.call(Story.summary, takes: 1) { $0.requestID = "same" }
        },
        CheckCase("trace.correlation-id", .pass, "one id for one call after another") {
            $0.call(Story.sites) { $0.requestID = "same" }
            $0.call(Story.summary) { $0.requestID = "same" }
        },
        CheckCase("trace.correlation-id", .pass, "one id for twins at once") {
            $0.call(Story.sites, takes: 1) { $0.requestID = "same" }
            $0.now -= 0.5
            $0.call(Story.sites, takes: 1) { $0.requestID = "same" }
        },
    ]
}

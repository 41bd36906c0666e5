/// What the verdict must know beside the journal.
package struct VerdictContext: Sendable {
    package var session: String
    /// The operations of the contract, in its order.
    package var operations: [OperationFacts]
    /// How many requests the journal has dropped.
    package var dropped: UInt64
    /// The scenario that was played, if any: its name and its pass marks.
    package var scenario: Scenario?
    /// The exams that fell due, or left the pending list, while a working day was played; `nil` where
    /// none was.
    package var waits: [Wait]?
    /// Whether a failed "should" fails the whole.
    package var isStrict: Bool
    /// The checks that count; `nil` for all.
    package var required: Set<String>?
    /// The monotonic time of the verdict in nanoseconds, to judge answers that are still awaited.
    package var monotonicNow: Int64?
    /// When the command under test was stopped from outside, in monotonic nanoseconds; `nil` where it
    /// ended by itself, or where there is none.
    package var stopped: Int64?
    /// The limit in seconds that stopped it, where one did.
    package var limitSeconds: Int?
    /// Whether the command under test has ended by itself: it will wait for nothing any more.
    package var hasEnded: Bool
    /// After how long the server closes an idle connection, in nanoseconds.
    package var idleTimeout: Int64
    /// Checks that these entries cannot prove, by id, each with the reason.
    package var unprovable: [String: String] = [:]

    package init(
        session: String,
        operations: [OperationFacts],
        dropped: UInt64 = 0,
        scenario: Scenario? = nil,
        waits: [Wait]? = nil,
        isStrict: Bool = false,
        required: Set<String>? = nil,
        monotonicNow: Int64? = nil,
        stopped: Int64? = nil,
        limitSeconds: Int? = nil,
        hasEnded: Bool = false,
        idleTimeout: Int64 = 75_000_000_000
    ) {
        self.session = session
        self.operations = operations
        self.dropped = dropped
        self.scenario = scenario
        self.waits = waits
        self.isStrict = isStrict
        self.required = required
        self.monotonicNow = monotonicNow
        self.stopped = stopped
        self.limitSeconds = limitSeconds
        self.hasEnded = hasEnded
        self.idleTimeout = idleTimeout
    }

    /// Who stopped the command, as a clause.
    var stopClause: String {
        limitSeconds.map { "qubs-mock stopped the command (--timeout \($0))" }
            ?? "the command was stopped"
    }

    /// The same where a sentence begins with it.
    var stopClauseAtStart: String {
        limitSeconds == nil ? "T" + stopClause.dropFirst() : stopClause
    }

    /// What to do so that a command comes to its end.
    var moreTime: String {
        limitSeconds == nil
            ? "Let the command come to its end." : "Run it again with a longer --timeout."
    }

    /// One operation, as the contract describes it.
    package struct OperationFacts: Sendable {
        package var id: String
        package var paging: Paging
        /// Whether it belongs to the tag of the reporting operations.
        package var isReporting: Bool
        /// How long it keeps an idempotency key, in seconds; `nil` where it takes none.
        package var idempotencyRetention: Int64?

        package init(
            id: String,
            paging: Paging = .none,
            isReporting: Bool = false,
            idempotencyRetention: Int64? = nil
        ) {
            self.id = id
            self.paging = paging
            self.isReporting = isReporting
            self.idempotencyRetention = idempotencyRetention
        }
    }

    /// How a list is paged.
    package enum Paging: Sendable {
        case none
        /// By `pageSize` and `nextToken`.
        case cursor
        /// By `skip` and `take`.
        case offset
    }

    /// How long an exam waited for its report, in nanoseconds since 1970 by the session's clock.
    package struct Wait: Sendable {
        package var domain: String
        package var appointment: String
        /// When it fell due; `nil` where that was before the day began.
        package var since: Int64?
        /// When it left the pending list; `nil` where it has not.
        package var until: Int64?

        package init(domain: String, appointment: String, since: Int64?, until: Int64?) {
            self.domain = domain
            self.appointment = appointment
            self.since = since
            self.until = until
        }
    }

    /// A scenario that was played.
    package struct Scenario: Sendable {
        package var name: String
        /// The checks that must have been exercised.
        package var passMarks: [String]

        package init(name: String, passMarks: [String]) {
            self.name = name
            self.passMarks = passMarks
        }
    }
}

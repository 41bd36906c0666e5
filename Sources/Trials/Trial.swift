package import JSON
package import Verdict

/// One run of the client's command in a session of its own, and what came of it.
package struct Trial: Sendable {
    /// What the trial is about.
    package let subject: Subject
    package let session: String
    package let end: CommandEnd
    package let verdict: VerdictReport
    /// The lasting effects of the client, as `GET /__admin/changes?normalised=true` lists them.
    package let effects: JSONValue
    /// What the command printed last, where that was kept.
    package let output: String
    /// What stands against the trial beside its verdict, one sentence each.
    package var differences: [String] = []
    /// The requests that the trial's fault was about, one line each.
    package var attempts: [String] = []
    /// The line that repeats the trial alone.
    package var repetition: String?
    /// Which parts of a pair suffice to fail it; empty where that was not asked.
    package var sufficient: [Part] = []

    package init(
        subject: Subject,
        session: String,
        end: CommandEnd,
        verdict: VerdictReport,
        effects: JSONValue,
        output: String = ""
    ) {
        self.subject = subject
        self.session = session
        self.end = end
        self.verdict = verdict
        self.effects = effects
        self.output = output
    }

    /// What a trial is about.
    package enum Subject: Sendable, Equatable {
        /// Nothing goes wrong, or what the options say.
        case plain
        case scenario(String)
        /// One fault or one reading, or a pair of them.
        case parts([Part])
    }

    /// What goes otherwise than in the clean trial.
    package enum Part: Sendable, Equatable {
        /// A fault rule, and a short name of it.
        case fault(name: String, rule: JSONValue)
        case reading(id: String, value: String)

        /// A few words.
        package var name: String {
            switch self {
            case .fault(let name, _): name
            case .reading(let id, let value): "\(id)=\(value)"
            }
        }

        /// The member of a report that tells it.
        package var member: (name: String, value: JSONValue) {
            switch self {
            case .fault(_, let rule): ("fault", rule)
            case .reading: ("reading", .string(name))
            }
        }
    }

    /// A few words.
    package var name: String {
        switch subject {
        case .plain: "-"
        case .scenario(let name): name
        case .parts(let parts): parts.map(\.name).joined(separator: " + ")
        }
    }
}

/// How the command of a trial ended.
package struct CommandEnd: Sendable, Equatable {
    package enum Way: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// It took longer than it might.
        case overdue
        /// It could not be started.
        case notStarted
    }

    package let way: Way
    /// The exit status that is asked of it.
    package let expectedStatus: Int32
    package let seconds: Double
    /// Whether somebody from outside began to end it.
    package let wasStopped: Bool
    /// One sentence; `nil` where it ended as it should.
    package let line: String?

    package init(
        way: Way,
        expectedStatus: Int32 = 0,
        seconds: Double,
        wasStopped: Bool = false,
        line: String?
    ) {
        self.way = way
        self.expectedStatus = expectedStatus
        self.seconds = seconds
        self.wasStopped = wasStopped
        self.line = line
    }

    /// Whether it ended otherwise than it should.
    package var isFailed: Bool { way != .exited(expectedStatus) || wasStopped }

    /// The exit status, where there is one.
    package var status: Int32? {
        if case .exited(let status) = way { status } else { nil }
    }
}

/// What a fault rule did to one request.
package struct JournalFault: Sendable, Equatable {
    /// The id of the rule; `prefer` for a request header.
    package var rule: String
    /// Which of the requests that the rule matched this was, from 1.
    package var ordinal: Int
    /// Whether the operation ran and committed before the fault acted.
    package var phase: Phase
    package var effects: Effects
    /// The delay before the answer, in nanoseconds; 0 without one.
    package var delay: Int64
    /// How many octets of the content were sent, where it was cut.
    package var sentOctets: Int?

    package init(
        rule: String,
        ordinal: Int = 1,
        phase: Phase,
        effects: Effects,
        delay: Int64 = 0,
        sentOctets: Int? = nil
    ) {
        self.rule = rule
        self.ordinal = ordinal
        self.phase = phase
        self.effects = effects
        self.delay = delay
        self.sentOctets = sentOctets
    }

    /// When a fault acts.
    package enum Phase: String, Sendable {
        case before
        case after
    }

    /// What was done; several combine.
    package struct Effects: OptionSet, Sendable, Hashable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The status code came from the rule.
        package static let status = Effects(rawValue: 1)
        package static let delay = Effects(rawValue: 1 << 1)
        package static let reset = Effects(rawValue: 1 << 2)
        package static let emptyResponse = Effects(rawValue: 1 << 3)
        package static let hang = Effects(rawValue: 1 << 4)
        package static let randomData = Effects(rawValue: 1 << 5)
        package static let malformedChunk = Effects(rawValue: 1 << 6)
        package static let truncation = Effects(rawValue: 1 << 7)
        /// Dripped, or slowed to a number of octets a second: slow, but whole.
        package static let slow = Effects(rawValue: 1 << 8)
        /// The content was spoiled under the true status.
        package static let content = Effects(rawValue: 1 << 9)
        /// The token issued has a flaw.
        package static let token = Effects(rawValue: 1 << 10)
        /// Something in front of the API answered in its place.
        package static let edge = Effects(rawValue: 1 << 11)

        /// Effects after which the client holds no whole answer.
        package static let losesAnswer: Effects = [
            .reset, .emptyResponse, .hang, .randomData, .malformedChunk, .truncation,
        ]

        /// The words of the journal's JSON, in the order of the bits.
        package static let names = [
            "status", "delay", "reset", "empty-response", "hang", "random-data",
            "malformed-chunk", "truncation", "slow", "content", "token", "edge",
        ]

        /// The names of the effects in this set.
        package var names: [String] {
            Self.names.enumerated().compactMap { rawValue & 1 << $0.offset != 0 ? $0.element : nil }
        }
    }
}

import Chance
import JSON
import Time

/// When people do what: who is late, who does not come, how long an examination takes.
///
/// All follows from a hash of seed, domain and identifier: in every run the same.
struct Habits {
    private let hash: UInt64

    init(_ scatter: Scatter, domain: String, id: String) {
        hash = UInt64(bitPattern: scatter.position(domain: domain, id: id)) ^ scatter.seed
    }

    /// What is drawn; each has a number of its own.
    enum Purpose: UInt64 {
        case outcome = 1
        case cancellation, arrival, wait, examination, handover, dictation, typing, start
        case slots, second, template, day
    }

    /// A number of a range, always the same for a purpose.
    func draw(_ purpose: Purpose, _ range: ClosedRange<Int64>, salt: UInt64 = 0) -> Int64 {
        let drawn = SplitMix64.mix(
            hash &+ purpose.rawValue &* 0x9E37_79B9_7F4A_7C15 &+ salt &* 0xD1B5_4A32_D192_ED03
        )
        let width = UInt64(range.upperBound - range.lowerBound + 1)
        return range.lowerBound + Int64(SplitMix64.mix(drawn) % width)
    }

    /// What becomes of who is expected: 5 of 100 cancel, 5 do not come.
    enum Outcome {
        case cancels
        case misses
        case comes
    }

    var outcome: Outcome {
        switch draw(.outcome, 0...99) {
        case ..<5: .cancels
        case ..<10: .misses
        default: .comes
        }
    }

    private static let minute: Int64 = 60
    private static let hour: Int64 = 3600

    /// Somebody who is so late does not come any more.
    private static let latest = 2 * hour
    /// What is unreported so long after its deadline is reported in house.
    private static let grace = 12 * hour
    /// How long what lay there at the beginning may still lie, at most.
    private static let backlog = 36 * hour

    /// When somebody goes on with what lay there when the world began.
    func start(from midnight: Int64) -> Int64 { midnight + draw(.start, 0...Self.backlog) }

    /// What happens next at an appointment.
    ///
    /// All times are seconds since 1970 in the world's time.
    ///
    /// - Parameters:
    ///   - record: As all views have it.
    ///   - scheduled: When it is to begin; `nil` where the record has no date.
    ///   - after: When the record became what it is.
    ///   - isReported: Whether a partner has sent the final report.
    /// - Returns: `nil` where nothing happens by itself.
    func next(
        of record: JSONObject,
        scheduled: Int64?,
        after: Int64,
        isReported: Bool
    ) -> (event: PracticeEvent, time: Int64)? {
        switch record["status"]?.string {
        case "NOT ARRIVED":
            guard let scheduled, after < scheduled + Self.latest else { return nil }
            return expected(at: scheduled, after: after)
        case "ARRIVED":
            return (.start, after + draw(.wait, 3 * Self.minute...50 * Self.minute))
        case "STUDY INPROGRESS":
            if record["scanEndDateTime"]?.string != nil {
                return (.pend, after + draw(.handover, Self.minute...4 * Self.minute))
            }
            let share = draw(.examination, 65...120)
            return (.end, after + max(Self.minute, Self.planned(record) * share / 100))
        case "PENDING REPORTING":
            if isReported {
                return (.dictate, after + draw(.dictation, 2 * Self.minute...6 * Self.minute))
            }
            let deadline = record["reportingDeadline"]?.string.flatMap(Instant.init(rfc3339:))
            return deadline.map {
                (.dictate, max(after, $0.secondsSince1970.addingSaturated(Self.grace)))
            }
        case "DICTATION INPROGRESS": return (.dictate, after + step(.dictate))
        case "DICTATED", "TYPING INPROGRESS": return (.type, after + step(.type))
        case "TYPED", "AUTHORISING": return (.authorise, after + step(.authorise))
        case "AUTHORISED": return (.finalise, after + step(.finalise))
        default: return nil
        }
    }

    /// How long a report lies before somebody goes on with it: four steps stay within the hour.
    private func step(_ event: PracticeEvent) -> Int64 {
        let salt = UInt64(PracticeEvent.allCases.firstIndex(of: event) ?? 0)
        return draw(.typing, 4 * Self.minute...12 * Self.minute, salt: salt)
    }

    private func expected(at scheduled: Int64, after: Int64) -> (PracticeEvent, Int64) {
        switch outcome {
        case .cancels where after < scheduled:
            let lead = draw(.cancellation, Self.hour...10 * 24 * Self.hour)
            // Who books late cancels on half of the way.
            let time = scheduled - lead > after ? scheduled - lead : (after + scheduled + 1) / 2
            return (.cancel, time)
        case .misses: return (.miss, max(scheduled + 30 * Self.minute, after + Self.minute))
        case .cancels, .comes:
            let early = draw(.arrival, -30 * Self.minute...12 * Self.minute)
            return (.arrive, max(scheduled + early, after + Self.minute))
        }
    }

    /// How long an examination is planned to take, in seconds.
    private static func planned(_ record: JSONObject) -> Int64 {
        guard let start = record["startTime"]?.string.flatMap(secondsOfDay),
            let end = record["endTime"]?.string.flatMap(secondsOfDay)
        else { return 15 * minute }
        return min(max(end - start, 5 * minute), 2 * hour)
    }

    /// Seconds since midnight of a local time `hh:mm:ss`.
    static func secondsOfDay(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = Int64(parts[0]), let minute = Int64(parts[1]),
            let second = Int64(parts[2]), (0..<24).contains(hour), (0..<60).contains(minute),
            (0..<60).contains(second)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Hours from the end of an examination to the deadline of its report.
    static func hoursToDeadline(of record: JSONObject) -> Int64 {
        switch record["priority"]?.string {
        case "STAT": 1
        case "Emergency": 2
        case "Urgent": 4
        case "Semi-urgent": 8
        default: 72
        }
    }
}

import JSON
import Journal
import QUBS
import Time

/// The clock of a session.
enum ClockControl {
    static let entries: [ControlEntry] = [
        ("Admin_GetClock", get),
        ("Admin_SetClock", set),
        ("Admin_AdvanceClock", advance),
    ]

    private static func get(_ call: ControlCall) throws(Problem) -> Answer {
        answer(try call.existingSession())
    }

    private static func set(_ call: ControlCall) throws(Problem) -> Answer {
        guard let mode = call.body["mode"]?.string.flatMap(SessionClock.Mode.init(rawValue:)) else {
            preconditionFailure("the contract lets only known modes through")
        }
        var now: Int64?
        if let text = call.body["now"]?.string {
            now = Timestamp.nanoseconds(parsing: text)
            guard let now, SessionClock.range.contains(now) else { throw outOfRange("/now") }
        }
        let session = try call.openSession()
        session.clock.set(mode, nanoseconds: now)
        return answer(session)
    }

    private static func advance(_ call: ControlCall) throws(Problem) -> Answer {
        let text = call.body["by"]?.string ?? ""
        let nanoseconds: Int64
        do throws(DurationError) {
            nanoseconds = try DurationText.nanoseconds(
                parsing: text,
                maximum: SessionClock.range.upperBound
            )
        } catch .tooLong {
            throw outOfRange("/by")
        } catch {
            let message = "Send a duration, not backwards, such as PT61M, P5D or 90s."
            throw Problem(.contract, 400, "by: \(message)", errors: [("/by", [message])])
        }
        let session = try call.openSession()
        guard session.clock.advance(byNanoseconds: nanoseconds) else { throw outOfRange("/by") }
        return answer(session)
    }

    private static func outOfRange(_ pointer: String) -> Problem {
        Problem(
            .contract,
            400,
            "The clock runs from 1970 to 2200.",
            errors: [(pointer, ["Send a time from 1970 to 2200."])]
        )
    }

    private static func answer(_ session: Session) -> Answer {
        let reading = session.clock.read()
        return .json([
            "mode": .string(reading.mode.rawValue),
            "now": .string(Timestamp.text(reading.nanoseconds)),
            "moves": .integer(reading.moves),
        ])
    }
}

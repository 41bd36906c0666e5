import JSON
import Journal
import Readings

/// The readings of a session.
enum ReadingControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListReadings", list),
        ("Admin_SetReadings", set),
        ("Admin_ResetReadings", reset),
    ]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        answer(call, try call.existingSession())
    }

    /// Sets all that are named, or nothing.
    private static func set(_ call: ControlCall) throws(Problem) -> Answer {
        var choices: [(id: ReadingID, choice: ReadingChoice)] = []
        var errors: [(name: String, message: String)] = []
        for member in call.body.object?.members ?? [] {
            let word = member.value.string ?? member.value.int.map { String($0) } ?? ""
            do throws(ReadingCatalogue.Refusal) {
                choices.append(try call.context.readings.choice(member.name, word))
            } catch {
                errors.append((JSONPointer([member.name]).description, error.reason))
            }
        }
        if let first = errors.first {
            throw Problem(
                .contract,
                400,
                errors.count == 1
                    ? "Nothing was set. \(first.name): \(first.message)"
                    : "Nothing was set: see `errors`.",
                errors: Problem.grouped(errors)
            )
        }
        let session = try call.openSession()
        session.readings.choose(choices)
        return answer(call, session)
    }

    private static func reset(_ call: ControlCall) throws(Problem) -> Answer {
        try call.openSession().readings.reset()
        return .noContent
    }

    private static func answer(_ call: ControlCall, _ session: Session) -> Answer {
        let settings = session.readings.settings
        let items = call.context.readings.entries.map { entry -> JSONValue in
            var object = JSONObject([
                ("id", .string(entry.id.rawValue)), ("title", .string(entry.title)),
                ("values", .array(entry.values.map(\.json))),
            ])
            if let range = entry.range {
                object["range"] = [
                    "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
                ]
            }
            object["default"] = .string(entry.default)
            object["now"] = .string(entry.word(of: settings[entry.id]))
            object["documented"] = entry.documented.map(JSONValue.string) ?? .null
            object["where"] = .array(entry.places.map { .string($0.description) })
            return .object(object)
        }
        return .json(["items": .array(items)])
    }
}

extension ReadingCatalogue.Value {
    fileprivate var json: JSONValue {
        [
            "value": .string(word), "meaning": .string(meaning),
            "beyondContract": .bool(isBeyondContract),
        ]
    }
}

extension ReadingCatalogue.Entry {
    /// A choice as it is written.
    fileprivate func word(of choice: ReadingChoice?) -> String {
        switch choice {
        case nil: `default`
        case .value(let position): values[position].word
        case .number(let number): String(number)
        case .mixed: ReadingCatalogue.mixed
        }
    }
}

package import JSON
import Time

/// A scenario: faults and clock steps to play, and the checks it must have exercised.
package struct ScenarioPack: Sendable {
    /// The word that starts it: lower-case letters, digits and hyphens.
    package let name: String
    package let title: String
    /// What happens, and what a good client does.
    package let description: String
    /// Fault rules, as the control API takes them.
    package let rules: [JSONValue]
    /// When to move the session's clock, by falling due earlier first.
    package let clock: [ClockStep]
    /// The working day that is played; `nil` for none.
    package let day: Day?
    /// How long tokens live meanwhile, in seconds; `nil` for as long as ever.
    package let tokenSeconds: Int64?
    /// How long upload URLs live meanwhile, in seconds; `nil` for as long as ever.
    package let uploadURLSeconds: Int64?
    /// The ids of the checks that the scenario is about; one of them must be exercised.
    package let passMarks: [String]
    /// How long a good client needs, in seconds; `nil` where nobody has said.
    package let expectedSeconds: Int64?

    /// Moves the session's clock once, after so many requests to the API's operations.
    package struct ClockStep: Sendable, Equatable {
        /// How many requests the session must have had since the start.
        package let afterRequests: Int
        /// The operation that is counted; `nil` for all 28.
        package let operation: String?
        /// By how much, in nanoseconds; at least 1 s.
        package let advance: Int64
    }

    /// A working day: the data live, and each request to the API's operations moves the clock.
    package struct Day: Sendable, Equatable {
        /// When it begins and ends, in seconds since midnight of day zero in the reference time zone.
        package let begin: Int
        package let end: Int
        /// By how much a request moves the clock, in seconds.
        package let step: Int64

        /// How many requests move the clock.
        package var steps: Int { Int(Int64(end - begin) / step) }
    }

    /// What is wrong with a pack, and where.
    package struct Fault: Error, Equatable, Sendable {
        package let pointer: JSONPointer
        package let reason: String
    }

    /// All that is wrong with a pack.
    package struct Faults: Error, Equatable, Sendable {
        package let faults: [Fault]
    }

    /// Reads a pack, checking all but its fault rules.
    ///
    /// - Parameter operations: The ids of the operations that clock steps may count; `nil` for any.
    /// - Throws: Everything that is wrong, in the order of the document.
    package init(_ value: JSONValue, operations: Set<String>? = nil) throws(Faults) {
        var reader = PackReader(operations: operations)
        let object = reader.object(value)
        let name = reader.word(object, "name")
        let title = reader.text(object, "title")
        let description = reader.text(object, "description")
        let rules = reader.rules(object)
        let clock = reader.clock(object)
        let day = reader.day(object)
        let tokenSeconds = reader.seconds(object, "tokenSeconds")
        let uploadURLSeconds = reader.seconds(object, "uploadUrlSeconds")
        let passMarks = reader.passMarks(object)
        let expectedSeconds = reader.seconds(object, "seconds")
        reader.refuseUnknown(
            object,
            [
                "name", "title", "description", "rules", "clock", "day", "tokenSeconds",
                "uploadUrlSeconds", "passMarks", "seconds",
            ],
            at: []
        )
        guard reader.faults.isEmpty else { throw Faults(faults: reader.faults) }
        self.name = name
        self.title = title
        self.description = description
        self.rules = rules
        self.clock = clock
        self.day = day
        self.tokenSeconds = tokenSeconds
        self.uploadURLSeconds = uploadURLSeconds
        self.passMarks = passMarks
        self.expectedSeconds = expectedSeconds
    }

    /// The pack as `GET /__admin/scenarios` lists it.
    package var json: JSONValue {
        [
            "name": .string(name), "title": .string(title), "description": .string(description),
            "rules": .integer(rules.count),
            "clockSteps": .integer(clock.count + (day?.steps ?? 0)),
            "passMarks": .array(passMarks.map { .string($0) }),
            "seconds": expectedSeconds.map { .integer(Int($0)) } ?? .null,
        ]
    }
}

/// The clock steps of a running scenario.
package struct ScenarioClock: Sendable {
    /// Those that are still to come.
    private var steps: [ScenarioPack.ClockStep]
    private var requests = 0
    /// How much each request moves the clock, in nanoseconds, and for how many more.
    private var everyRequest: (advance: Int64, left: Int)
    /// Of the operations that steps count.
    private var requestsOf: [String: Int] = [:]

    package init(_ pack: ScenarioPack) {
        steps = pack.clock
        everyRequest = pack.day.map { ($0.step * Seconds.nanoseconds, $0.steps) } ?? (0, 0)
    }

    /// Whether no step is left.
    package var isSpent: Bool { steps.isEmpty && everyRequest.left == 0 }

    /// Counts a request to one of the API's operations.
    ///
    /// Call it when the request has been answered, before the next is let in: a client that makes
    /// one call after another then finds the clock moved at its next one.
    ///
    /// - Returns: By how many nanoseconds to advance the session's clock; 0 for not at all.
    package mutating func countRequest(of operation: String? = nil) -> Int64 {
        requests += 1
        if let operation, steps.contains(where: { $0.operation == operation }) {
            requestsOf[operation, default: 0] += 1
        }
        var advance: Int64 = 0
        if everyRequest.left > 0 {
            everyRequest.left -= 1
            advance += everyRequest.advance
        }
        steps.removeAll { step in
            let count = step.operation.map { requestsOf[$0] ?? 0 } ?? requests
            guard step.afterRequests <= count else { return false }
            advance += step.advance
            return true
        }
        return advance
    }
}

/// Reads the members of a pack and collects what is wrong.
private struct PackReader {
    let operations: Set<String>?
    var faults: [ScenarioPack.Fault] = []

    private mutating func refuse(_ pointer: [String], _ reason: String) {
        faults.append(ScenarioPack.Fault(pointer: JSONPointer(pointer), reason: reason))
    }

    mutating func object(_ value: JSONValue) -> JSONObject {
        if let object = value.object { return object }
        refuse([], "a scenario is an object, not \(value.typeName)")
        return JSONObject()
    }

    mutating func refuseUnknown(_ object: JSONObject, _ names: [String], at pointer: [String]) {
        for member in object.members where !names.contains(member.name) {
            refuse(
                pointer + [member.name],
                "unknown member; known are \(names.joined(separator: ", "))"
            )
        }
    }

    mutating func text(_ object: JSONObject, _ name: String) -> String {
        guard let text = object[name]?.string, !text.isEmpty else {
            refuse([name], "a text is needed here")
            return ""
        }
        return text
    }

    mutating func word(_ object: JSONObject, _ name: String) -> String {
        let word = text(object, name)
        let isWord = word.utf8.allSatisfy { octet in
            switch octet {
            case 0x61...0x7A, 0x30...0x39, 0x2D: true
            default: false
            }
        }
        if !isWord || word.utf8.count > 64 {
            refuse([name], "up to 64 lower-case letters, digits and hyphens are needed here")
        }
        return word
    }

    mutating func rules(_ object: JSONObject) -> [JSONValue] {
        guard let value = object["rules"] else { return [] }
        guard let rules = value.array else {
            refuse(["rules"], "an array of fault rules is needed here, not \(value.typeName)")
            return []
        }
        return rules
    }

    mutating func clock(_ object: JSONObject) -> [ScenarioPack.ClockStep] {
        guard let value = object["clock"] else { return [] }
        guard let elements = value.array else {
            refuse(["clock"], "an array of clock steps is needed here, not \(value.typeName)")
            return []
        }
        var steps: [ScenarioPack.ClockStep] = []
        for (place, element) in elements.enumerated() {
            let pointer = ["clock", String(place)]
            guard let members = element.object else {
                refuse(pointer, "a clock step is an object, not \(element.typeName)")
                continue
            }
            refuseUnknown(members, ["afterRequests", "operation", "advance"], at: pointer)
            if let operation = members["operation"] {
                if operation.string?.isEmpty ?? true {
                    refuse(pointer + ["operation"], "the id of an operation is needed here")
                } else if let id = operation.string, !(operations?.contains(id) ?? true) {
                    refuse(pointer + ["operation"], "the contract has no operation of this id")
                }
            }
            let after = members["afterRequests"]?.int
            if after.map({ $0 < 1 }) ?? true {
                refuse(pointer + ["afterRequests"], "a number of requests from 1 on is needed here")
            }
            let advance = members["advance"]?.string.flatMap(Self.duration)
            if advance == nil {
                refuse(
                    pointer + ["advance"],
                    "a duration such as PT61M is needed here, from one second to 366 days"
                )
            }
            guard let after, let advance else { continue }
            steps.append(
                ScenarioPack.ClockStep(
                    afterRequests: after,
                    operation: members["operation"]?.string,
                    advance: advance
                )
            )
        }
        return steps.sorted { $0.afterRequests < $1.afterRequests }
    }

    mutating func day(_ object: JSONObject) -> ScenarioPack.Day? {
        guard let value = object["day"] else { return nil }
        guard let members = value.object else {
            refuse(["day"], "a working day is an object, not \(value.typeName)")
            return nil
        }
        refuseUnknown(members, ["begin", "end", "step"], at: ["day"])
        let begin = time(members, "begin")
        let end = time(members, "end")
        if let begin, let end, end <= begin {
            refuse(["day", "end"], "a time after that of `begin` is needed here")
        }
        let step = members["step"]?.string.flatMap(DurationText.wholeSeconds(parsing:))
        guard let step, 1...3600 ~= step else {
            refuse(
                ["day", "step"],
                "a duration such as PT1M is needed here, from one second to one hour"
            )
            return nil
        }
        guard let begin, let end, begin < end else { return nil }
        return ScenarioPack.Day(begin: begin, end: end, step: step)
    }

    /// A time of the day, `hh:mm`, in seconds since midnight.
    private mutating func time(_ object: JSONObject, _ name: String) -> Int? {
        let text = Array((object[name]?.string ?? "").utf8)
        let digits = text.map { Int($0) - 0x30 }
        guard text.count == 5, text[2] == 0x3A,
            [0, 1, 3, 4].allSatisfy({ 0...9 ~= digits[$0] }),
            digits[0] * 10 + digits[1] < 24, digits[3] < 6
        else {
            refuse(["day", name], "a time such as 06:00 is needed here")
            return nil
        }
        return (digits[0] * 10 + digits[1]) * 3600 + (digits[3] * 10 + digits[4]) * 60
    }

    mutating func seconds(_ object: JSONObject, _ name: String) -> Int64? {
        guard let value = object[name] else { return nil }
        guard let seconds = value.int, 1...86_400 ~= seconds else {
            refuse([name], "a number of seconds from 1 to 86400 is needed here")
            return nil
        }
        return Int64(seconds)
    }

    mutating func passMarks(_ object: JSONObject) -> [String] {
        guard let value = object["passMarks"] else { return [] }
        guard let elements = value.array else {
            refuse(["passMarks"], "an array of check ids is needed here, not \(value.typeName)")
            return []
        }
        var marks: [String] = []
        for (place, element) in elements.enumerated() {
            let pointer = ["passMarks", String(place)]
            guard let id = element.string, Check.named(id) != nil else {
                refuse(pointer, "no check has this id")
                continue
            }
            if marks.contains(id) { refuse(pointer, "this check is named twice") }
            marks.append(id)
        }
        return marks
    }

    /// Reads a duration of ISO 8601 in whole units; `nil` for anything else or out of bounds.
    private static func duration(_ text: String) -> Int64? {
        guard let seconds = DurationText.wholeSeconds(parsing: text), 1...366 * 86_400 ~= seconds
        else { return nil }
        return seconds * Seconds.nanoseconds
    }
}

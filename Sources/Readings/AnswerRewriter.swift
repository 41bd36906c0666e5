package import Contract
import Faults
import JSON

/// Writes a JSON content as the readings of its answer have it.
package struct AnswerRewriter {
    private let readings: ReadingSet
    /// Where statuses may be ones that nobody has heard of.
    private let hidesStatuses: Bool
    private var draws: FaultDraws
    /// The appointments met so far.
    private var appointments = 0
    /// What was changed, in no order.
    package private(set) var departures: Set<ReadingID> = []

    /// - Parameter hidesStatuses: Whether the statuses of appointments are not what was asked for.
    package init(_ readings: ReadingSet, hidesStatuses: Bool) {
        self.readings = readings
        self.hidesStatuses = hidesStatuses
        draws = readings.draws(for: .unknownMembers)
    }

    /// The content rewritten; `nil` where nothing changes, or where it is no JSON.
    ///
    /// - Parameter form: What the contract says of it.
    package mutating func rewrite(_ content: [UInt8], form: ContentForm?) -> [UInt8]? {
        guard !content.isEmpty, concernsContent, let value = try? JSONParser.parse(content) else {
            return nil
        }
        let rewritten = form.map { rewrite(value, $0) } ?? value
        if readings.departs(to: JSONText.spaced) {
            departures.insert(.jsonText)
            var text = SpacedText(draws: readings.draws(for: .jsonText))
            return text.octets(of: rewritten)
        }
        return departures.isEmpty ? nil : JSONWriter.octets(of: rewritten)
    }

    private var concernsContent: Bool {
        readings.departs(to: Absent.omitted) || readings.value(of: Instants.self) != .seconds
            || readings.departs(to: Numbers.decimal) || readings.departs(to: UnknownMembers.some)
            || readings.departs(to: UnknownStatuses.some) || readings.departs(to: JSONText.spaced)
    }

    private mutating func rewrite(_ value: JSONValue, _ form: ContentForm) -> JSONValue {
        switch value {
        case .null, .bool: return value
        case .string(let text): return form.isInstant ? .string(instant(text)) : value
        case .number(let number): return form.takesDecimals ? .number(decimal(number)) : value
        case .array(let elements):
            guard let form = form.elements else { return value }
            var result: [JSONValue] = []
            result.reserveCapacity(elements.count)
            for element in elements { result.append(rewrite(element, form)) }
            return .array(result)
        case .object(let object): return .object(rewrite(object, form))
        }
    }

    private mutating func rewrite(_ object: JSONObject, _ form: ContentForm) -> JSONObject {
        var result = JSONObject()
        for member in object.members {
            guard let known = form.members[member.name] else {
                result[member.name] = form.others.map { rewrite(member.value, $0) } ?? member.value
                continue
            }
            if member.value.isNull, known.takesNull, !known.isRequired,
                // Whether a page has a next one is another reading.
                member.name != "nextToken", readings.departs(to: Absent.omitted)
            {
                departures.insert(.absent)
                continue
            }
            if known.form.schemaNames.contains("AppointmentStatus"), hidesStatuses,
                readings.departs(to: UnknownStatuses.some)
            {
                // Of a list, one in three: a client sees both kinds on one page.
                appointments += 1
                if appointments % 3 == 1 {
                    departures.insert(.unknownStatuses)
                    result[member.name] = .string(Self.unknownStatus)
                    continue
                }
            }
            result[member.name] = rewrite(member.value, known.form)
        }
        if form.isOpen, readings.departs(to: UnknownMembers.some) {
            departures.insert(.unknownMembers)
            result[Self.unknownMember] =
                Self.unknownValues[
                    Int(draws.unit() * Double(Self.unknownValues.count))
                ]
        }
        return result
    }

    /// A status that the documentation does not have, of words that it has.
    package static let unknownStatus = "REPORT UNDER REVIEW"
    /// A member that the documentation does not have.
    package static let unknownMember = "addedLater"
    /// What such a member may hold.
    private static let unknownValues: [JSONValue] = [
        "text", 12, true, nil, [1, 2], ["value": "text", "since": "2030-01-01"],
    ]

    /// An instant in UTC, with `Z` and whole seconds, as the reading has it.
    private mutating func instant(_ text: String) -> String {
        guard text.hasSuffix("Z") else { return text }
        switch readings.value(of: Instants.self) {
        case .seconds: return text
        case .fractions:
            departures.insert(.instants)
            return text.dropLast() + ".1234567Z"
        case .offset:
            departures.insert(.instants)
            return text.dropLast() + "+00:00"
        }
    }

    private mutating func decimal(_ number: JSONNumber) -> JSONNumber {
        guard readings.departs(to: Numbers.decimal), let decimal = number.withDecimals else {
            return number
        }
        departures.insert(.numbers)
        return decimal
    }
}

import Glibc
import JSON

/// How a row holds the three views of an appointment without holding anything twice.
///
/// The views have most members in common, but not their order. So the members are cut into
/// segments, each of which stands in one piece wherever it stands; a row holds the octets of every
/// segment once, and a view is put together by copying segments. `summary` holds those of the
/// summary, so that the lists most asked for read nothing else; `details` begins with the lengths
/// of all segments.
struct AppointmentLayout: Sendable {
    /// The octets of one row.
    struct Octets: Equatable {
        /// The summary, without its last brace.
        var summary: [UInt8]
        /// The lengths of all segments, then those segments that the summary lacks.
        var details: [UInt8]
    }

    /// In the order in which they are stored: of the summary, the operational and the reporting
    /// view.
    let segments: [ArraySlice<ViewShape.Member>]
    /// How many of the segments make up the summary.
    private let summaryCount: Int
    /// How many of the segments make up the operational view.
    private let operationalCount: Int
    /// The segments of the reporting view, in its order; those that lie side by side together.
    private let reportingRuns: [Range<Int>]
    /// The members of the reporting view that come from the patient.
    let patientMembers: [String]
    private let segmentCount: Int
    /// The segment of each member.
    private let segmentOfMember: [String: Int]
    /// The segments that hold the date, the instants of the visit, and the deadline.
    private let dated: (date: Int, visit: Int, deadline: Int)

    /// The display name, which a patient record may leave to its other names.
    private static let displayName = "patientName"

    /// - Throws: `StoreError.shapes` where the views do not build on each other: the operational
    ///   view begins with the summary, the reporting view with the same member, and what two views
    ///   have in common is nullable in both or in neither.
    init(_ shapes: ViewShapes) throws(StoreError) {
        let summary = shapes.summary.members
        let operational = shapes.operational.members
        let reporting = shapes.reporting.members
        guard let first = summary.first, first == reporting.first, operational.starts(with: summary)
        else { throw .shapes("the views of an appointment do not begin alike") }
        for member in reporting {
            if let other = operational.first(where: { $0.name == member.name }), other != member {
                throw .shapes("\(member.name) is nullable in one view of an appointment only")
            }
        }
        let patientMembers = reporting.map(\.name).filter {
            shapes.patient.has($0) && !shapes.operational.has($0)
        }
        let stored = operational + reporting.filter { !shapes.operational.has($0.name) }
        let places = stored.map { member in reporting.firstIndex { $0.name == member.name } }
        var starts = [0]
        for index in stored.indices.dropFirst() {
            let follows =
                switch (places[index - 1], places[index]) {
                case (nil, nil): true
                case (let before?, let place?): before + 1 == place
                default: false
                }
            let isPatient = patientMembers.contains(stored[index].name)
            let wasPatient = patientMembers.contains(stored[index - 1].name)
            if !follows || isPatient != wasPatient || index == summary.count
                || index == operational.count
            {
                starts.append(index)
            }
        }
        segments = zip(starts, starts.dropFirst() + [stored.count]).map { stored[$0..<$1] }
        summaryCount = starts.count { $0 < summary.count }
        operationalCount = starts.count { $0 < operational.count }
        let reportingOrder = segments.indices
            .filter { places[starts[$0]] != nil }
            .sorted { (places[starts[$0]] ?? 0) < (places[starts[$1]] ?? 0) }
        var runs: [Range<Int>] = []
        for segment in reportingOrder {
            if let last = runs.last, last.upperBound == segment, segment != summaryCount {
                runs[runs.count - 1] = last.lowerBound..<segment + 1
            } else {
                runs.append(segment..<segment + 1)
            }
        }
        reportingRuns = runs
        self.patientMembers = patientMembers
        var segmentOfMember: [String: Int] = [:]
        for (index, members) in segments.enumerated() {
            for member in members { segmentOfMember[member.name] = index }
        }
        self.segmentOfMember = segmentOfMember
        segmentCount = segments.count
        // A shape that has one elsewhere: nothing moves, and the tests of day zero say so.
        func segment(of name: String, in places: Range<Int>) -> Int {
            segmentOfMember[name].flatMap { places.contains($0) ? $0 : nil } ?? -1
        }
        dated = (
            segment(of: "appointmentDate", in: 0..<summaryCount),
            segment(of: "arrivalDateTime", in: summaryCount..<segments.count),
            segment(of: "reportingDeadline", in: summaryCount..<segments.count)
        )
    }

    // MARK: Writing

    /// The octets of an appointment whose record holds the members of all views.
    func octets(of record: JSONObject) -> Octets {
        octets(
            ofSegments: segments.map { members in
                var octets: [UInt8] = []
                ViewShape.append(members, of: record, to: &octets)
                return octets
            }
        )
    }

    /// The octets of an appointment whose segments are written, each member with a comma before it.
    func octets(ofSegments written: [[UInt8]]) -> Octets {
        var octets = Octets(summary: [], details: [])
        for segment in written { Self.append(length: segment.count, to: &octets.details) }
        for segment in written[..<summaryCount] { octets.summary += segment }
        for segment in written[summaryCount...] { octets.details += segment }
        if !octets.summary.isEmpty { octets.summary[0] = UInt8(ascii: "{") }
        return octets
    }

    /// A record with the members of a patient, or without any.
    func joined(_ record: JSONObject, patient: JSONObject?) -> JSONObject {
        var joined = record
        for name in patientMembers { joined[name] = patient?[name] }
        if let patient, patientMembers.contains(Self.displayName),
            patient[Self.displayName] == nil
        {
            joined[Self.displayName] = displayName(of: patient)
        }
        return joined
    }

    /// The display name of a patient whose record has none: first and last name.
    private func displayName(of patient: JSONObject) -> JSONValue? {
        let names = ["firstName", "lastName"].compactMap { patient[$0]?.string }
        return names.isEmpty ? nil : .string(names.joined(separator: " "))
    }

    // MARK: Reading

    /// The blobs of a row are not as `octets(of:)` makes them.
    struct Damage: Error {}

    /// Appends a view of a row.
    ///
    /// A file may have been edited, or damaged on its disk: no length is trusted.
    ///
    /// - Parameter details: Not looked at for the summary.
    /// - Throws: Where the lengths do not add up; what was appended then is to be thrown away.
    @inline(__always)
    func append(
        _ view: AppointmentView,
        summary: UnsafeRawBufferPointer,
        details: @autoclosure () -> UnsafeRawBufferPointer,
        to output: inout [UInt8]
    ) throws(Damage) {
        guard summary.first == UInt8(ascii: "{") else { throw Damage() }
        if view == .summary {
            output.append(contentsOf: summary)
        } else {
            try assemble(view, summary: summary, details: details(), to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Appends a view of the present row of a statement.
    ///
    /// - Parameters:
    ///   - statement: Its first column names the row.
    ///   - column: That of `summary`; `details` is the next, where the view needs it.
    /// - Throws: `StoreError.damagedRow`.
    @inline(__always)
    func append(
        _ view: AppointmentView,
        of statement: Statement,
        from column: Int32,
        to output: inout [UInt8]
    ) throws(StoreError) {
        do throws(Damage) {
            try append(
                view,
                summary: statement.buffer(column),
                details: statement.buffer(column + 1),
                to: &output
            )
        } catch {
            throw .damagedRow(table: "appointment", row: statement.text(0))
        }
    }

    private func assemble(
        _ view: AppointmentView,
        summary: UnsafeRawBufferPointer,
        details: UnsafeRawBufferPointer,
        to output: inout [UInt8]
    ) throws(Damage) {
        // Closures hold these, and not a copy of the whole layout.
        let (segmentCount, summaryCount) = (self.segmentCount, self.summaryCount)
        let (operationalCount, reportingRuns) = (self.operationalCount, self.reportingRuns)
        let isWhole = withUnsafeTemporaryAllocation(
            of: Int.self,
            capacity: segmentCount + 1
        ) { starts in
            // Where each segment starts, as if `details` went on where `summary` ends.
            var start = 0
            var index = 0
            for segment in 0..<segmentCount {
                starts[segment] = start
                guard let length = Self.readLength(details, &index) else { return false }
                // No sum overflows: there are few segments, and none is longer than a blob can be.
                start += length
            }
            starts[segmentCount] = start
            let rest = UnsafeRawBufferPointer(rebasing: details[index...])
            // The member with the first brace stands at the start of every view.
            guard starts[summaryCount] == summary.count, start - summary.count == rest.count,
                starts[1] > 0
            else { return false }
            if view == .operational {
                output.append(contentsOf: summary)
                output.append(
                    contentsOf: UnsafeRawBufferPointer(
                        rebasing: rest[..<(starts[operationalCount] - summary.count)]
                    )
                )
                return true
            }
            // Room for all of it at once: there are a hundred rows to a page.
            output.append(addingCapacity: start) { room in
                room.withUnsafeMutableBufferPointer { room, count in
                    let room = UnsafeMutableRawBufferPointer(room)
                    for run in reportingRuns {
                        let (start, end) = (starts[run.lowerBound], starts[run.upperBound])
                        let octets =
                            run.lowerBound < summaryCount
                            ? summary[start..<end]
                            : rest[(start - summary.count)..<(end - summary.count)]
                        UnsafeMutableRawBufferPointer(rebasing: room[count...])
                            .copyMemory(from: UnsafeRawBufferPointer(rebasing: octets))
                        count += end - start
                    }
                }
            }
            return true
        }
        if !isWhole { throw Damage() }
    }

    /// Where a row holds what moves with the day.
    struct DatedPlaces {
        /// In the summary.
        var date = 0..<0
        /// In the details: arrival, start and end.
        var visit = 0..<0
        /// In the details.
        var deadline = 0..<0
    }

    /// Where a row holds what moves with the day; `nil` where it is damaged.
    func places(
        ofDatesIn details: UnsafeRawBufferPointer,
        summaryOctets: Int
    ) -> DatedPlaces? {
        var places = DatedPlaces()
        var index = 0
        var start = 0
        for segment in 0..<segmentCount {
            guard let length = Self.readLength(details, &index) else { return nil }
            if segment == summaryCount {
                guard start == summaryOctets else { return nil }
                start = 0
            }
            let place = start..<start + length
            if segment == dated.date { places.date = place }
            if segment == dated.visit { places.visit = place }
            if segment == dated.deadline { places.deadline = place }
            start += length
        }
        guard index + start == details.count else { return nil }
        // The segments follow their lengths.
        places.visit = places.visit.lowerBound + index..<places.visit.upperBound + index
        places.deadline = places.deadline.lowerBound + index..<places.deadline.upperBound + index
        return places
    }

    /// The record of a row: the members of all views; `nil` where the row is damaged.
    func record(of octets: Octets) -> JSONObject? {
        var record: JSONObject?
        for view in [AppointmentView.operational, .reporting] {
            var text: [UInt8] = []
            let isWhole = octets.summary.withUnsafeBytes { summary in
                octets.details.withUnsafeBytes { details in
                    (try? append(view, summary: summary, details: details, to: &text)) != nil
                }
            }
            // What this room wrote, it can read; if not, the caller reports the row.
            guard isWhole, let object = (try? JSONParser.parse(text))?.object else { return nil }
            guard var merged = record else {
                record = object
                continue
            }
            for member in object.members { merged[member.name] = member.value }
            record = merged
        }
        return record
    }

    // MARK: Changing

    /// The octets with other values of some members; `nil` where they are damaged.
    ///
    /// - Parameter values: JSON, by the names of members that all rows have.
    func replacing(
        _ values: [(name: String, value: [UInt8])],
        in octets: Octets
    ) -> Octets? {
        octets.summary.withUnsafeBytes { summary in
            octets.details.withUnsafeBytes { replacing(values, summary, $0) }
        }
    }

    private func replacing(
        _ values: [(name: String, value: [UInt8])],
        _ summary: UnsafeRawBufferPointer,
        _ details: UnsafeRawBufferPointer
    ) -> Octets? {
        var index = 0
        var lengths: [Int] = []
        lengths.reserveCapacity(segments.count)
        for _ in 0..<segments.count {
            guard let length = Self.readLength(details, &index) else { return nil }
            lengths.append(length)
        }
        guard lengths[..<summaryCount].reduce(0, +) == summary.count,
            lengths[summaryCount...].reduce(index, +) == details.count
        else { return nil }
        let changed = values.map { value in
            Changed(
                segment: segmentOfMember[value.name] ?? -1,
                name: Array(value.name.utf8),
                value: value.value
            )
        }
        var written = Octets(summary: [], details: [])
        var rest: [UInt8] = []
        written.summary.reserveCapacity(summary.count + 16)
        rest.reserveCapacity(details.count + 192)
        var start = 0
        for segment in 0..<segments.count {
            if segment == summaryCount { start = index }
            let isSummary = segment < summaryCount
            let octets = UnsafeRawBufferPointer(
                rebasing: (isSummary ? summary : details)[start..<start + lengths[segment]]
            )
            start += lengths[segment]
            let before = isSummary ? written.summary.count : rest.count
            let isWhole =
                isSummary
                ? Self.append(octets, segment, replacing: changed, to: &written.summary)
                : Self.append(octets, segment, replacing: changed, to: &rest)
            if !isWhole { return nil }
            lengths[segment] = (isSummary ? written.summary.count : rest.count) - before
        }
        written.details.reserveCapacity(rest.count + 2 * lengths.count)
        for length in lengths { Self.append(length: length, to: &written.details) }
        written.details += rest
        return written
    }

    /// A member that gets another value.
    private struct Changed {
        let segment: Int
        let name: [UInt8]
        let value: [UInt8]
    }

    /// Appends a segment with other values: each of its members is a comma, or the first brace, a
    /// quoted name, a colon and a value.
    ///
    /// - Returns: `false` where it is damaged.
    private static func append(
        _ octets: UnsafeRawBufferPointer,
        _ segment: Int,
        replacing changed: [Changed],
        to output: inout [UInt8]
    ) -> Bool {
        /// Up to where the output has the segment.
        var copied = 0
        var index = 0
        var left = changed.count { $0.segment == segment }
        while index < octets.count, left > 0 {
            guard let name = end(ofString: octets, from: index + 1), name < octets.count,
                octets[name] == UInt8(ascii: ":"), let end = end(ofValue: octets, from: name + 1)
            else { return false }
            let quoted = UnsafeRawBufferPointer(rebasing: octets[(index + 2)..<(name - 1)])
            for member in changed where member.segment == segment && isEqual(quoted, member.name) {
                output.append(
                    contentsOf: UnsafeRawBufferPointer(rebasing: octets[copied...name])
                )
                output += member.value
                copied = end
                left -= 1
                break
            }
            index = end
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: octets[copied...]))
        return true
    }

    private static func isEqual(_ octets: UnsafeRawBufferPointer, _ name: [UInt8]) -> Bool {
        guard let start = octets.baseAddress else { return name.isEmpty }
        return octets.count == name.count && memcmp(start, name, name.count) == 0
    }

    /// Where a string ends that begins here.
    private static func end(ofString octets: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < octets.count, octets[start] == UInt8(ascii: "\"") else { return nil }
        var index = start + 1
        while index < octets.count {
            switch octets[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }

    /// Where a value ends that begins here, in JSON without white space.
    private static func end(ofValue octets: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        var depth = 0
        while index < octets.count {
            switch octets[index] {
            case UInt8(ascii: "\""):
                guard let end = end(ofString: octets, from: index) else { return nil }
                index = end
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ",") where depth == 0: return index
            default: break
            }
            index += 1
        }
        return depth == 0 ? index : nil
    }

    // MARK: Lengths, as LEB128: seven bits an octet, the lowest first

    private static func append(length: Int, to octets: inout [UInt8]) {
        var rest = length
        while rest >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(rest))
    }

    /// Reads a length; `nil` where there is none, or one of more than 31 bits, as no blob has.
    @inline(__always)
    private static func readLength(_ octets: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
        // Most are of one octet.
        if index < octets.count, octets[index] < 0x80 {
            index += 1
            return Int(octets[index - 1])
        }
        var length = 0
        var shift = 0
        while index < octets.count, shift <= 28 {
            let octet = octets[index]
            index += 1
            length |= Int(octet & 0x7F) << shift
            if octet < 0x80 { return length <= Int(Int32.max) ? length : nil }
            shift += 7
        }
        return nil
    }
}

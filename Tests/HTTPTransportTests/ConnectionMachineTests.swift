import Glibc
import HTTPTransport
import Testing

@Suite("The state machine of a connection")
struct ConnectionMachineTests {
    typealias Machine = ConnectionMachine
    typealias Phase = ConnectionMachine.Phase
    typealias Event = ConnectionMachine.Event

    /// A machine that has come to this phase by events in order.
    ///
    /// - Parameter hasUnsent: Whether the socket is full, too.
    private static func machine(in phase: Phase, hasUnsent: Bool = false) -> Machine {
        var machine = Machine()
        switch phase {
        case .reading: break
        case .admitting, .receiving:
            _ = machine.headParsed(persists: true, announcesContent: true)
            if phase == .receiving { machine.contentAdmitted() }
        case .answering, .waiting, .delivering, .finishing, .lingering:
            _ = machine.headParsed(persists: true, announcesContent: false)
            switch phase {
            case .waiting: machine.answerAwaited()
            case .delivering: _ = machine.answerReady(isPlain: false, closes: false)
            case .finishing, .lingering:
                _ = machine.answerReady(isPlain: true, closes: true)
                if phase == .lingering { _ = machine.lastWritten(hasUnconfirmed: false) }
            default: break
            }
        case .closed: _ = machine.closed()
        case .impossible: machine.contentEnded()
        }
        if hasUnsent {
            _ = machine.batchBegins()
            machine.batchBlocked()
        }
        return machine
    }

    /// Every way in which an event can come, and the action that it returned.
    private static func ways(_ event: Event) -> [(inout Machine) -> String] {
        let both = [false, true]
        switch event {
        case .readable:
            return [
                {
                    $0.readable(); return ""
                }
            ]
        case .peerEnded: return both.map { hangUp in { "\($0.peerEnded(isHangUp: hangUp))" } }
        case .next:
            return [Machine.Input.empty, .incomplete, .ready].flatMap { input in
                [Machine.Batch.empty, .open, .full].map { batch in
                    { "\($0.next(input: input, batch: batch))" }
                }
            }
        case .read:
            return [Machine.ReadOutcome.octets(fillBuffer: true), .nothing, .end].map { outcome in
                {
                    $0.read(outcome); return ""
                }
            }
        case .headParsed:
            return both.flatMap { persists in
                both.map { content in
                    { "\($0.headParsed(persists: persists, announcesContent: content))" }
                }
            }
        case .contentAdmitted:
            return [
                {
                    $0.contentAdmitted(); return ""
                }
            ]
        case .contentDeclined:
            return both.map { more in
                {
                    $0.contentDeclined(isOutstanding: more); return ""
                }
            }
        case .contentEnded:
            return [
                {
                    $0.contentEnded(); return ""
                }
            ]
        case .refused: return [{ "\($0.refused())" }]
        case .answerReady:
            return both.flatMap { plain in
                both.map { closes in { "\($0.answerReady(isPlain: plain, closes: closes))" } }
            }
        case .answerAwaited:
            return [
                {
                    $0.answerAwaited(); return ""
                }
            ]
        case .batchBegins: return [{ "\($0.batchBegins())" }]
        case .batchBlocked:
            return [
                {
                    $0.batchBlocked(); return ""
                }
            ]
        case .unsentWritten:
            return [
                {
                    $0.unsentWritten(); return ""
                }
            ]
        case .deliveryBlocked:
            return [
                {
                    $0.deliveryBlocked(); return ""
                }
            ]
        case .deliveryEnded:
            let ends: [Machine.DeliveryEnd] = [
                .whole, .fin, .reset, .silence(isOver: false), .silence(isOver: true),
            ]
            return ends.map { end in { "\($0.deliveryEnded(end))" } }
        case .aheadDropped:
            return [
                {
                    $0.aheadDropped(); return ""
                }
            ]
        case .lastWritten:
            return both.map { more in { "\($0.lastWritten(hasUnconfirmed: more))" } }
        case .drained: return both.map { more in { "\($0.drained(hasUnconfirmed: more))" } }
        case .timedOut: return both.map { empty in { "\($0.timedOut(inputIsEmpty: empty))" } }
        case .serverStops:
            return both.flatMap { departed in
                both.map { silent in
                    { "\($0.serverStops(hasDeparted: departed, isSilent: silent))" }
                }
            }
        }
    }

    /// What may have happened to a machine before the event, within its phase.
    private static func histories(_ event: Event, _ phase: Phase) -> [Machine] {
        let isWritable: Set<Phase> = [.reading, .receiving, .waiting, .delivering, .finishing]
        var machines = event == .unsentWritten ? [] : [machine(in: phase)]
        let needsRoom: Set<Event> = [.batchBegins, .batchBlocked, .lastWritten]
        if isWritable.contains(phase), !needsRoom.contains(event) {
            machines.append(machine(in: phase, hasUnsent: true))
        }
        if machines.isEmpty { machines = [machine(in: phase)] }
        if phase == .finishing, event != .unsentWritten {
            var last = Machine()
            _ = last.headParsed(persists: false, announcesContent: false)
            _ = last.answerReady(isPlain: true, closes: false)
            machines.append(last)
        }
        // And each with the client's end seen and read.
        if isWritable.contains(phase), phase != .finishing {
            machines += machines.map { machine in
                var ended = machine
                _ = ended.peerEnded(isHangUp: false)
                ended.read(.end)
                return ended
            }
        }
        return machines
    }

    /// The table in the comment of `ConnectionMachine`: by event, a cell for each phase.
    private static func table() throws -> [String: [String]] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let source = "/\(root)/Sources/HTTPTransport/ConnectionMachine.swift"
        let text = try #require(contents(of: source), "\(source) cannot be read")
        var table: [String: [String]] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("///     ") {
            let cells = line.dropFirst(3).split(separator: " ").map(String.init)
            // The line of letters has nine cells, each row of the table ten.
            if cells.count == 10 { table[cells[0]] = Array(cells.dropFirst()) }
        }
        return table
    }

    private static func contents(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var octets = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&octets, 1, octets.count, file)
        return String(decoding: octets[..<count], as: UTF8.self)
    }

    /// The columns of the table.
    static let columns: [(letter: Character, phase: Phase)] = [
        ("R", .reading), ("M", .admitting), ("C", .receiving), ("A", .answering), ("W", .waiting),
        ("D", .delivering), ("F", .finishing), ("L", .lingering), ("X", .closed),
    ]

    @Test("Each event leads from each phase where the table says", arguments: Event.allCases)
    func everyEventInEveryPhase(event: Event) throws {
        let table = try Self.table()
        let row = try #require(table["\(event)"], "the table has no row for \(event)")
        for (column, cell) in zip(Self.columns, row) {
            let outcomes = Self.histories(event, column.phase).flatMap { history in
                Self.ways(event).map { way in Outcome(way, after: history) }
            }
            if cell == "." {
                // A closed connection stays closed, and the worker hears of it all the same.
                let after = column.phase == .closed ? Phase.closed : .impossible
                let isTold = outcomes.allSatisfy { outcome in
                    outcome.order?.event == event && outcome.order?.phase == column.phase
                        && outcome.phase == after && ["abort", ""].contains(outcome.action)
                }
                #expect(isTold, "\(event) in \(column.phase) is impossible")
            } else {
                let reached = Set(outcomes.map(\.phase))
                let letters = Self.columns.filter { reached.contains($0.phase) }.map(\.letter)
                #expect(letters.sorted() == cell.sorted(), "\(event) in \(column.phase)")
                #expect(outcomes.allSatisfy { $0.order == nil && $0.action != "abort" })
            }
        }
    }

    /// What came of an event.
    private struct Outcome {
        let action: String
        let phase: Phase
        let order: ImpossibleOrder?

        init(_ way: (inout Machine) -> String, after history: Machine) {
            var machine = history
            action = way(&machine)
            phase = machine.phase
            order = machine.takeImpossibleOrder()
        }
    }

    @Test("After an impossible order nothing is done but to reset", arguments: Event.allCases)
    func afterImpossibleOrder(event: Event) {
        for way in Self.ways(event) {
            var machine = Self.machine(in: .impossible)
            let action = way(&machine)
            #expect(action == "abort" || action.isEmpty)
            #expect(machine.phase == .impossible)
            let next = machine.next(input: .ready, batch: .open)
            #expect(next == .abort)
            #expect(machine.appetite == .nothing)
            // The first one is what is told.
            let order = machine.takeImpossibleOrder()
            #expect(order?.event == .contentEnded)
            let isFirst = machine.closed()
            let last = machine.next(input: .empty, batch: .empty)
            #expect(isFirst && last == .stop)
        }
    }

    @Test("An event on a closed connection is told, too")
    func eventAfterClose() {
        var machine = Self.machine(in: .closed)
        machine.answerAwaited()
        let next = machine.next(input: .empty, batch: .empty)
        #expect(next == .abort)
        let order = machine.takeImpossibleOrder()
        #expect(order?.description == "answerAwaited while closed, at request 0")
        let last = machine.next(input: .empty, batch: .empty)
        #expect(last == .stop)
    }

    @Test("A full socket makes some orders impossible")
    func fullSocket() {
        for phase in [Phase.reading, .receiving, .waiting, .delivering, .finishing] {
            for event in [Event.batchBegins, .batchBlocked] {
                var machine = Self.machine(in: phase, hasUnsent: true)
                for way in Self.ways(event) { _ = way(&machine) }
                let order = machine.takeImpossibleOrder()
                #expect(order?.event == event)
            }
            var machine = Self.machine(in: phase)
            machine.unsentWritten()
            let order = machine.takeImpossibleOrder()
            #expect(order?.event == .unsentWritten)
        }
        var machine = Self.machine(in: .finishing, hasUnsent: true)
        let action = machine.lastWritten(hasUnconfirmed: false)
        #expect(action == .abort)
    }

    /// What a machine does after some events.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: String
        let play: @Sendable (inout Machine) -> String

        init(
            _ rule: String,
            _ expected: String,
            _ play: @escaping @Sendable (inout Machine) -> String
        ) {
            testDescription = rule
            self.expected = expected
            self.play = play
        }
    }

    /// The next step, with nothing read and nothing in the worker's buffer.
    private static func step(
        _ machine: inout Machine,
        _ input: Machine.Input = .empty,
        _ batch: Machine.Batch = .empty
    ) -> String { "\(machine.next(input: input, batch: batch))" }

    /// Begins a request without content.
    private static func ask(_ machine: inout Machine, persists: Bool = true) {
        _ = machine.headParsed(persists: persists, announcesContent: false)
    }

    static let rows: [Row] = [
        // What is next.
        Row("nothing is read that the poller did not announce", "wait") { step(&$0) },
        Row("announced octets are read", "read") {
            $0.readable(); return step(&$0)
        },
        Row("what was read is worked on before more is read", "parse") {
            $0.readable()
            return step(&$0, .ready)
        },
        Row("an incomplete head waits for more", "read") {
            $0.readable()
            return step(&$0, .incomplete)
        },
        Row("answers join as long as requests wait", "parse") { step(&$0, .ready, .open) },
        Row("a full buffer is sent first", "sendBatch") { step(&$0, .ready, .full) },
        Row("answers are sent before the next read", "sendBatch") {
            $0.readable()
            return step(&$0, .empty, .open)
        },
        Row("answers are sent before an incomplete head waits", "sendBatch") {
            step(&$0, .incomplete, .open)
        },
        Row("a full socket stops everything", "wait wait wait wait") {
            _ = $0.batchBegins()
            $0.batchBlocked()
            $0.readable()
            var steps = [step(&$0, .ready)]
            ask(&$0)
            $0.answerAwaited()
            steps.append(step(&$0))
            _ = $0.answerReady(isPlain: true, closes: true)
            steps.append(step(&$0))
            _ = $0.deliveryEnded(.whole)
            steps.append(step(&$0))
            return steps.joined(separator: " ")
        },
        Row("and is over when it has taken the rest", "read") {
            _ = $0.batchBegins()
            $0.batchBlocked()
            $0.readable()
            $0.unsentWritten()
            return step(&$0)
        },
        // Reads.
        Row("a short read finds everything", "wait") {
            $0.readable()
            $0.read(.octets(fillBuffer: false))
            return step(&$0)
        },
        Row("a read that fills the buffer may leave some", "read") {
            $0.readable()
            $0.read(.octets(fillBuffer: true))
            return step(&$0)
        },
        Row("a short read before a FIN is followed by another", "read") {
            _ = $0.peerEnded(isHangUp: false)
            $0.read(.octets(fillBuffer: false))
            return step(&$0)
        },
        Row("the end between requests closes", "finish") {
            $0.readable()
            $0.read(.end)
            return step(&$0)
        },
        Row("the end within a head is refused", "refuseIncompleteHead") {
            $0.readable()
            $0.read(.end)
            return step(&$0, .incomplete)
        },
        Row("the end within content is refused", "refuseIncompleteContent") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentAdmitted()
            $0.readable()
            $0.read(.end)
            return step(&$0)
        },
        Row("requests in front of the end are answered", "parse") {
            $0.readable()
            $0.read(.end)
            return step(&$0, .ready)
        },
        // Answers.
        Row("a plain answer joins the buffer", "join reading") {
            ask(&$0)
            return "\($0.answerReady(isPlain: true, closes: false)) \($0.phase)"
        },
        Row("an answer to the last request ends the connection", "join finishing false") {
            ask(&$0, persists: false)
            return "\($0.answerReady(isPlain: true, closes: false)) \($0.phase) \($0.lingers)"
        },
        Row("an answer that closes waits for the client", "join finishing true") {
            ask(&$0)
            return "\($0.answerReady(isPlain: true, closes: true)) \($0.phase) \($0.lingers)"
        },
        Row("a shaped answer is delivered by the clock", "deliver delivering") {
            ask(&$0)
            return "\($0.answerReady(isPlain: false, closes: false)) \($0.phase)"
        },
        Row("an answer behind a full socket stays with its connection", "deliver") {
            ask(&$0)
            $0.answerAwaited()
            _ = $0.batchBegins()
            $0.batchBlocked()
            return "\($0.answerReady(isPlain: true, closes: false))"
        },
        Row("a late answer to a client that has ended is confirmed alone", "deliver") {
            ask(&$0)
            $0.answerAwaited()
            _ = $0.peerEnded(isHangUp: false)
            return "\($0.answerReady(isPlain: true, closes: false))"
        },
        Row("an answer at once to a client that has ended joins", "join") {
            _ = $0.peerEnded(isHangUp: false)
            ask(&$0)
            return "\($0.answerReady(isPlain: true, closes: false))"
        },
        Row("a second answer to a request is impossible", "abort") {
            ask(&$0)
            _ = $0.answerReady(isPlain: true, closes: false)
            return "\($0.answerReady(isPlain: true, closes: false))"
        },
        Row("only the request in hand is waited for", "false true false") {
            ask(&$0)
            let before = $0.awaits(1)
            $0.answerAwaited()
            return "\(before) \($0.awaits(1)) \($0.awaits(2))"
        },
        Row("each answer is for one request", "false") {
            ask(&$0)
            $0.answerAwaited()
            _ = $0.answerReady(isPlain: true, closes: false)
            ask(&$0)
            $0.answerAwaited()
            return "\($0.awaits(1))"
        },
        Row("answers are sent before a wait", "sendBatch readAhead") {
            ask(&$0)
            $0.answerAwaited()
            return "\(step(&$0, .empty, .open)) \(step(&$0))"
        },
        // Deliveries.
        Row("a whole delivery lets the connection live on", "proceed reading") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.deliveryEnded(.whole)) \($0.phase)"
        },
        Row("a whole delivery of the last answer ends it", "proceed finishing") {
            ask(&$0, persists: false)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.deliveryEnded(.whole)) \($0.phase)"
        },
        Row("a FIN waits for the client", "proceed finishing true") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.deliveryEnded(.fin)) \($0.phase) \($0.lingers)"
        },
        Row("an injected reset resets", "reset") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.deliveryEnded(.reset))"
        },
        Row("a silence is kept, until it is over", "keep delivering proceed finishing") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            let first = "\($0.deliveryEnded(.silence(isOver: false))) \($0.phase)"
            return "\(first) \($0.deliveryEnded(.silence(isOver: true))) \($0.phase)"
        },
        Row("a silence ends with the client's side", "lose") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            _ = $0.peerEnded(isHangUp: false)
            return "\($0.deliveryEnded(.silence(isOver: false)))"
        },
        Row("a stopping server keeps no silence", "proceed proceed") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            let stop = $0.serverStops(hasDeparted: false, isSilent: false)
            return "\(stop) \($0.deliveryEnded(.silence(isOver: false)))"
        },
        // Requests that are none.
        Row("octets that are no request count as one", "answer(isNew: true) 1 false true") {
            "\($0.refused()) \($0.ordinal) \($0.persists) \($0.lingers)"
        },
        Row("content that is none belongs to its request", "answer(isNew: false) 1") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentAdmitted()
            return "\($0.refused()) \($0.ordinal)"
        },
        Row("content that is refused at once and whole changes nothing", "true false") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentDeclined(isOutstanding: false)
            return "\($0.persists) \($0.lingers)"
        },
        Row("content that is refused and still to come ends the connection", "false true") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentDeclined(isOutstanding: true)
            return "\($0.persists) \($0.lingers)"
        },
        Row("requests ahead are kept while the connection lives on", "true false false") {
            ask(&$0)
            $0.answerAwaited()
            let before = $0.keepsAhead(isWhole: true)
            let cut = $0.keepsAhead(isWhole: false)
            $0.aheadDropped()
            return "\(before) \(cut) \($0.keepsAhead(isWhole: true))"
        },
        Row("what was dropped ends the connection after the answer", "join finishing true") {
            ask(&$0)
            $0.answerAwaited()
            $0.aheadDropped()
            return "\($0.answerReady(isPlain: true, closes: false)) \($0.phase) \($0.lingers)"
        },
        // The end.
        Row("a connection closes at once where nothing is unread", "close") {
            ask(&$0, persists: false)
            _ = $0.answerReady(isPlain: true, closes: false)
            return "\($0.lastWritten(hasUnconfirmed: false))"
        },
        Row("it lingers where something may be unread", "linger drain") {
            ask(&$0, persists: false)
            _ = $0.answerReady(isPlain: true, closes: false)
            $0.readable()
            return "\($0.lastWritten(hasUnconfirmed: false)) \(step(&$0))"
        },
        Row("it lingers where an answer is unconfirmed", "linger") {
            ask(&$0, persists: false)
            _ = $0.answerReady(isPlain: true, closes: false)
            return "\($0.lastWritten(hasUnconfirmed: true))"
        },
        Row("lingering ends with the client's side", "proceed proceed close") {
            ask(&$0)
            _ = $0.answerReady(isPlain: true, closes: true)
            _ = $0.lastWritten(hasUnconfirmed: false)
            let before = "\($0.drained(hasUnconfirmed: false))"
            $0.read(.end)
            let unconfirmed = $0.drained(hasUnconfirmed: true)
            return "\(before) \(unconfirmed) \($0.drained(hasUnconfirmed: false))"
        },
        Row("lingering ends when both sides have ended", "proceed close") {
            ask(&$0)
            _ = $0.answerReady(isPlain: true, closes: true)
            _ = $0.lastWritten(hasUnconfirmed: false)
            return "\($0.peerEnded(isHangUp: false)) \($0.peerEnded(isHangUp: true))"
        },
        Row("a close is told once", "true false") { "\($0.closed()) \($0.closed())" },
        // Time.
        Row("an idle connection waits for octets, and closes", "progress close") {
            "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
        },
        Row("a head has its time, and is refused", "head refuseHead") {
            "\($0.patience(inputIsEmpty: false)) \($0.timedOut(inputIsEmpty: false))"
        },
        Row("content has its time, and is refused", "content refuseContent") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentAdmitted()
            return "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
        },
        Row("a client that does not read is reset", "progress reset") {
            _ = $0.batchBegins()
            $0.batchBlocked()
            return "\($0.patience(inputIsEmpty: false)) \($0.timedOut(inputIsEmpty: false))"
        },
        Row("an answer from elsewhere has its time", "answer reset") {
            ask(&$0)
            $0.answerAwaited()
            return "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
        },
        Row("a delivery is looked at when it goes on", "delivery proceed") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
        },
        Row("a delivery that is not read is reset", "progress reset delivery") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            $0.deliveryBlocked()
            let blocked = "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
            // Asked again, it may be free.
            _ = step(&$0)
            return "\(blocked) \($0.patience(inputIsEmpty: true))"
        },
        Row("a client that does not end is closed", "linger close") {
            ask(&$0)
            _ = $0.answerReady(isPlain: true, closes: true)
            _ = $0.lastWritten(hasUnconfirmed: false)
            return "\($0.patience(inputIsEmpty: true)) \($0.timedOut(inputIsEmpty: true))"
        },
        // The end of the server.
        Row("a stop cuts idle connections", "cut") {
            "\($0.serverStops(hasDeparted: false, isSilent: false))"
        },
        Row("a stop lets answers out", "proceed finishing") {
            _ = $0.batchBegins()
            $0.batchBlocked()
            return "\($0.serverStops(hasDeparted: false, isSilent: false)) \($0.phase)"
        },
        Row("a stop lets the request in hand be the last", "proceed false join finishing") {
            _ = $0.headParsed(persists: true, announcesContent: true)
            $0.contentAdmitted()
            let stop = "\($0.serverStops(hasDeparted: true, isSilent: false)) \($0.persists)"
            $0.contentEnded()
            return "\(stop) \($0.answerReady(isPlain: true, closes: false)) \($0.phase)"
        },
        Row("a stop cuts a silence", "cut") {
            ask(&$0)
            _ = $0.answerReady(isPlain: false, closes: false)
            return "\($0.serverStops(hasDeparted: false, isSilent: true))"
        },
        Row("a stop waits for nobody who has ended", "lose") {
            ask(&$0)
            $0.answerAwaited()
            return "\($0.serverStops(hasDeparted: true, isSilent: false))"
        },
        Row("nor for who ends after it", "proceed lose") {
            ask(&$0)
            $0.answerAwaited()
            let stop = $0.serverStops(hasDeparted: false, isSilent: false)
            return "\(stop) \($0.peerEnded(isHangUp: false))"
        },
        Row("a stop shortens lingering", "hurry") {
            ask(&$0)
            _ = $0.answerReady(isPlain: true, closes: true)
            _ = $0.lastWritten(hasUnconfirmed: false)
            return "\($0.serverStops(hasDeparted: true, isSilent: false))"
        },
    ]

    @Test("After these events this is done", arguments: rows)
    func afterEvents(row: Row) {
        var machine = Machine()
        let found = row.play(&machine)
        #expect(found == row.expected)
        let order = machine.takeImpossibleOrder()
        #expect((order != nil) == row.expected.contains("abort"))
    }
}

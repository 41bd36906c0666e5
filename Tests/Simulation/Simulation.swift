import HTTPMessage
import HTTPTransport
import Time

/// Clients, a network, a server's worker and the time in one thread, all by one seed.
///
/// The worker, its state machine, the parser and the serializer are those of the program. Clients
/// send requests in pieces, pipeline, stall, read slowly or never, end their side, leave and reset.
/// The network splits and holds up what is on its way. The handler answers at once, later, or with
/// a delivery that is delayed, paced, cut or silent. After each step the promises of the transport
/// are checked:
///
/// - each request reaches the handler once, whole, in its order, after the answer before it;
/// - what a connection sends is its own answers, in order, to the octet, none of it early;
/// - a client that does its part has every answer, and no time-out is before its time;
/// - each answer is reported once, with the octets that were sent, and `complete` only when it was;
/// - no descriptor is used after its close, and none is left open; no octet stays in the budget;
/// - the handler hears of the end of each batch; no events come in an impossible order, and a
///   connection on which one is made to happen is reset, and told of.
package final class Simulation {
    /// What is wrong, and how to see it again.
    package struct Failure: Error, CustomStringConvertible {
        package let seed: UInt64
        package let step: Int
        package let reason: String

        package var description: String {
            "seed \(seed), step \(step): \(reason) (again: scripts/simulate 0 \(seed))"
        }
    }

    /// How much a run did, for whoever wants to know whether it does enough.
    package struct Tally: Sendable {
        package var steps = 0
        package var connections = 0
        package var answers = 0

        package init() {}
    }

    private static let start: UInt64 = 1_000_000_000_000
    private static let second: UInt64 = 1_000_000_000

    private let seed: UInt64
    private var dice: Dice
    private let clock: TransportClock
    private let network: Network
    private let host: Host
    private let worker: WorkerSimulation
    /// Whether time goes on only as far as answers need it, so that nobody is late.
    private let isCalm: Bool
    private let plannedConnections: Int
    private let stopStep: Int
    private var stopDeadline: UInt64?
    private var step = 0
    private let trace: ((String) -> Void)?
    private let complaints: Complaints

    /// The first complaint, which ends the run.
    private final class Complaints {
        var first: String?

        func note(_ reason: String) { if first == nil { first = reason } }
    }

    /// Runs one seed.
    ///
    /// - Parameter trace: Gets a line for each step.
    /// - Throws: The first broken promise.
    package static func run(
        seed: UInt64,
        trace: ((String) -> Void)? = nil
    ) throws(Failure) -> Tally {
        try Simulation(seed: seed, trace: trace).run()
    }

    private init(seed: UInt64, trace: ((String) -> Void)?) throws(Failure) {
        self.seed = seed
        self.trace = trace
        dice = Dice(seed: seed)
        clock = .driven(from: Self.start)
        let complaints = Complaints()
        self.complaints = complaints
        var configuration = TransportConfiguration()
        configuration.clock = clock
        let isTight = dice.once(in: 10)
        if isTight { configuration.maximumHeldOctets = dice.pick([100, 5000, 50_000]) }
        configuration.maximumLingerOctets = dice.once(in: 4) ? 1000 : 64 << 20
        isCalm = !dice.once(in: 3)
        plannedConnections = 1 + dice.below(5)
        stopStep = dice.once(in: 6) ? dice.below(300) : .max
        network = Network(clock: clock, complain: complaints.note)
        host = Host(
            dice: Dice(seed: seed ^ 0x5EED),
            isTight: isTight,
            configuration: configuration,
            complain: complaints.note
        )
        do throws(SystemError) {
            worker = try WorkerSimulation(
                configuration: configuration,
                handler: host,
                network: network
            )
        } catch {
            throw Failure(seed: seed, step: 0, reason: "\(error)")
        }
        host.linkOfID = { [network] id in network.links.first { $0.id == id } }
        if trace != nil { host.note = { [weak self] text in self?.note(text()) } }
    }

    private func note(_ text: @autoclosure () -> String) {
        guard let trace else { return }
        let microseconds = (clock.now() - Self.start) / 1000
        trace("\(step) at \(microseconds) us: \(text())")
    }

    // MARK: The run

    private func run() throws(Failure) -> Tally {
        while step < 400 {
            try doStep()
            if worker.hasEnded { break }
        }
        try settle()
        var tally = Tally()
        tally.steps = step
        tally.connections = network.links.count
        tally.answers = network.links.reduce(0) { $0 + $1.transcript.complete }
        return tally
    }

    private func fail(_ reason: String) throws(Failure) -> Never {
        throw Failure(seed: seed, step: step, reason: reason)
    }

    private func check() throws(Failure) {
        if let complaint = complaints.first { try fail(complaint) }
    }

    /// One thing that happens, by the dice.
    private func doStep() throws(Failure) {
        step += 1
        if step == stopStep {
            stop()
        } else if network.links.count < plannedConnections, dice.once(in: 10) || step == 1 {
            connect()
        } else {
            switch dice.below(100) {
            case ..<35: actAsClient()
            case ..<60: arrive()
            case ..<90: turn(all: false)
            case ..<95: if host.hasOpen { host.answerOpen() }
            case 95 where dice.once(in: 20): disturb()
            default: passTime()
            }
        }
        try check()
    }

    private func connect() {
        let number = network.links.count + 1
        let client = Client(number: number, dice: &dice)
        let link = Link(
            descriptor: Int32(number),
            client: client,
            isExcess: dice.once(in: 20),
            inboxLimit: dice.pick([100, 5000, 100_000]),
            wireLimit: dice.pick([60, 1000, 5000, 100_000, 1_000_000]),
            now: clock.now()
        )
        network.add(link)
        link.id = worker.accept(link.descriptor, isExcess: link.isExcess)
        note(
            "connection \(number): \(client.requests.count) requests, \(client.ending), "
                + "\(client.pipelines ? "pipelines" : "waits")"
        )
    }

    private func actAsClient() {
        guard !network.links.isEmpty else { return }
        let link = dice.pick(network.links)
        let actions = link.client.actions(link)
        guard !actions.isEmpty else { return }
        perform(dice.pick(actions), on: link)
    }

    private func perform(_ action: Client.Action, on link: Link) {
        link.client.perform(action, on: link, &dice)
        note("client \(link.descriptor): \(action), \(link.client.sent) octets sent")
    }

    private func arrive() {
        guard !network.links.isEmpty else { return }
        let link = dice.pick(network.links)
        guard link.canArrive else { return }
        link.arrive(1 + dice.below(dice.once(in: 2) ? 20 : 100_000))
        note("network \(link.descriptor): \(link.inbox.count) octets unread, \(link.event)")
    }

    /// One round of the worker's loop.
    ///
    /// - Parameter all: Whether the poller tells everything, or only some.
    private func turn(all: Bool) {
        var takesMail = worker.hasMail && (all || dice.once(in: 2))
        note("turn")
        for link in network.links where link.hasNews && !link.serverHasClosed {
            if takesMail, dice.once(in: 2) {
                takesMail = false
                worker.takeMail()
            }
            guard all || !dice.once(in: 4) else { continue }
            // A connection that the worker has not taken yet keeps its news.
            if worker.handle(link.event, of: link.descriptor) { link.hasNews = false }
        }
        if takesMail { worker.takeMail() }
        worker.endTurn()
        if host.owesEnd { complaints.note("the end of a batch was not told") }
        let open = network.links.count { !$0.serverHasClosed }
        if worker.countedConnections != open {
            complaints.note("\(worker.countedConnections) connections counted, \(open) open")
        }
        if worker.heldOctets < 0 { complaints.note("\(worker.heldOctets) octets held") }
    }

    /// Lets an impossible order of events happen on a connection.
    private func disturb() {
        // A client that has reset its connection ends it without another step.
        let link = network.links.first {
            !$0.serverHasClosed && !$0.isDisturbed && !$0.hasResetArrived && !$0.isResetOnItsWay
                && !$0.clientHasClosed
        }
        guard let link,
            worker.disturb(link.descriptor)
        else { return }
        link.isDisturbed = true
        host.disturbed.insert(link.id)
        note("disturbance on \(link.descriptor)")
        _ = worker.handle(SimulatedEvent(), of: link.descriptor)
        worker.endTurn()
    }

    private func stop() {
        let deadline = clock.now() + 5 * Self.second
        stopDeadline = deadline
        host.isStopping = true
        worker.stop(deadline: deadline)
        note("stop")
    }

    private func passTime() {
        let now = clock.now()
        let next = worker.nextMoment
        let isNear = next > now && next - now < Self.second
        if isNear, dice.once(in: 2) {
            clock.move(by: .nanoseconds(Int64(next - now)))
        } else if isCalm {
            clock.move(by: .microseconds(dice.below(5000)))
        } else {
            clock.move(by: .milliseconds(dice.below(dice.once(in: 3) ? 40_000 : 100)))
        }
        note("time")
    }

    // MARK: The end of the run

    /// Lets everything come to its end, and looks at what is left.
    private func settle() throws(Failure) {
        note("settling")
        // Time may have leapt over a deadline before.
        let settleStart = clock.now()
        for link in network.links { link.client.hurries = true }
        try quieten()
        if isCalm, stopDeadline == nil { try checkGoodClients() }
        var rounds = 0
        while !worker.hasEnded, worker.countedConnections > 0 || worker.nextMoment != .max {
            rounds += 1
            step += 1
            guard rounds < 1000 else { try fail("no end comes") }
            let hasLeft = leaveEndless()
            let now = clock.now()
            let next = worker.nextMoment
            if next == .max {
                guard hasLeft || leaveOne() else {
                    try fail("connections are open, and nothing follows")
                }
            } else if next > now {
                clock.move(by: .nanoseconds(Int64(next - now)))
                note("time")
            }
            try quieten()
        }
        if let stopDeadline {
            guard worker.hasEnded else { try fail("the server has not stopped") }
            let latest = max(stopDeadline, settleStart)
            guard clock.now() <= latest else { try fail("the server stopped too late") }
        }
        worker.endLoop()
        try checkRemains()
    }

    /// Lets everybody do what can be done without waiting, but for answers that are near.
    private func quieten() throws(Failure) {
        for _ in 0..<100_000 {
            step += 1
            var isQuiet = true
            while host.hasOpen {
                host.answerOpen()
                isQuiet = false
            }
            for link in network.links {
                if let action = link.client.actions(link).first {
                    perform(action, on: link)
                    isQuiet = false
                }
                if link.canArrive {
                    link.arrive(100_000)
                    isQuiet = false
                }
            }
            if worker.hasMail
                || network.links.contains(where: { $0.hasNews && !$0.serverHasClosed })
                || worker.nextMoment <= clock.now()
            {
                turn(all: true)
                isQuiet = false
            }
            try check()
            if worker.hasEnded { return }
            guard isQuiet else { continue }
            let now = clock.now()
            let next = worker.nextMoment
            guard next > now, next - now < Self.second else { return }
            clock.move(by: .nanoseconds(Int64(next - now)))
            note("time")
        }
        try fail("it never comes to rest")
    }

    /// Lets clients leave that meet a silence without an end.
    ///
    /// - Returns: Whether there were any.
    private func leaveEndless() -> Bool {
        var hasLeft = false
        for link in network.links where host.endless.contains(link.id) && !link.clientHasClosed {
            perform(.close(resets: false), on: link)
            hasLeft = true
        }
        return hasLeft
    }

    /// Lets one client leave that is still there.
    private func leaveOne() -> Bool {
        for link in network.links where !link.clientHasClosed && !link.serverHasClosed {
            perform(.close(resets: false), on: link)
            return true
        }
        return false
    }

    /// Whoever did its part has every answer.
    private func checkGoodClients() throws(Failure) {
        // Where there is little room, requests that came early may be thrown away.
        guard !host.isTight else { return }
        for link in network.links where link.client.isGood && !link.isExcess && !link.isDisturbed {
            let transcript = link.transcript
            guard !host.endless.contains(link.id) else { continue }
            if let last = transcript.answers.last, last.isCut || transcript.saysClose {
                guard last.isSent else {
                    try fail("\(link.descriptor): the last answer is not whole")
                }
                continue
            }
            guard transcript.received == link.client.requests.count else {
                try fail(
                    "\(link.descriptor): \(transcript.received) answers to "
                        + "\(link.client.requests.count) requests"
                )
            }
            guard link.serverHasClosed else { try fail("\(link.descriptor) is not closed") }
        }
    }

    private func checkRemains() throws(Failure) {
        try check()
        if let link = network.links.first(where: { !$0.serverHasClosed }) {
            try fail("\(link.descriptor) is open at the end")
        }
        if let link = network.links.first(where: { $0.isDisturbed && !$0.serverHasReset }) {
            try fail("\(link.descriptor) was not reset after an impossible order")
        }
        if let missing = host.missing() { try fail(missing) }
        if worker.heldOctets != 0 { try fail("\(worker.heldOctets) octets are held at the end") }
        if host.deferredWork != 0, stopDeadline == nil {
            try fail("\(host.deferredWork) pieces of work were not done")
        }
    }
}

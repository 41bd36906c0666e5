import Contract
import Faults
import Dispatch
import HTTPMessage
import HTTPTransport
import Journal
import Store
import Time

// The steps of a request that may take long. No worker waits for them.

extension Pipeline {
    /// Carries out the operation beside the workers, one request of a session after the other.
    ///
    /// Its connection waits as for a delay. Nothing else differs.
    func runBesideWorker(
        _ call: Call,
        operation: Operation,
        match: PathMatch,
        _ exchange: Exchange
    ) -> Reply? {
        let worker = call.worker
        call.session.contentQueue.async {
            // Nobody but the queue has the call meanwhile; what belongs to the worker it may not use.
            call.worker = self.workers.contextBeside()
            call.entry.contentDigest = call.digest(call.request.content)
            let outcome = self.carryOut(call, operation: operation, match: match)
            call.worker = worker
            exchange.perform(after: .zero) {
                let reply = self.watchdog.watch(call.request) {
                    self.conclude(call, outcome, operation: operation, exchange)
                }
                if let reply { exchange.send(reply) }
            }
        }
        return nil
    }

    /// Whether something has happened in a living world that the data do not show yet.
    func isWorldBehind(_ call: Call, at now: Int64) -> Bool {
        call.session.store.isEventDue(at: now) && !call.hasMetWorld
    }

    /// Goes on once the data of the session are up to date; no worker waits for that.
    func meetWorld(
        _ call: Call,
        at now: Instant,
        _ exchange: Exchange,
        _ next: @escaping @Sendable () -> Reply?
    ) -> Reply? {
        // Once: where the data cannot be written, the request sees them as they are.
        call.hasMetWorld = true
        let session = call.session
        session.store.bringWorld(to: now, telling: session.feed.worldEvents) { news in
            if let news { session.feed.announce(news, now: now) }
            exchange.perform(after: .zero) {
                if let reply = self.watchdog.watch(call.request, next) { exchange.send(reply) }
            }
        }
        return nil
    }

    /// Whether a request is work for more than a turn of the event loop: large content, or a token
    /// that is signed with a key which may have to be made first.
    func takesLong(_ call: Call) -> Bool {
        call.request.content.count > ContentLimits.maximumOctetsOnWorker
            || call.hasFault && call.fault?.token == .wrongKey
    }

    /// Whether the fault wants a delay in a phase; asked first, so that a request without one costs
    /// no closure.
    func isDelayed(_ call: Call, in phase: FaultPhase) -> Bool {
        guard call.hasFault, let fault = call.fault else { return false }
        return fault.phase == phase && fault.delayNanoseconds > 0
    }

    /// Goes on when the delay that the fault wants in a phase is over; no worker waits for that.
    ///
    /// - Parameter exchange: Without one the answer itself is held back, by the transport.
    func delay(
        _ call: Call,
        in phase: FaultPhase,
        _ exchange: Exchange?,
        _ next: @escaping @Sendable () -> Reply?
    ) -> Reply? {
        guard let fault = call.fault, let exchange else { return next() }
        let ticket = finishing.hold(call, for: fault)
        exchange.perform(after: .nanoseconds(fault.delayNanoseconds), ticket: ticket) {
            call.time = call.session.clock.read()
            if phase == .before { self.callers.judgeTokenAgain(call) }
            if let reply = self.watchdog.watch(call.request, next) { exchange.send(reply) }
        }
        return nil
    }
}

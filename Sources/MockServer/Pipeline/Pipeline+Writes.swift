import Contract
import HTTPTransport
import Store

// Writes, on the worker: each by itself, or those that came at once together.

/// A write that passed all checks, and waits for the end of its worker's turn.
struct WaitingWrite {
    let call: OperationCall
    let exchange: Exchange
}

extension Pipeline {
    /// Carries out a write on the worker, now or at the end of its turn.
    ///
    /// A write that would have to wait, for a snapshot of its session for example, waits beside the
    /// worker.
    func runWrite(
        _ call: Call,
        operation: Operation,
        match: PathMatch,
        _ exchange: Exchange
    ) -> Reply? {
        let store = call.session.store
        let mayWrite = store.beginWrite {
            {
                exchange.perform(after: .zero) {
                    let reply = self.watchdog.watch(call.request) {
                        self.run(call, operation: operation, match: match, exchange)
                    }
                    if let reply { exchange.send(reply) }
                }
            }
        }
        guard mayWrite else { return nil }
        guard isOneOfMany(call, operation: operation, exchange) else {
            defer { store.endWrite() }
            let outcome = carryOut(call, operation: operation, match: match)
            return conclude(call, outcome, operation: operation, exchange)
        }
        do throws(Problem) {
            let admitted = try admit(call, operation: operation, match: match)
            call.worker.writes.append(WaitingWrite(call: admitted, exchange: exchange))
            return nil
        } catch {
            defer { store.endWrite() }
            return conclude(call, .result(.failure(error)), operation: operation, exchange)
        }
    }

    /// Whether a write is worth waiting for others: more may come in the same turn.
    ///
    /// Only keyed writes wait, which read nothing but what their transaction sees.
    private func isOneOfMany(_ call: Call, operation: Operation, _ exchange: Exchange) -> Bool {
        operation.idempotencyRetentionSeconds != nil && !call.hasFault
            && (exchange.isFollowed || !call.worker.writes.isEmpty)
    }

    /// Carries out and answers the writes that wait for the end of a worker's turn.
    func carryOutWrites(of worker: WorkerContext) {
        if worker.writes.isEmpty { return }
        var waiting = worker.writes
        worker.writes.removeAll(keepingCapacity: true)
        while let store = waiting.first?.call.call.session.store {
            let writes = waiting.filter { $0.call.call.session.store === store }
            waiting.removeAll { $0.call.call.session.store === store }
            let results = together(writes, in: store) ?? writes.map { alone($0) }
            for (write, result) in zip(writes, results) {
                let call = write.call.call
                let reply = watchdog.watch(call.request) {
                    conclude(
                        call,
                        .result(result),
                        operation: write.call.operation,
                        write.exchange
                    )
                }
                store.endWrite()
                if let reply { write.exchange.send(reply) }
            }
        }
    }

    /// Carries out writes of a session in one transaction; `nil` where nothing of them was stored.
    private func together(
        _ writes: [WaitingWrite],
        in store: SessionStore
    ) -> [Result<Answer, Problem>]? {
        if writes.count == 1 { return nil }
        let worker = writes[0].call.call.worker
        var results: [Result<Answer, Problem>] = []
        let areStored = store.writeTogether { group in
            worker.group = group
            for write in writes { results.append(alone(write)) }
            worker.group = nil
        }
        if areStored { return results }
        for write in writes { KeyedWrite.forget(write.call.call) }
        return nil
    }

    private func alone(_ write: WaitingWrite) -> Result<Answer, Problem> {
        watchdog.watch(write.call.call.request) {
            Result { () throws(Problem) in try perform(write.call) }
        }
    }
}

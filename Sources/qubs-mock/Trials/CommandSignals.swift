import Dispatch
import Glibc
import Synchronization
import Time

/// The signals that this process is sent while commands run: each is passed on to all of them.
///
/// From the third on, signals kill.
final class CommandSignals: Sendable {
    /// A command that runs.
    struct Listener {
        let orders: Int32
        /// Called when the first signal has come.
        let begin: @Sendable () -> Void
    }

    private struct State: Sendable {
        var count = 0
        /// The signal that came last.
        var last: Int32?
        var next = 0
        var listeners: [Int: Listener] = [:]
    }

    private static let politeSignals = 2

    private let state = Mutex(State())
    private let sources: Mutex<[any DispatchSourceSignal]>

    /// Whether a signal has come: then no further command is started.
    var haveCome: Bool { state.withLock { $0.count > 0 } }

    init() {
        sources = Mutex([])
    }

    /// Begins to hear signals: those that are not ignored.
    func hear() {
        let queue = DispatchQueue(label: "qubs-mock.signals")
        let registration = DispatchGroup()
        sources.withLock { sources in
            for number in ProcessGuard.passedOn where !Spawn.isIgnored(number) {
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                registration.enter()
                source.setRegistrationHandler { registration.leave() }
                source.setEventHandler { [weak self] in self?.passOn(number) }
                source.activate()
                sources.append(source)
            }
        }
        // Until a source is registered, its signal has the effect that it had before.
        registration.wait()
    }

    /// Hears signals no more.
    func stop() {
        sources.withLock { sources in
            for source in sources { source.cancel() }
            sources = []
        }
    }

    private func passOn(_ number: Int32) {
        // Under the lock: a command whose orders are closed is no listener any more.
        state.withLock { state in
            state.count += 1
            state.last = number
            for listener in state.listeners.values { Self.tell(listener, state) }
        }
    }

    private static func tell(_ listener: Listener, _ state: State) {
        guard let number = state.last else { return }
        listener.begin()
        GuardedCommand.send(state.count <= politeSignals ? number : SIGKILL, to: listener.orders)
    }

    /// Passes signals on to a command: from now on, and the last that came while it was started.
    ///
    /// - Returns: What `remove` takes.
    func add(_ listener: Listener) -> Int {
        state.withLock { state in
            state.next += 1
            state.listeners[state.next] = listener
            Self.tell(listener, state)
            return state.next
        }
    }

    func remove(_ place: Int) { state.withLock { $0.listeners[place] = nil } }
}

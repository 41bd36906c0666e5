import Dispatch
import Glibc
import Synchronization
import Time
import Trials

/// How far trials are, in one line of a terminal that changes; nothing in a log.
final class TrialProgress: Sendable {
    private struct State: Sendable {
        var ended = 0
        var running: [String] = []
        var total: Int
    }

    private let state: Mutex<State>
    private let isShown: Bool
    private let begin = SystemTime.monotonic()

    init(total: Int) {
        state = Mutex(State(total: total))
        isShown = isatty(2) == 1
    }

    func begin(_ subject: Trial.Subject) { change { $0.running.append(Self.name(subject)) } }

    func end(_ subject: Trial.Subject) {
        change { state in
            state.ended += 1
            if let place = state.running.firstIndex(of: Self.name(subject)) {
                state.running.remove(at: place)
            }
        }
    }

    /// Trials that come besides.
    func expect(_ more: Int) { change { $0.total += more } }

    /// Takes the line away.
    func clear() {
        if isShown { Output.errorText("\r\u{1B}[K") }
    }

    private func change(_ body: (inout State) -> Void) {
        let line = state.withLock { state in
            body(&state)
            let running = state.running.joined(separator: ", ")
            return "\(state.ended) of \(state.total)\(running.isEmpty ? "" : ": \(running)")"
        }
        guard isShown else { return }
        let seconds = (SystemTime.monotonic() - begin) / 1_000_000_000
        let text = "[\(seconds) s] \(line)"
        Output.errorText("\r\(text.prefix(Self.columns))\u{1B}[K")
    }

    private static let columns = 79

    private static func name(_ subject: Trial.Subject) -> String {
        switch subject {
        case .plain: "clean"
        case .scenario(let name): name
        case .parts(let parts): parts.map(\.name).joined(separator: " + ")
        }
    }
}

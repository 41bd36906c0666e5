import Journal
import Synchronization

/// Which client each upload URL was given to: a PUT to it carries no token.
final class UploadOwners: Sendable {
    /// URLs remembered; the oldest go first.
    private static let capacity = 10_000

    private struct State: Sendable {
        var clients: [String: String] = [:]
        var order: [String] = []
        var oldest = 0
    }

    private let state = Mutex(State())

    init() {}

    /// Remembers the URLs of an answer.
    func note(_ urls: [JournalDetails.PresignedURL], of client: String?) {
        guard !urls.isEmpty, let client else { return }
        state.withLock { state in
            for url in urls where state.clients.updateValue(client, forKey: url.guid) == nil {
                if state.order.count < Self.capacity {
                    state.order.append(url.guid)
                } else {
                    state.clients[state.order[state.oldest]] = nil
                    state.order[state.oldest] = url.guid
                    state.oldest = (state.oldest + 1) % Self.capacity
                }
            }
        }
    }

    /// The client that a URL was given to; `nil` where that is not known.
    func owner(of guid: String) -> String? { state.withLock { $0.clients[guid] } }
}

import Dispatch
package import Journal
package import Store
import Synchronization

/// Looks for the patients of a session where they do not belong: in URLs and correlation ids.
///
/// The index is made beside the workers, when the session issues its first token or a request gives
/// reason to look; requests that come meanwhile are looked at when it is there.
package final class PersonalData: Sendable {
    /// The parts of one request that could hold personal data.
    package struct Suspect: Sendable {
        /// Path segments and values of query parameters.
        package var url: [PersonalText] = []
        package var requestID: PersonalText?
        /// Values of other fields that reach logs.
        package var fields: [PersonalText] = []

        package init() {}

        package var isEmpty: Bool { url.isEmpty && requestID == nil && fields.isEmpty }

        /// Whether looking takes so long that a worker should not.
        fileprivate var isLong: Bool {
            (url + fields).reduce(requestID?.words.count ?? 0) { $0 + $1.words.count } > 64
        }
    }

    /// Told what was found, which may be nothing.
    package typealias Report = @Sendable (JournalEntry.Findings) -> Void

    private enum State: Sendable {
        /// The number tells one making from the next.
        case unmade(generation: Int)
        case making(generation: Int, waiting: [(Suspect, Report)])
        case made(PersonalDataIndex, generation: Int)
    }

    private let store: SessionStore
    private let shared: SharedPersonalData
    private let state = Mutex(State.unmade(generation: 0))
    private let queue = DispatchQueue(label: "qubs-mock.personal-data")

    package init(store: SessionStore, shared: SharedPersonalData) {
        self.store = store
        self.shared = shared
    }

    /// What there is in a request, where the index is there to say so at once; else `nil`.
    package func findings(in suspect: Suspect) -> JournalEntry.Findings? {
        guard !suspect.isLong, case .made(let index, _) = state.withLock({ $0 }) else {
            return nil
        }
        return Self.findings(in: suspect, index)
    }

    /// Looks at a request as soon as the index is there.
    ///
    /// - Parameter report: Called once, on any thread.
    package func examine(_ suspect: Suspect, _ report: @escaping Report) {
        let index: PersonalDataIndex? = state.withLock { state in
            switch state {
            case .made(let index, _): return index
            case .making(let generation, var waiting):
                // Let go of before it grows, or each time all of it would be copied.
                state = .unmade(generation: generation)
                waiting.append((suspect, report))
                state = .making(generation: generation, waiting: waiting)
            case .unmade(let generation):
                state = .making(generation: generation, waiting: [(suspect, report)])
                queue.async { self.make() }
            }
            return nil
        }
        guard let index else { return }
        if suspect.isLong {
            queue.async { Self.examine([(suspect, report)], index) }
        } else {
            Self.examine([(suspect, report)], index)
        }
    }

    /// Makes the index, where nobody has yet, so that it is there when it is needed.
    package func prepare() {
        state.withLock { state in
            guard case .unmade(let generation) = state else { return }
            state = .making(generation: generation, waiting: [])
            queue.async { self.make() }
        }
    }

    /// Forgets the index, since patients or billing records have changed.
    package func invalidate() {
        state.withLock { state in
            switch state {
            case .unmade: break
            case .made(_, let generation): state = .unmade(generation: generation + 1)
            case .making(let generation, let waiting):
                state = .making(generation: generation + 1, waiting: waiting)
            }
        }
    }

    /// Returns when every request so far has been looked at.
    package func settle() { queue.sync {} }

    private func make() {
        dispatchPrecondition(condition: .onQueue(queue))
        while true {
            guard case .making(let generation, _) = state.withLock({ $0 }) else { return }
            // If the data cannot be read, use an empty index.
            let index =
                (try? shared.index(of: store, isFirst: generation == 0))
                ?? PersonalDataIndex(names: [], medicareNumbers: [])
            let waiting: [(Suspect, Report)]? = state.withLock { state in
                guard case .making(generation, let waiting) = state else { return nil }
                state = .made(index, generation: generation)
                return waiting
            }
            guard let waiting else { continue }
            Self.examine(waiting, index)
            return
        }
    }

    private static func examine(_ waiting: [(Suspect, Report)], _ index: PersonalDataIndex) {
        for (suspect, report) in waiting {
            report(findings(in: suspect, index))
        }
    }

    private static func findings(
        in suspect: Suspect,
        _ index: PersonalDataIndex
    ) -> JournalEntry.Findings {
        var findings: JournalEntry.Findings = []
        if suspect.url.contains(where: index.holdsName) || index.holdName(suspect.url) {
            findings.insert(.patientNameInURL)
        }
        if suspect.url.contains(where: index.holdsMedicareNumber) {
            findings.insert(.medicareNumberInURL)
        }
        if let id = suspect.requestID, index.holdsName(id) || index.holdsMedicareNumber(id) {
            findings.insert(.patientDataInRequestID)
        }
        if suspect.fields.contains(where: { index.holdsName($0) || index.holdsMedicareNumber($0) })
        {
            findings.insert(.patientDataInField)
        }
        return findings
    }
}

/// The index of the data that all sessions start with.
///
/// It is made once. A session uses it until its own patients or billing records change.
package final class SharedPersonalData: Sendable {
    private let index = Mutex<PersonalDataIndex?>(nil)

    package init() {}

    /// The index of a session's data.
    ///
    /// - Parameter isFirst: Whether its patients and billing records are those that it started with.
    ///   Clients write neither.
    func index(of store: SessionStore, isFirst: Bool) throws(StoreError) -> PersonalDataIndex {
        guard isFirst && store.startedAnew || !store.hasWritten else {
            return try PersonalDataIndex(store.backgroundReader())
        }
        if let index = index.withLock({ $0 }) { return index }
        let made = try PersonalDataIndex(store.startReader())
        index.withLock { $0 = made }
        return made
    }
}

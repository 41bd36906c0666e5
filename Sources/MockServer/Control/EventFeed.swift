import Dispatch
import HTTPTransport
import JSON
import Journal
import Synchronization
import Time

/// Those who follow a session, and what they are told: server-sent events (HTML, §9.2).
///
/// Nothing here polls. The journal wakes the feed, once in a tenth of a second at most; then
/// everything that has happened meanwhile is written down once, for all viewers together, beside the
/// workers. No viewer holds a worker, and none has more waiting for it than `maximumEvents`.
///
/// Unchecked Sendable: what is no constant, Mutex or atomic belongs to `queue`.
final class EventFeed: @unchecked Sendable {
    /// What happens within this time is told in one write.
    static let batch = Duration.milliseconds(100)
    /// A comment is sent this often, so that nobody between takes the connection for dead.
    static let pulse = Duration.seconds(15)
    /// Events that a viewer may be behind; one that is farther behind is told to read the journal.
    static let maximumEvents = 1_000
    /// Octets that may wait for a viewer, whatever the number of events.
    static let maximumOctets = 1 << 20
    /// Tellings, of a request to a viewer, that a feed makes in a second, all viewers together.
    ///
    /// The machine is there for clients: twenty viewers hear of 1,000 requests a second, more of fewer.
    static let tellingsPerSecond = 20_000
    /// Tellings that may come at once, after a time with fewer.
    static let maximumTellings = 50_000
    /// After so much time at most, requests are followed by word of the verdict.
    private static let verdictPause = Duration.seconds(1)

    /// Where events are written down, those of all sessions one after the other.
    private static let queue = DispatchQueue(label: "qubs-mock.events")

    /// Who is there, also while the queue does not know it yet.
    private struct Membership {
        var count = 0
        /// By whose worker the feed tells the time.
        var timekeeper: Exchange?
    }

    private let journal: RequestJournal
    private let membership = Mutex(Membership())
    /// Whether the next telling has its time already.
    private let isFlushSet = Atomic(false)

    private var viewers: [EventViewer] = []
    /// Events that are not requests, since the last telling.
    private var notices: [[UInt8]] = []
    private var isVerdictSet = false
    private var isClosed = false
    /// Tellings that may be made, and when that was reckoned.
    private var tellings = maximumTellings
    private var tellingsTime = SystemTime.monotonic()

    init(journal: RequestJournal) { self.journal = journal }

    /// Whether nobody follows the session.
    var isUnwatched: Bool { membership.withLock { $0.count == 0 } }

    // MARK: Coming and going

    /// Takes in a viewer: whatever is written from now on, it is told.
    ///
    /// - Parameters:
    ///   - lastEventID: The last request that the viewer has heard of, where it has been here before.
    ///   - left: Called once, when the viewer is gone.
    /// - Returns: The delivery of the answer that tells the viewer.
    func join(
        _ exchange: Exchange,
        lastEventID: UInt64?,
        left: @escaping @Sendable () -> Void
    ) -> Delivery {
        let viewer = EventViewer(exchange)
        let newest = membership.withLock { membership in
            membership.count += 1
            if membership.count == 1 {
                membership.timekeeper = exchange
                journal.follow { [weak self] in self?.wake() }
            }
            return journal.newest
        }
        let stream = ReplyStream(
            emptied: { Self.queue.async { self.relieve(viewer) } },
            ended: {
                left()
                Self.queue.async { self.forget(viewer) }
            }
        )
        viewer.stream = stream
        Self.queue.async { self.admit(viewer, after: lastEventID ?? newest) }
        return Delivery(ending: .stream(stream))
    }

    /// Ends every answer: the session is dropped.
    func close() {
        Self.queue.async {
            self.isClosed = true
            for viewer in self.viewers { viewer.exchange.endStream() }
        }
    }

    private func admit(_ viewer: EventViewer, after id: UInt64) {
        dispatchPrecondition(condition: .onQueue(Self.queue))
        // It may have left before it was let in.
        guard !viewer.isGone else { return }
        // What the others have not been told yet is no news to them from here on.
        flush()
        viewers.append(viewer)
        if isClosed {
            viewer.exchange.endStream()
            return
        }
        let missed = journal.earlierNews(after: id, limit: Self.maximumEvents)
        if missed.isGap { viewer.post(Self.gap(missed), events: 1) }
        if !missed.entries.isEmpty {
            viewer.post(Self.requests(missed.entries), events: missed.entries.count)
        }
        if missed.isGap || !missed.entries.isEmpty { tellVerdictLater() }
        beatLater(viewer)
    }

    private func forget(_ viewer: EventViewer) {
        dispatchPrecondition(condition: .onQueue(Self.queue))
        viewer.isGone = true
        viewers.removeAll { $0 === viewer }
        let heir = viewers.first?.exchange
        membership.withLock { membership in
            membership.count -= 1
            if membership.count == 0 {
                membership.timekeeper = nil
                journal.unfollow()
            } else if let heir {
                membership.timekeeper = heir
            }
        }
    }

    // MARK: Telling

    /// Sees to it that what has been written is told within `batch`; from any thread.
    private func wake() {
        guard !isFlushSet.exchange(true, ordering: .acquiringAndReleasing) else { return }
        guard let exchange = membership.withLock({ $0.timekeeper }) else {
            isFlushSet.store(false, ordering: .releasing)
            return
        }
        exchange.perform(after: Self.batch) { Self.queue.async { self.flush() } }
    }

    private func flush() {
        dispatchPrecondition(condition: .onQueue(Self.queue))
        // First: what is written from here on wakes the feed again.
        isFlushSet.store(false, ordering: .sequentiallyConsistent)
        let news = journal.takeNews(limit: Self.maximumEvents)
        let told = notices
        notices = []
        guard !viewers.isEmpty else { return }
        var events = told.count
        var octets = told.flatMap { $0 }
        if news.isGap || !affords(news.entries.count * viewers.count) {
            octets += Self.gap(news)
            events += 1
        } else {
            octets += Self.requests(news.entries)
            events += news.entries.count
        }
        guard events > 0 else { return }
        for viewer in viewers { viewer.post(octets, events: events) }
        if news.isGap || !news.entries.isEmpty { tellVerdictLater() }
    }

    /// Whether so many tellings may be made now; then they are counted.
    private func affords(_ count: Int) -> Bool {
        let now = SystemTime.monotonic()
        let milliseconds = min(max(0, now - tellingsTime) / 1_000_000, 10_000)
        if milliseconds > 0 {
            tellingsTime = now
            let more = Int(milliseconds) * Self.tellingsPerSecond / 1_000
            tellings = min(Self.maximumTellings, tellings + more)
        }
        guard count <= tellings else { return false }
        tellings -= count
        return true
    }

    /// Tells that something has happened that is no request; from any thread.
    ///
    /// - Parameter data: What is to be told of it.
    func announce(_ kind: String, _ data: @autoclosure () -> JSONValue) {
        if isUnwatched { return }
        let event = Self.event(kind, data)
        Self.queue.async {
            self.notices.append(event)
            // More than anybody is told at once: those who follow read the state itself.
            if self.notices.count > Self.maximumEvents { self.notices.removeFirst() }
            self.wake()
        }
    }

    private func tellVerdictLater() {
        guard !isVerdictSet, let exchange = viewers.first?.exchange else { return }
        isVerdictSet = true
        exchange.perform(after: Self.verdictPause) {
            Self.queue.async {
                self.isVerdictSet = false
                let data: JSONValue = ["newest": .integer(Int(clamping: self.journal.newest))]
                let event = Self.event("verdict") { data }
                for viewer in self.viewers { viewer.post(event, events: 1) }
            }
        }
    }

    /// Goes on telling a viewer that was too far behind, now that it has read everything.
    private func relieve(_ viewer: EventViewer) {
        dispatchPrecondition(condition: .onQueue(Self.queue))
        guard viewer.isBehind else { return }
        viewer.isBehind = false
        let nothing = journal.earlierNews(after: journal.newest, limit: 0)
        viewer.post(Self.gap(nothing), events: 1)
    }

    private func beatLater(_ viewer: EventViewer) {
        viewer.exchange.perform(after: Self.pulse) {
            Self.queue.async {
                guard !viewer.isGone else { return }
                viewer.post(Array(": still here\n\n".utf8), events: 0)
                self.beatLater(viewer)
            }
        }
    }

    // MARK: Words

    private static func requests(_ entries: [JournalEntry]) -> [UInt8] {
        var octets: [UInt8] = []
        for entry in entries {
            octets += "id: \(entry.id)\nevent: request\ndata: ".utf8
            JSONWriter.append(entry.withoutContents.json, to: &octets)
            octets += "\n\n".utf8
        }
        return octets
    }

    private static func gap(_ news: JournalNews) -> [UInt8] {
        event("gap") {
            [
                "oldest": .integer(Int(clamping: news.oldest)),
                "newest": .integer(Int(clamping: news.newest)),
            ]
        }
    }

    private static func event(_ kind: String, _ data: () -> JSONValue) -> [UInt8] {
        var octets = Array("event: \(kind)\ndata: ".utf8)
        JSONWriter.append(data(), to: &octets)
        octets += "\n\n".utf8
        return octets
    }
}

/// One who follows a session.
///
/// Unchecked Sendable: confined to the queue of the feeds.
private final class EventViewer: @unchecked Sendable {
    let exchange: Exchange
    /// The answer that tells it; set before the queue knows the viewer.
    var stream: ReplyStream?
    var isGone = false
    /// Whether it is told nothing until it has read what waits for it.
    var isBehind = false

    /// What was posted and may not be sent yet: where each telling ends, and how many events it has.
    private var waiting: [(end: Int, events: Int)] = []
    private var postedOctets = 0

    init(_ exchange: Exchange) { self.exchange = exchange }

    /// Sends octets, which other viewers may share, unless the viewer is too far behind.
    func post(_ octets: [UInt8], events: Int) {
        guard !isBehind, !isGone, let stream else { return }
        let sent = stream.sentOctets.load(ordering: .acquiring)
        waiting.removeAll { $0.end <= sent }
        let behind = waiting.reduce(events) { $0 + $1.events }
        let waitingOctets = postedOctets - sent
        guard
            waiting.isEmpty
                || behind <= EventFeed.maximumEvents
                    && waitingOctets + octets.count <= EventFeed.maximumOctets
        else {
            isBehind = true
            stream.awaitsEmptiness.store(true, ordering: .sequentiallyConsistent)
            // The worker looks when it has sent something, which may have been just before.
            exchange.stream([])
            return
        }
        postedOctets += octets.count
        waiting.append((postedOctets, events))
        exchange.stream(octets)
    }
}

extension JournalEntry {
    /// The entry as it is told to those who follow: of contents only what the journal shows unasked.
    var withoutContents: JournalEntry {
        guard hasDetails, details.requestContent != nil || details.answerContent != nil else {
            return self
        }
        var entry = self
        entry.details.requestContent = nil
        entry.details.answerContent = nil
        return entry
    }
}

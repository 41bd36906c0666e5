package import HTTPMessage
package import HTTPTransport
import Journal
package import QUBS
package import Readings
package import Store
package import Time

/// What `serve` can be told, with the defaults of its options; see `ServeCommand`.
package struct Configuration: Sendable {
    /// What the log looks like.
    package enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
        case off
    }

    /// Where to listen, time limits, and limits of connections.
    package var transport = TransportConfiguration()
    package var readyFile: String?
    /// Keeps state across restarts; `nil` is a private temporary database.
    package var databasePath: String?
    package var fixturesPath: String?
    /// The day around which the data lie; `nil` for the present one.
    package var today: LocalDate?
    /// Whether the data change by themselves, until a session is told otherwise.
    package var world = WorldMode.still
    /// The instant around which the data of every session lie; `nil` for when it is opened.
    package var present: Instant?
    package var seed: UInt64 = 1
    /// The order of lists that the documentation leaves open.
    package var order = ListOrder.scattered
    package var faultsPath: String?
    package var scenario: String?
    /// Base of presigned URLs; `nil` takes the request's own `Host`.
    package var publicURL: HTTPURL?
    /// Hosts that a request may name beside loopback and that of `publicURL`, in lower case.
    package var allowedHosts: [String] = []
    package var adminToken: String?
    /// The readings that every session begins with.
    package var readings = ReadingSettings()
    /// Whether injected answers carry `X-Mock-Fault`.
    package var sendsFaultHeader = true
    package var log = LogFormat.text
    /// Entries kept for each session.
    package var journalSize = 10_000
    /// Whether requests are remembered at all.
    var keepsJournal: Bool { journalSize > 0 }
    package var journalKeepsBodies = false
    /// What the journal of each session may hold.
    var journalBounds: JournalSize {
        JournalSize(
            entries: journalSize,
            octetsPerEntry: journalKeepsBodies
                ? JournalSize.octetsPerEntryWithBodies : JournalSize.octetsPerEntry
        )
    }
    /// Descriptors that the databases of all sessions may use.
    package var maximumDatabaseDescriptors = Int.max

    package init() {}

    /// Where the data come from, for people.
    package var seedDescription: String {
        databasePath.map { "database \($0)" } ?? fixturesPath.map { "fixtures \($0)" } ?? "built-in"
    }
}

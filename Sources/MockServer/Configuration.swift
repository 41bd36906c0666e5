package import HTTPTransport
package import QUBS

/// What `serve` can be told; each value has the flag and variable that design and README list.
package struct Configuration: Sendable {
    /// What a final report does to its appointment.
    package enum FinalReport: String, Sendable, CaseIterable {
        case keepsStatus = "keeps-status"
        case finalises
    }

    /// What the log looks like.
    package enum LogFormat: String, Sendable, CaseIterable {
        case text
        case json
        case off
    }

    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port = 8080
    package var readyFile: String?
    /// Keeps state across restarts; `nil` is a private temporary database.
    package var databasePath: String?
    package var fixturesPath: String?
    package var seed: UInt64 = 1
    /// The order of lists that the documentation leaves open.
    package var order = ListOrder.scattered
    package var faultsPath: String?
    package var scenario: String?
    /// Base of presigned URLs; `nil` takes the request's own `Host`.
    package var publicURL: String?
    package var adminToken: String?
    /// 200 or 201.
    package var createdStatus = 200
    package var finalReport = FinalReport.keepsStatus
    /// Whether injected answers carry `X-Mock-Fault`.
    package var sendsFaultHeader = true
    package var workers = 1
    package var log = LogFormat.text
    /// Entries kept for each session.
    package var journalSize = 10_000
    /// Whether requests are remembered at all.
    var keepsJournal: Bool { journalSize > 0 }
    package var journalKeepsBodies = false
    package var headTimeout = Duration.seconds(10)
    package var contentTimeout = Duration.seconds(30)
    package var idleTimeout = Duration.seconds(75)
    package var maximumConnections = 10_000

    package init() {}

    /// Where the data come from, for people.
    package var seedDescription: String {
        databasePath.map { "database \($0)" } ?? fixturesPath.map { "fixtures \($0)" } ?? "built-in"
    }

    /// The part that the transport needs.
    package var transport: TransportConfiguration {
        var transport = TransportConfiguration()
        transport.host = host
        transport.port = port
        transport.workers = workers
        transport.maximumConnections = maximumConnections
        transport.headTimeout = headTimeout
        transport.contentTimeout = contentTimeout
        transport.idleTimeout = idleTimeout
        return transport
    }
}

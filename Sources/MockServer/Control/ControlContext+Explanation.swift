import ContractData
import Explain
import JSON
import Journal
import Store
import Time

extension ControlContext {
    /// Why a request was refused, and what would have been right.
    ///
    /// - Parameters:
    ///   - reader: Reads the session's data, on the thread that it belongs to.
    ///   - baseURL: Where the line of curl asks.
    func explanation(
        of entry: JournalEntry,
        in session: Session,
        reader: SessionReader,
        baseURL: String
    ) -> JSONValue {
        let isDocument = ServiceDocuments.form(ofPath: Array(entry.path.utf8)) != nil
        let facts = ExplanationFacts(
            of: entry,
            session: (session.name, session.journal),
            contract: server.contract,
            clients: server.clients,
            records: SessionRecords(reader, pendingStatus: server.reporting.pendingStatus),
            now: session.clock.now(),
            baseURL: baseURL,
            serviceMethods: isDocument ? ServiceDocuments.methods : nil,
            maximumContentOctets: (
                ContentLimits.maximumUploadOctets, ContentLimits.maximumJSONOctets
            )
        )
        return Explanation(of: facts).json
    }
}

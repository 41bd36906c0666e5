package import Contract
import HTTPMessage
import Journal
import Time
import Verdict

/// The verdict on a recording.
package struct RecordingVerdict: Sendable {
    package let judgement: Judgement
    /// Requests that are none of the API's, and were not judged.
    package let others: Int

    /// Judges the client of a recording.
    ///
    /// Checks that need what only the mock knows are not judged, and neither are those that need
    /// contents where the recording has none.
    package init(_ archive: HTTPArchive, contract: OpenAPIContract, isStrict: Bool) {
        var journal = RecordedJournal(
            contract: contract,
            capacity: archive.exchanges.count
        )
        for exchange in archive.exchanges { journal.add(exchange) }
        var context = VerdictContext(
            session: "recording",
            operations: contract.operations.filter(\.isPartnerOperation)
                .map(VerdictContext.OperationFacts.init),
            isStrict: isStrict,
            monotonicNow: archive.exchanges.map(\.ended).max()
        )
        context.unprovable = RecordingLimits.unprovable
        if journal.lacksContents {
            context.unprovable.merge(RecordingLimits.needContents) { first, _ in first }
        }
        if journal.hasForbiddenUploads {
            context.unprovable.merge(RecordingLimits.needReasons) { first, _ in first }
        }
        judgement = Judgement(report: verdict(of: journal.entries, context: context))
        others = journal.others
    }
}

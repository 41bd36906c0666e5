/// Writes of one session that are stored in one transaction.
///
/// A page of the database that several of them change goes to the disk once, and so does the end of
/// the transaction: many writes at once cost little more than one.
package final class WriteGroup {
    private let writer: SessionWriter
    /// Why nothing of the group can be stored.
    private(set) var failure: StoreError?

    init(_ writer: SessionWriter) {
        self.writer = writer
    }

    /// Runs `body` as part of the transaction.
    func write<Result>(
        by origin: (() -> ChangeOrigin)?,
        _ body: (SessionWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        if let failure { throw failure }
        let before = writer.tables.database.totalChanges
        do throws(StoreError) {
            let result = try body(writer)
            try writer.logChanges(by: origin)
            return result
        } catch {
            // A refusal that comes before any change takes nothing from the others.
            if case .rule = error, writer.tables.database.totalChanges == before { throw error }
            failure = error
            throw error
        }
    }
}

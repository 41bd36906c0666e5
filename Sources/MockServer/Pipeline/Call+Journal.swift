import Journal
import Store

// The place of a call in the journal, where it gets one before its answer.

extension Call {
    /// Gives the entry away: nothing more is noted in it.
    func takeEntry() -> JournalEntry {
        var taken = JournalEntry.blank
        swap(&taken, &entry)
        return taken
    }

    /// Puts an entry of a call that is not answered yet into the journal.
    ///
    /// - Returns: Its number, which the call keeps.
    @discardableResult
    func enterJournal(_ entry: JournalEntry) -> UInt64 {
        let journal = session.journal
        if let number {
            journal.complete(number, with: entry)
            return number
        }
        let number = journal.append(entry)
        self.number = number
        return number
    }

    /// Who makes the changes of a call, for their log.
    ///
    /// The call gets its place in the journal now: the number is to be stored with the changes. What
    /// the entry says is written with the answer; until then nothing of it is shown that may be a name.
    func changeOrigin() -> ChangeOrigin {
        if number == nil {
            var entry = JournalEntry(
                requestID: self.entry.requestID,
                session: self.entry.session,
                kind: self.entry.kind,
                method: self.entry.method,
                path: self.entry.path,
                connection: self.entry.connection,
                wallTime: self.entry.wallTime,
                arrival: self.entry.arrival
            )
            entry.operation = self.entry.operation
            entry.client = self.entry.client
            entry.domain = self.entry.domain
            entry.appointmentID = self.entry.appointmentID
            entry.clockMoves = self.entry.clockMoves
            entry.traits.insert(.unexamined)
            enterJournal(entry)
        }
        return ChangeOrigin(
            requestID: correlation.text,
            request: number,
            journal: session.journalKey,
            client: self.entry.client,
            time: now
        )
    }

    /// 400 for a field of the mock's own, which no contract describes.
    func refusal(
        field: String,
        keyword: String,
        _ message: String,
        detail: String
    ) -> Problem {
        entry.details.violations.append(
            JournalViolation(
                location: "header",
                name: field,
                keyword: keyword,
                message: message,
                contractPointer: ""
            )
        )
        return Problem(.contract, 400, detail, errors: [(field, [message])])
    }
}

// What the server looks for where it does not belong: names and Medicare numbers, in bulk.

extension SessionStore {
    /// A reader for work beside the workers', which holds none of them up.
    ///
    /// One piece of such work of a session waits for another.
    package func backgroundReader() -> SessionReader {
        reader(worker: backgroundWorker)
    }

    /// The same of what the session started with, which takes none of its files.
    package func startReader() -> SessionReader {
        SessionReader(session: self, worker: backgroundWorker, isOfStart: true)
    }
}

extension SessionReader {
    private func read(_ body: (Tables) throws(StoreError) -> Void) throws(StoreError) {
        if isOfStart {
            try session.readStart(worker, body)
        } else {
            try session.read(worker, body)
        }
    }

    /// Calls `body` with the given and the family name of each patient that has both.
    package func forEachPatientName(
        _ body: (_ given: String, _ family: String) -> Void
    ) throws(StoreError) {
        try read { tables throws(StoreError) in
            // The objects are kept as octets, which SQLite reads as JSON only when told that they are text.
            let names = Statement(
                tables.database,
                """
                SELECT json ->> '$.firstName' AS given, json ->> '$.lastName' AS family
                FROM (SELECT CAST(summary AS TEXT) AS json FROM patient)
                WHERE given IS NOT NULL AND family IS NOT NULL
                """
            )
            try names.prepare()
            defer { names.reset() }
            while try names.step() { body(names.text(0), names.text(1)) }
        }
    }

    /// Calls `body` with each Medicare number of the billing records.
    package func forEachMedicareNumber(_ body: (String) -> Void) throws(StoreError) {
        try read { tables throws(StoreError) in
            let numbers = Statement(
                tables.database,
                """
                SELECT DISTINCT CAST(json AS TEXT) ->> '$.medicareNumber' AS number FROM billing
                WHERE number IS NOT NULL
                """
            )
            try numbers.prepare()
            defer { numbers.reset() }
            while try numbers.step() { body(numbers.text(0)) }
        }
    }
}

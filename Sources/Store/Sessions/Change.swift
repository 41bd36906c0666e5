package import Time

/// One effect of a write on the records of a session.
package struct Change: Sendable, Hashable {
    /// What kind of record it was about.
    package enum Kind: String, Sendable, CaseIterable {
        case comment
        case report
        /// An upload was announced, and its URL given out.
        case uploadURL = "upload-url"
        /// An upload got its content.
        case upload
        case appointment
        case patient
        case site
    }

    /// What became of the record.
    package enum Action: String, Sendable {
        case added
        case replaced
        case removed
    }

    package var kind: Kind
    package var action: Action
    package var domain: String
    /// The appointment that the record is, or belongs to.
    package var appointmentID: String?
    /// The record's own: a guid, an identifier or a name.
    package var id: String
    /// The record as it was stored, a JSON object; `nil` where it was removed.
    package var value: [UInt8]?
}

/// The request that made a change.
package struct ChangeOrigin: Sendable, Hashable {
    /// The correlation id.
    package var requestID: String
    /// Its number in the journal; `nil` where it is in none.
    package var request: UInt64?
    /// Tells the journal with that number from those of earlier runs, which count from 1 as well.
    package var journal: Int64
    package var client: String?
    package var time: Instant

    package init(
        requestID: String,
        request: UInt64?,
        journal: Int64,
        client: String?,
        time: Instant
    ) {
        self.requestID = requestID
        self.request = request
        self.journal = journal
        self.client = client
        self.time = time
    }
}

/// The effects of a session's writes since its data were laid, oldest first.
package struct ChangeLog: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var change: Change
        package var origin: ChangeOrigin
    }

    package var items: [Item]
    /// How many older ones made room for these.
    package var dropped: Int

    /// How many changes are kept at most.
    package static let maximumItems = 100_000
    /// How many octets of records are kept with them; the newest is kept in any case.
    package static let maximumOctets = 64 << 20
}

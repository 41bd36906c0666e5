// What one entry may take: the journal is bounded in octets, and so is each entry, or one client with
// long paths would push out what the others did.

extension JournalEntry {
    /// Octets of a text that an entry keeps: paths of real clients are far shorter.
    package static let maximumTextOctets = 1_024

    /// Violations that an entry keeps: the first say what kind of mistake it was.
    package static let maximumViolations = 10

    /// An entry that says nothing, in the place of one that was dropped.
    static let blank = JournalEntry(
        requestID: "",
        session: "",
        kind: .other,
        method: "",
        path: "",
        connection: 0,
        wallTime: 0,
        arrival: 0
    )

    /// Cuts what is longer than an entry may be.
    mutating func cut() {
        Self.cut(&path)
        Self.cut(&method)
        Self.cut(&requestID)
        if domain != nil { Self.cut(&domain) }
        if appointmentID != nil { Self.cut(&appointmentID) }
        guard hasDetails else { return }
        if details.violations.count > Self.maximumViolations {
            details.violationsOmitted += details.violations.count - Self.maximumViolations
            // A new array: a shortened one keeps the room of all that it had.
            details.violations = Array(details.violations.prefix(Self.maximumViolations))
        }
        for index in details.violations.indices {
            // A message lists what is allowed, and may be longer than a name.
            Self.cut(&details.violations[index].name)
            Self.cut(&details.violations[index].sent)
        }
        if details.contentType != nil { Self.cut(&details.contentType) }
        if let guid = details.presigned?.guid, guid.utf8.count > Self.maximumTextOctets {
            details.presigned?.guid = Self.cutText(guid)
        }
    }

    private static func cut(_ text: inout String?) {
        if let value = text, value.utf8.count > maximumTextOctets { text = cutText(value) }
    }

    private static func cut(_ text: inout String) {
        if text.utf8.count > maximumTextOctets { text = cutText(text) }
    }

    private static func cutText(_ text: String) -> String {
        String(decoding: text.utf8.prefix(maximumTextOctets), as: UTF8.self) + "\u{2026}"
    }

    /// Octets of memory that the entry takes, about: what it is made of, and what its texts, lists and
    /// contents hold.
    var octets: Int {
        var octets = MemoryLayout<JournalEntry>.stride
        octets += Self.octets(of: requestID) + Self.octets(of: path)
        octets += Self.octets(of: domain) + Self.octets(of: appointmentID)
        octets += Self.octets(of: userAgent)
        guard hasDetails else { return octets }
        octets += MemoryLayout<JournalDetails>.stride
        octets += Self.octets(of: details.contentType)
        for parameter in details.query {
            octets += MemoryLayout<JournalDetails.QueryParameter>.stride
            // The names of those that are known are the contract's.
            if !parameter.isKnown { octets += Self.octets(of: parameter.name) }
        }
        for violation in details.violations {
            octets += MemoryLayout<JournalViolation>.stride + Self.octets(of: violation.name)
            octets += Self.octets(of: violation.message) + Self.octets(of: violation.sent)
            octets += Self.octets(of: violation.contractPointer)
        }
        for upload in details.uploadsIssued {
            octets += MemoryLayout<JournalDetails.PresignedURL>.stride
            octets += Self.octets(of: upload.guid)
        }
        octets += details.requestContent?.count ?? 0
        octets += details.answerContent?.count ?? 0
        return octets
    }

    private static func octets(of text: String?) -> Int {
        guard let count = text?.utf8.count, count > 15 else { return 0 }
        // Short texts stand in the entry itself; others have a header.
        return count + 32
    }
}

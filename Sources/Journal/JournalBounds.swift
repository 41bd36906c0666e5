// What one entry may take: the journal is bounded in octets, and so is each entry, or one client with
// long paths would push out what the others did.

extension JournalEntry {
    /// Octets of a text that an entry keeps: paths of real clients are far shorter.
    package static let maximumTextOctets = 1_024

    /// Violations that an entry keeps: the first say what kind of mistake it was.
    package static let maximumViolations = 10

    /// An entry that says nothing, in the place of one that was dropped or handed on.
    package static let blank = JournalEntry(
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
            // Texts that were put together have room for as much again.
            Self.fit(&details.violations[index].message)
            Self.fit(&details.violations[index].contractPointer)
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

    /// Gives a text no more room than it takes.
    private static func fit(_ text: inout String) {
        text.utf8.withContiguousStorageIfAvailable { String(decoding: $0, as: UTF8.self) }
            .map { text = $0 }
    }

    private static func cutText(_ text: String) -> String {
        String(decoding: text.utf8.prefix(maximumTextOctets), as: UTF8.self) + "\u{2026}"
    }

    /// Octets of memory that the entry takes: its place, and what its texts, lists and contents hold.
    ///
    /// Texts of the contract and of the session are others', and are not counted.
    var octets: Int {
        // The place in the ring, and that of the entry's cost.
        var octets = MemoryLayout<JournalEntry>.stride + MemoryLayout<Int>.stride
        octets += Self.octets(of: requestID) + Self.octets(of: path) + Self.octets(of: method)
        octets += Self.octets(of: domain) + Self.octets(of: appointmentID)
        octets += Self.octets(of: userAgent)
        guard hasDetails else { return octets }
        octets += Self.block(JournalDetailsBox.headerOctets + MemoryLayout<JournalDetails>.size)
        octets += Self.octets(of: details.contentType)
        octets += Self.octets(of: details.traceParent)
        octets += Self.octets(of: details.presigned?.guid)
        octets += Self.octets(of: details.query)
        for parameter in details.query {
            // The names of those that are known are the contract's.
            if !parameter.isKnown { octets += Self.octets(of: parameter.name) }
        }
        octets += Self.octets(of: details.violations)
        for violation in details.violations {
            octets += Self.octets(of: violation.name) + Self.octets(of: violation.message)
            octets += Self.octets(of: violation.sent)
            octets += Self.octets(of: violation.contractPointer)
        }
        octets += Self.octets(of: details.uploadsIssued)
        for upload in details.uploadsIssued { octets += Self.octets(of: upload.guid) }
        if let content = details.requestContent { octets += Self.octets(of: content) }
        if let content = details.answerContent { octets += Self.octets(of: content) }
        return octets
    }

    private static func octets(of text: String?) -> Int {
        // Short texts stand in the entry itself; others have a header, and a zero at their end.
        guard let count = text?.utf8.count, count > 15 else { return 0 }
        return block(32 + count + 1)
    }

    private static func octets<Element>(of list: [Element]) -> Int {
        list.capacity == 0 ? 0 : block(32 + list.capacity * MemoryLayout<Element>.stride)
    }

    /// What the allocator takes for a block: a header of eight octets, and sixteens.
    private static func block(_ octets: Int) -> Int { (octets + 8 + 15) & ~15 }
}

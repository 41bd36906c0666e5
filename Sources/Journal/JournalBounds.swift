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
        if hasDetails, details.isTooLong { details.cut() }
    }

    fileprivate static func cut(_ text: inout String?) {
        if let value = text, value.utf8.count > maximumTextOctets { text = cutText(value) }
    }

    fileprivate static func cut(_ text: inout String) {
        if text.utf8.count > maximumTextOctets { text = cutText(text) }
    }

    /// Gives a text no more room than it takes.
    fileprivate static func fit(_ text: inout String) {
        text.utf8.withContiguousStorageIfAvailable { String(decoding: $0, as: UTF8.self) }
            .map { text = $0 }
    }

    fileprivate static func cutText(_ text: String) -> String {
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
        return octets + details.octets
    }

    fileprivate static func octets(of text: String?) -> Int {
        // Short texts stand in the entry itself; others have a header, and a zero at their end.
        guard let count = text?.utf8.count, count > 15 else { return 0 }
        return block(32 + count + 1)
    }

    fileprivate static func octets<Element>(of list: [Element]) -> Int {
        list.capacity == 0 ? 0 : block(32 + list.capacity * MemoryLayout<Element>.stride)
    }

    /// What the allocator takes for a block: a header of eight octets, and sixteens.
    fileprivate static func block(_ octets: Int) -> Int { (octets + 8 + 15) & ~15 }
}

extension JournalDetails {
    /// Whether there is anything that `cut` might change.
    fileprivate var isTooLong: Bool {
        !violations.isEmpty
            || (contentType?.utf8.count ?? 0) > JournalEntry.maximumTextOctets
            || (presigned?.guid.utf8.count ?? 0) > JournalEntry.maximumTextOctets
    }

    /// Cuts what is longer than an entry may be.
    fileprivate mutating func cut() {
        if violations.count > JournalEntry.maximumViolations {
            violationsOmitted += violations.count - JournalEntry.maximumViolations
            // A new array: a shortened one keeps the room of all that it had.
            violations = Array(violations.prefix(JournalEntry.maximumViolations))
        }
        for index in violations.indices {
            // A message lists what is allowed, and may be longer than a name.
            JournalEntry.cut(&violations[index].name)
            JournalEntry.cut(&violations[index].sent)
            // Texts that were put together have room for as much again.
            JournalEntry.fit(&violations[index].message)
            JournalEntry.fit(&violations[index].contractPointer)
        }
        JournalEntry.cut(&contentType)
        if let guid = presigned?.guid, guid.utf8.count > JournalEntry.maximumTextOctets {
            presigned?.guid = JournalEntry.cutText(guid)
        }
    }

    /// Octets of memory that the details take, the box around them included.
    fileprivate var octets: Int {
        var octets = JournalEntry.block(
            JournalDetailsBox.headerOctets + MemoryLayout<JournalDetails>.size
        )
        octets += JournalEntry.octets(of: contentType)
        octets += JournalEntry.octets(of: traceParent)
        octets += JournalEntry.octets(of: presigned?.guid)
        octets += JournalEntry.octets(of: query)
        for parameter in query where !parameter.isKnown {
            // The names of those that are known are the contract's.
            octets += JournalEntry.octets(of: parameter.name)
        }
        octets += JournalEntry.octets(of: violations)
        for violation in violations {
            octets += JournalEntry.octets(of: violation.name)
            octets += JournalEntry.octets(of: violation.message)
            octets += JournalEntry.octets(of: violation.sent)
            octets += JournalEntry.octets(of: violation.contractPointer)
        }
        octets += JournalEntry.octets(of: uploadsIssued)
        for upload in uploadsIssued { octets += JournalEntry.octets(of: upload.guid) }
        if let content = requestContent { octets += JournalEntry.octets(of: content) }
        if let content = answerContent { octets += JournalEntry.octets(of: content) }
        return octets
    }
}

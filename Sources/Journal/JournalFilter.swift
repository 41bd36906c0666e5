import Time

/// Which entries of a journal are asked for.
package struct JournalFilter: Sendable {
    /// An operationId as the contract spells it, or `token`, `upload`, `download`, `other`; `nil`
    /// for all.
    package var operation: String?
    /// A client id without session suffix; `nil` for all.
    package var client: String?
    package var status: Status?
    package var since: Since?
    /// Only entries with a lower id; `nil` for all.
    package var before: UInt64?
    /// At most this many.
    package var limit: Int

    /// What is answered when nothing is said.
    package static let defaultLimit = 100

    package init(
        operation: String? = nil,
        client: String? = nil,
        status: Status? = nil,
        since: Since? = nil,
        before: UInt64? = nil,
        limit: Int = defaultLimit
    ) {
        self.operation = operation
        self.client = client
        self.status = status
        self.since = since
        self.before = before
        self.limit = limit
    }

    /// One status code, or a class of them.
    package struct Status: Sendable, Equatable {
        package let range: ClosedRange<UInt16>

        /// Parses `429` or `4xx` (in either case); `nil` for anything else.
        package init?(parsing text: String) {
            let octets = Array(text.utf8)
            guard octets.count == 3, 0x31...0x39 ~= octets[0] else { return nil }
            let hundreds = UInt16(octets[0] - 0x30) * 100
            if octets[1] | 0x20 == 0x78, octets[2] | 0x20 == 0x78 {
                range = hundreds...(hundreds + 99)
                return
            }
            guard 0x30...0x39 ~= octets[1], 0x30...0x39 ~= octets[2] else { return nil }
            let code = hundreds + UInt16(octets[1] - 0x30) * 10 + UInt16(octets[2] - 0x30)
            range = code...code
        }
    }

    /// Where to begin.
    package enum Since: Sendable, Equatable {
        /// After the entry with this id.
        case id(UInt64)
        /// At this wall time or later, in nanoseconds since 1970.
        case time(Int64)

        /// Parses an id (digits) or a date-time (RFC 3339); `nil` for anything else.
        package init?(parsing text: String) {
            if !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
                guard let id = UInt64(text) else { return nil }
                self = .id(id)
            } else {
                guard let time = Timestamp.nanoseconds(parsing: text) else { return nil }
                self = .time(time)
            }
        }
    }

    /// Whether an entry passes.
    package func matches(_ entry: JournalEntry) -> Bool {
        if let before, entry.id >= before { return false }
        if let operation {
            let name = entry.kind == .operation ? entry.operation ?? "" : entry.kind.rawValue
            guard name == operation else { return false }
        }
        if let client, entry.client != client { return false }
        if let status {
            guard let code = entry.status, status.range.contains(code) else { return false }
        }
        switch since {
        case nil: return true
        case .id(let id): return entry.id > id
        case .time(let time): return entry.wallTime >= time
        }
    }

    /// Whether no entry with this id or a lower one can pass.
    func isPast(_ id: UInt64) -> Bool {
        if case .id(let since) = since { id <= since } else { false }
    }
}

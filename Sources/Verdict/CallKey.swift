import Journal

/// What two requests have in common that ask for the same.
struct CallKey: Hashable {
    let session: String
    let client: String?
    let method: String
    let path: String
    let query: JournalDigest?
    let content: JournalDigest?

    /// - Parameter content: Whether their contents are the same, too.
    init(_ entry: JournalEntry, content: Bool) {
        session = entry.session
        client = entry.client
        method = entry.method
        path = entry.path
        query = entry.queryDigest
        self.content = content ? entry.contentDigest : nil
    }
}

/// An idempotency key of one client: the same key of another is another.
struct ClientKey: Hashable {
    let session: String
    let client: String?
    let key: JournalDigest

    /// - Returns: `nil` for a request without a key.
    init?(_ entry: JournalEntry) {
        guard let key = entry.details.idempotencyKey?.digest else { return nil }
        session = entry.session
        client = entry.client
        self.key = key
    }
}

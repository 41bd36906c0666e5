import Journal

/// What a request is after, in whatever words: two requests with one wish ask for the same.
///
/// The order and the spelling of parameters make no difference, nor do values written out that are
/// the default, nor the size of a page: a client that asks for less after a time-out still wants the
/// same. A presigned URL that was given out anew leads to the same file.
struct Wish: Hashable {
    let list: ListWish
    /// Where in the list: `skip`, or the cursor.
    let position: Position
    let key: JournalDigest?
    /// Of a POST without a key.
    let content: JournalDigest?

    enum Position: Hashable {
        case start
        case skip(Int)
        case cursor(JournalDigest)
    }

    init(_ entry: JournalEntry) {
        list = ListWish(entry)
        var position = Position.start
        for parameter in entry.details.query where parameter.isKnown {
            switch (parameter.name, parameter.value) {
            case ("skip", .integer(let skip)) where skip > 0: position = .skip(skip)
            case ("nextToken", .digest(let token)): position = .cursor(token)
            default: break
            }
        }
        self.position = position
        let isPost = entry.method == "POST" && entry.kind != .token
        key = isPost ? entry.details.idempotencyKey?.digest : nil
        content =
            isPost && key == nil ? entry.details.fingerprint ?? entry.contentDigest : nil
    }
}

/// A call, whatever part of a list it asks for and whatever it sends.
struct ListWish: Hashable {
    let session: String
    let client: String?
    let method: String
    let path: String
    let filters: [Filter]
    /// Of a query whose parameters nobody has read.
    let query: JournalDigest?

    struct Filter: Hashable {
        let name: String
        let value: JournalDetails.QueryParameter.Value
    }

    /// What says which part of a list is wanted, or how much of it.
    private static let parts: Set<String> = ["skip", "take", "pageSize", "nextToken"]
    /// Values that mean the same as leaving the parameter out.
    private static let defaults: [Filter] = [
        Filter(name: "expiresInSeconds", value: .integer(900)),
        Filter(name: "disposition", value: .word("inline")),
    ]

    init(_ entry: JournalEntry) {
        session = entry.session
        client = entry.client
        // HEAD asks for the same as GET, and wants to see less of it.
        method = entry.method == "HEAD" ? "GET" : entry.method
        switch entry.kind {
        case .token:
            // One chain, whatever its form: Basic, fields of the form, another grant.
            path = ""
            filters = []
            query = nil
        case .upload, .download:
            path = PathSpelling.plain(entry.path)
            filters = []
            query = nil
        case .operation, .other:
            path = PathSpelling.plain(entry.path)
            filters = entry.details.query
                .filter { !(($0.isKnown) && Self.parts.contains($0.name)) }
                .map { Filter(name: $0.name, value: $0.value) }
                .filter { !Self.defaults.contains($0) }
                .sorted { $0.name < $1.name }
            query = entry.details.query.isEmpty ? entry.queryDigest : nil
        }
    }
}

/// Paths as they are meant: `%41` is `A`.
enum PathSpelling {
    static func plain(_ path: String) -> String {
        guard path.utf8.contains(UInt8(ascii: "%")) else { return path }
        let octets = Array(path.utf8)
        var plain: [UInt8] = []
        var place = 0
        while place < octets.count {
            if octets[place] == UInt8(ascii: "%"), place + 2 < octets.count,
                let high = digit(octets[place + 1]), let low = digit(octets[place + 2])
            {
                let octet = high << 4 | low
                // An encoded slash parts nothing.
                plain += octet == UInt8(ascii: "/") ? Array("%2F".utf8) : [octet]
                place += 3
            } else {
                plain.append(octets[place])
                place += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

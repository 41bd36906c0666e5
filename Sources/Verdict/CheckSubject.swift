import Journal

/// The calls that a check is about: it is asked only of a client that made one.
enum CheckSubject {
    /// Any request.
    case anything
    /// A POST of the API, which takes an idempotency key.
    case write
    case cursorList
    case offsetList
    /// An upload URL, given out or used.
    case uploadURLs
    /// A call of the reporting workflow on an appointment.
    case reporting

    /// By the family of the check's id, since a family is about one kind of calls.
    init(_ id: String) {
        switch id.split(separator: ".").first {
        case "idempotency": self = .write
        case "paging" where id.hasPrefix("paging.offset-"): self = .offsetList
        case "paging": self = .cursorList
        case "upload": self = .uploadURLs
        case "reporting": self = .reporting
        default: self = .anything
        }
    }

    /// What a client did not do that made no such call, in words.
    var absence: String {
        switch self {
        case .anything: "sent no request"
        case .write: "sent no POST"
        case .cursorList: "read no list that is paged by nextToken"
        case .offsetList: "read no list that is paged by skip and take"
        case .uploadURLs: "never got an upload URL"
        case .reporting: "called no reporting operation on an appointment"
        }
    }

    /// Whether an entry is such a call.
    func covers(_ index: Int, _ time: Timeline) -> Bool {
        let entry = time.entries[index]
        switch self {
        case .anything: return true
        case .write: return time.facts(index)?.idempotencyRetention != nil
        case .cursorList: return time.facts(index)?.paging == .cursor
        case .offsetList: return time.facts(index)?.paging == .offset
        case .uploadURLs: return entry.kind == .upload || !entry.details.uploadsIssued.isEmpty
        case .reporting: return entry.appointmentID != nil && time.facts(index)?.isReporting == true
        }
    }

    /// Whether one of the requests is such a call.
    func isCalled(_ time: Timeline) -> Bool { time.entries.indices.contains { covers($0, time) } }
}

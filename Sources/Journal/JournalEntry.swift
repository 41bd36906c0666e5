/// One request, as the journal remembers it: enough to judge the client, nothing to leak.
///
/// Made once a request on the hot path, so what most requests lack stands in `details`, which
/// costs one allocation when the first of its members is set. All monotonic times are nanoseconds
/// of one clock; all wall times come from the session's clock, which tests may stop and move.
package struct JournalEntry: Sendable {
    /// Its number in the session's journal, from 1; given by `RequestJournal.append`.
    package internal(set) var id: UInt64 = 0
    /// The correlation id: the client's own where it was well-formed, else made by the mock.
    package var requestID: String
    package var session: String
    /// The client id without its session suffix; `nil` where none was recognised.
    package var client: String?
    package var kind: Kind
    /// The operationId as the contract spells it, where `kind` is `.operation`.
    package var operation: String?
    package var method: String
    /// The path with its identifiers, as sent; never the query.
    package var path: String
    package var domain: String?
    package var appointmentID: String?
    package var userAgent: String?

    /// When the head had arrived, in nanoseconds since 1970 by the session's clock.
    package var wallTime: Int64
    /// When the head had arrived, on the monotonic clock.
    package var arrival: Int64
    /// When the first octet of the answer was sent, on the monotonic clock.
    package var answerBegan: Int64?
    /// When the last octet was sent, the answer was cut, or the client was seen to have left.
    package var answerEnded: Int64?

    /// The digest of the whole query, as sent; `nil` without a query.
    package var queryDigest: JournalDigest?
    /// The digest of the content, as sent; `nil` without content.
    package var contentDigest: JournalDigest?
    /// The length of the content, in octets.
    package var contentOctets = 0
    /// The digest of the id (or octets) of the token that was sent, or that was issued here.
    package var token: JournalDigest?
    /// The `exp` of that token, in seconds since 1970.
    package var tokenExpiry: Int64?
    /// The number of the connection within the server's life.
    package var connection: UInt64
    /// The length of the answer's content, in octets.
    package var answerOctets = 0
    /// How many items a list answered.
    package var itemCount: Int32?
    /// How often the session's clock had been set or advanced when the request arrived.
    package var clockMoves: UInt32 = 0
    /// How often the control API had changed the session's records or ledger when the request arrived.
    package var interventions: UInt32 = 0
    /// The status code of the answer; `nil` where none was sent or tried.
    package var status: UInt16?
    package var delivery = Delivery.pending
    package var idempotency = IdempotencyOutcome.none
    package var refusal: JournalRefusal?
    package var findings: Findings = []
    package var traits: Traits = []
    /// Whether the request changed what the mock keeps (a replay does not).
    package var committed = false

    /// Whether `details` holds anything.
    package private(set) var hasDetails = false
    private var box: JournalDetailsBox?

    package init(
        requestID: String,
        session: String,
        kind: Kind,
        method: String,
        path: String,
        connection: UInt64,
        wallTime: Int64,
        arrival: Int64
    ) {
        self.requestID = requestID
        self.session = session
        self.kind = kind
        self.method = method
        self.path = path
        self.connection = connection
        self.wallTime = wallTime
        self.arrival = arrival
    }

    /// What only some requests have.
    ///
    /// Reading costs nothing; the first change allocates.
    package var details: JournalDetails {
        _read {
            if let box { yield box.value } else { yield JournalDetails.none }
        }
        _modify {
            // Not bound to a name before: that would be a second reference.
            if !isKnownUniquelyReferenced(&box) {
                box = JournalDetailsBox(box?.value ?? JournalDetails())
                hasDetails = true
            }
            guard let box else { preconditionFailure("an entry without details") }
            yield &box.value
        }
    }

    /// What a request was about.
    package enum Kind: String, Sendable {
        /// One of the operations of the API.
        case operation
        /// The token endpoint.
        case token
        /// `PUT` (or anything else) to an upload URL.
        case upload
        /// `GET` of a presigned download URL.
        case download
        /// Everything else: unknown paths, the published keys, the contract.
        case other

        /// The kinds that a filter names by themselves; operations have ids of their own.
        package static let named: [Kind] = [.token, .upload, .download, .other]
    }

    /// How the answer reached the client.
    package enum Delivery: String, Sendable {
        /// Not yet ended.
        case pending
        /// To its last octet.
        case complete
        /// A fault cut it, or never sent it.
        case cut
        /// The client closed the connection before the end.
        case clientLeft = "client-left"
    }

    /// What the idempotency ledger said.
    package enum IdempotencyOutcome: String, Sendable {
        /// No key, or not asked.
        case none
        /// The key was new.
        case first
        /// The kept answer was repeated.
        case replay
        /// The key stands for another payload.
        case conflict
    }

    /// What does not belong into a request, found when it arrived.
    package struct Findings: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The full name of a patient in path or query.
        package static let patientNameInURL = Findings(rawValue: 1)
        package static let medicareNumberInURL = Findings(rawValue: 1 << 1)
        /// A full patient name or a Medicare number in the correlation id.
        package static let patientDataInRequestID = Findings(rawValue: 1 << 2)
        package static let tokenInURL = Findings(rawValue: 1 << 3)
        /// A token in content, other than a refresh token at the token endpoint.
        package static let tokenInContent = Findings(rawValue: 1 << 4)
        /// A part of a token in the correlation id.
        package static let tokenInRequestID = Findings(rawValue: 1 << 5)
        /// A full patient name or a Medicare number in `Idempotency-Key`, `User-Agent` or `Referer`.
        package static let patientDataInField = Findings(rawValue: 1 << 6)

        /// What stands in path or query, and must not be repeated.
        package static let inURL: Findings = [.patientNameInURL, .medicareNumberInURL, .tokenInURL]

        /// What stands in the correlation id, and must not be repeated.
        package static let inRequestID: Findings = [.patientDataInRequestID, .tokenInRequestID]

        /// The words of the journal's JSON, in the order of the bits.
        package static let names = [
            "patient-name-in-url", "medicare-number-in-url", "patient-data-in-request-id",
            "token-in-url", "token-in-content", "token-in-request-id",
            "patient-data-in-field",
        ]

        /// The names of the findings in this set.
        package var names: [String] {
            Self.names.enumerated().compactMap { rawValue & 1 << $0.offset != 0 ? $0.element : nil }
        }
    }

    /// Which fields a request had.
    package struct Traits: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `X-Correlation-Id` was sent.
        package static let sentRequestID = Traits(rawValue: 1)
        /// It was sent, and could not be used.
        package static let malformedRequestID = Traits(rawValue: 1 << 1)
        /// `Authorization` was sent.
        package static let authorization = Traits(rawValue: 1 << 2)
        /// `Content-Length` was sent.
        package static let contentLength = Traits(rawValue: 1 << 3)
        /// `Prefer` was sent.
        package static let preference = Traits(rawValue: 1 << 4)
        /// The request is held up, and its URL or correlation id may hold a name.
        ///
        /// That is known with the answer. Until then both are withheld, and nobody is blamed.
        package static let unexamined = Traits(rawValue: 1 << 5)
    }
}

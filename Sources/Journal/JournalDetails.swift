/// What only some requests have.
package struct JournalDetails: Sendable {
    /// The query parameters, in the order sent.
    package var query: [QueryParameter] = []
    /// The media type sent, without credentials of any kind in it.
    package var contentType: String?
    package var idempotencyKey: IdempotencyKey?
    /// `traceparent`, where it is well-formed.
    package var traceParent: String?
    /// The digest by which the ledger compares payloads: members sorted, white space normalised.
    package var fingerprint: JournalDigest?
    package var fault: JournalFault?
    package var retryAfter: RetryAfter?
    /// The readings in which the answer departs from the default.
    package var readings: [Reading] = []
    package var violations: [JournalViolation] = []
    /// How many violations are not kept: see `JournalEntry.maximumViolations`.
    package var violationsOmitted = 0
    package var nextTokenSent: SentNextToken?
    /// The digest of the `nextToken` in the answer.
    package var nextTokenIssued: JournalDigest?
    /// `skip` as it took effect, its default included.
    package var skip: Int32?
    /// `take` as it took effect, its default included.
    package var take: Int32?
    /// `pageSize` as it took effect, its default included.
    package var pageSize: Int32?
    /// The `grant_type` of a token request, where it is a known one.
    package var grant: Grant?
    /// The guid in a presigned URL, and when the URL ends.
    package var presigned: PresignedURL?
    /// The upload URLs in the answer, those of a replay included.
    package var uploadsIssued: [PresignedURL] = []
    /// What an upload held, where it is not what a file of its type holds.
    package var uploadFlaw: UploadFlaw?
    /// What a report said of itself.
    package var report: Report?
    /// The content of the request, kept only on demand.
    package var requestContent: [UInt8]?
    /// The content of the answer, kept only on demand.
    package var answerContent: [UInt8]?

    package init() {}

    /// Shared by all entries without details.
    static let none = JournalDetails()

    /// One query parameter.
    package struct QueryParameter: Sendable, Equatable {
        package var name: String
        package var value: Value
        /// Whether the operation has a parameter of this name.
        package var isKnown: Bool

        package init(name: String, value: Value, isKnown: Bool) {
            self.name = name
            self.value = value
            self.isKnown = isKnown
        }

        /// A value, shown only where it can be no personal data.
        package enum Value: Sendable, Hashable {
            /// A valid integer.
            case integer(Int)
            /// A valid value of an enumeration.
            case word(String)
            /// Anything else.
            case digest(JournalDigest)
        }
    }

    /// `Idempotency-Key`, as sent.
    package struct IdempotencyKey: Sendable, Equatable {
        package var digest: JournalDigest
        /// Whether it is 1 to 128 visible ASCII characters.
        package var isWellFormed: Bool
        /// How many such fields were sent.
        package var count: UInt8

        package init(digest: JournalDigest, isWellFormed: Bool, count: UInt8 = 1) {
            self.digest = digest
            self.isWellFormed = isWellFormed
            self.count = count
        }
    }

    /// A reading of the documentation that is not the default.
    package struct Reading: Sendable, Equatable {
        package var id: String
        package var value: String

        package init(id: String, value: String) {
            self.id = id
            self.value = value
        }
    }

    /// `Retry-After`, as answered.
    package struct RetryAfter: Sendable, Equatable {
        package var seconds: Int
        /// The instant named, in nanoseconds since 1970 by the session's clock, in the date form.
        package var date: Int64?

        /// What was sent, where it is neither seconds nor a date, and so says nothing.
        package private(set) var nonsense: String?

        package init(seconds: Int, date: Int64? = nil) {
            self.seconds = seconds
            self.date = date
        }

        package init(nonsense: String) {
            self.init(seconds: 0)
            self.nonsense = nonsense
        }
    }

    /// `nextToken`, as sent.
    package struct SentNextToken: Sendable, Equatable {
        package var digest: JournalDigest
        package var form: Form

        package init(digest: JournalDigest, form: Form) {
            self.digest = digest
            self.form = form
        }

        /// What the value is.
        package enum Form: String, Sendable {
            /// One that the mock issued, octet for octet.
            case issued
            case empty
            /// The four letters `null`.
            case null
            /// Anything else.
            case foreign
        }
    }

    /// A known `grant_type`.
    package enum Grant: String, Sendable {
        case clientCredentials = "client_credentials"
        case refreshToken = "refresh_token"
    }

    /// Why an uploaded file cannot be what it is called.
    package enum UploadFlaw: String, Sendable {
        /// Not an octet.
        case empty
        /// A PDF without `%PDF`, or a DICOM file without `DICM`.
        case unlike
    }

    /// A report that was submitted.
    package struct Report: Sendable, Equatable {
        /// Such as `preliminary` or `final`.
        package var status: String
        /// `reportedAtUtc`, in seconds since 1970; `nil` where it was left out.
        package var reportedAt: Int64?

        package init(status: String, reportedAt: Int64?) {
            self.status = status
            self.reportedAt = reportedAt
        }
    }

    /// An upload or download URL.
    package struct PresignedURL: Sendable, Equatable {
        package var guid: String
        /// In seconds since 1970, by the session's clock.
        package var expiresAt: Int64

        package init(guid: String, expiresAt: Int64) {
            self.guid = guid
            self.expiresAt = expiresAt
        }
    }
}

/// One rule of the contract that a request broke.
package struct JournalViolation: Sendable, Equatable {
    /// `path`, `query`, `header` or `body`.
    package var location: String
    /// The name of the parameter, or the JSON pointer into the body.
    package var name: String
    /// The keyword of the schema, or another short name of the rule.
    package var keyword: String
    /// One sentence without personal data.
    package var message: String
    /// Where the rule stands in the contract.
    package var contractPointer: String
    /// What was sent, where it is like a number or a date, or stands in the path anyway.
    package var sent: String?

    package init(
        location: String,
        name: String,
        keyword: String,
        message: String,
        contractPointer: String,
        sent: String? = nil
    ) {
        self.sent = sent
        self.location = location
        self.name = name
        self.keyword = keyword
        self.message = message
        self.contractPointer = contractPointer
    }
}

/// Keeps `JournalDetails` out of line.
///
/// Unchecked: `JournalEntry.details` changes a box only while its reference is the only one.
final class JournalDetailsBox: @unchecked Sendable {
    /// What an object has before its members.
    static let headerOctets = 16

    var value: JournalDetails

    init(_ value: JournalDetails) { self.value = value }
}

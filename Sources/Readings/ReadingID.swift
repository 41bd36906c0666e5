/// A place where the documentation says nothing, or leaves freedom.
///
/// Each case stands in `fixtures/readings.json`, and nothing else does: see `ReadingCatalogue`.
package enum ReadingID: String, CaseIterable, Sendable {
    case pageEnd = "page-end"
    case pageFill = "page-fill"
    case listOrder = "list-order"
    case absent
    case instants
    case numbers
    case unknownMembers = "unknown-members"
    case unknownStatuses = "unknown-statuses"
    case jsonText = "json-text"
    case contentType = "content-type"
    case framing
    case fieldNames = "field-names"
    case requestID = "request-id"
    case errors
    case createdStatus = "created-status"
    case finalReport = "final-report"
    case duplicateInFlight = "duplicate-in-flight"
    case replayMark = "replay-mark"
    case replayAfterPending = "replay-after-pending"
    case storage
    case missingGrant = "missing-grant"
    case unknownSiteFilter = "unknown-site-filter"
    case noBilling = "no-billing"
    case utcOffset = "utc-offset"
    case tokenLifetime = "token-lifetime"
    case tokenType = "token-type"

    /// Its place among all of them.
    var position: Int { Self.positions[self] ?? 0 }

    private static let positions: [ReadingID: Int] = Dictionary(
        uniqueKeysWithValues: allCases.enumerated().map { ($0.element, $0.offset) }
    )

    /// The values that are told apart here, the default first; `nil` where any number is taken.
    package var values: [String]? { type?.words }

    private var type: (any Reading.Type)? {
        switch self {
        case .pageEnd: PageEnd.self
        case .pageFill: PageFill.self
        case .listOrder: ItemOrder.self
        case .absent: Absent.self
        case .instants: Instants.self
        case .numbers: Numbers.self
        case .unknownMembers: UnknownMembers.self
        case .unknownStatuses: UnknownStatuses.self
        case .jsonText: JSONText.self
        case .contentType: ContentTypeForm.self
        case .framing: Framing.self
        case .fieldNames: FieldNames.self
        case .requestID: RequestIDOrigin.self
        case .errors: ErrorForm.self
        case .createdStatus: CreatedStatus.self
        case .finalReport: FinalReport.self
        case .duplicateInFlight: DuplicateInFlight.self
        case .replayMark: ReplayMark.self
        case .replayAfterPending: ReplayAfterPending.self
        case .storage: StorageManner.self
        case .missingGrant: MissingGrant.self
        case .unknownSiteFilter: UnknownSiteFilter.self
        case .noBilling: NoBilling.self
        case .utcOffset: UTCOffset.self
        case .tokenLifetime: nil
        case .tokenType: TokenType.self
        }
    }
}

/// The values of one reading; the first case is the default.
package protocol Reading: RawRepresentable, CaseIterable, Hashable, Sendable
where RawValue == String, AllCases == [Self] {
    static var id: ReadingID { get }
}

extension Reading {
    /// The values as they are written.
    static var words: [String] { allCases.map(\.rawValue) }
}

// What each value means stands in fixtures/readings.json.

/// How the last page says that it is the last.
package enum PageEnd: String, Reading {
    case null, omitted, empty
    package static let id = ReadingID.pageEnd
}

/// How many items the pages of a cursor list have.
package enum PageFill: String, Reading {
    case full, short
    case emptyPages = "empty-pages"
    case trailingEmpty = "trailing-empty"
    package static let id = ReadingID.pageFill
}

/// Whether a list has the same order each time.
package enum ItemOrder: String, Reading {
    case fixed
    case perRequest = "per-request"
    package static let id = ReadingID.listOrder
}

/// What becomes of a nullable member without a value.
package enum Absent: String, Reading {
    case null, omitted
    package static let id = ReadingID.absent
}

/// How an instant is written.
package enum Instants: String, Reading {
    case seconds, fractions, offset
    package static let id = ReadingID.instants
}

/// How a number that may have decimals is written.
package enum Numbers: String, Reading {
    case shortest, decimal
    package static let id = ReadingID.numbers
}

/// Whether answers have members that nobody has heard of.
package enum UnknownMembers: String, Reading {
    case none, some
    package static let id = ReadingID.unknownMembers
}

/// Whether appointments have statuses that nobody has heard of.
package enum UnknownStatuses: String, Reading {
    case none, some
    package static let id = ReadingID.unknownStatuses
}

/// How JSON is written.
package enum JSONText: String, Reading {
    case compact, spaced
    package static let id = ReadingID.jsonText
}

/// Whether the media type of JSON has a parameter.
package enum ContentTypeForm: String, Reading {
    case plain, charset
    package static let id = ReadingID.contentType
}

/// What delimits the content of an answer.
package enum Framing: String, Reading {
    case length, chunked
    package static let id = ReadingID.framing
}

/// How the names of fields are spelled.
package enum FieldNames: String, Reading {
    case canonical, lower
    package static let id = ReadingID.fieldNames
}

/// Where the `requestId` of an error comes from.
package enum RequestIDOrigin: String, Reading {
    case correlation, own
    package static let id = ReadingID.requestID
}

/// What the content of an error looks like.
package enum ErrorForm: String, Reading {
    case problem, minimal, gateway
    package static let id = ReadingID.errors
}

/// The status of the three reporting POSTs.
package enum CreatedStatus: String, Reading {
    case ok = "200"
    case created = "201"
    package static let id = ReadingID.createdStatus
}

/// What a final report does to its appointment.
package enum FinalReport: String, Reading {
    case keepsStatus = "keeps-status"
    case finalises
    package static let id = ReadingID.finalReport
}

/// What a write gets whose key belongs to one that is not answered yet.
package enum DuplicateInFlight: String, Reading {
    case waits
    case conflict = "409"
    package static let id = ReadingID.duplicateInFlight
}

/// Whether a replay is marked as one.
package enum ReplayMark: String, Reading {
    case header, none
    package static let id = ReadingID.replayMark
}

/// What a replay gets once the appointment waits for no report any more.
package enum ReplayAfterPending: String, Reading {
    case replayed
    case notFound = "404"
    package static let id = ReadingID.replayAfterPending
}

/// How presigned transfers are held against their URLs.
package enum StorageManner: String, Reading {
    case lenient, s3
    package static let id = ReadingID.storage
}

/// What a caller without grants gets from the referrer lists.
package enum MissingGrant: String, Reading {
    case forbidden = "403"
    case empty
    package static let id = ReadingID.missingGrant
}

/// What a filter by an unknown site gives.
package enum UnknownSiteFilter: String, Reading {
    case empty
    case badRequest = "400"
    case notFound = "404"
    package static let id = ReadingID.unknownSiteFilter
}

/// What an appointment without a billing record gives.
package enum NoBilling: String, Reading {
    case ok = "200"
    case notFound = "404"
    package static let id = ReadingID.noBilling
}

/// Whether the client's offset from UTC moves the days of a filter.
package enum UTCOffset: String, Reading {
    case ignored, shifts
    package static let id = ReadingID.utcOffset
}

/// How the token endpoint spells the type of its tokens.
package enum TokenType: String, Reading {
    case bearer = "Bearer"
    case lower = "bearer"
    package static let id = ReadingID.tokenType
}

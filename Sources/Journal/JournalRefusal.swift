/// Why the mock itself refused a request: finer than the status code.
///
/// An injected answer has none.
///
/// The raw values are the words of the journal's JSON.
package enum JournalRefusal: String, Sendable, CaseIterable {
    /// The octets were not a request (RFC 9112), or broke a limit of the server.
    case message
    /// 404: no such path.
    case route
    /// 405.
    case method
    /// 401: no token.
    case tokenMissing = "token-missing"
    /// 401: the token's `exp` has passed by the session's clock.
    case tokenExpired = "token-expired"
    /// 401 for any other reason.
    case tokenInvalid = "token-invalid"
    /// 403: the domain is not among the token's.
    case domain
    /// 403: the site is not among the token's.
    case site
    /// 403: a permission is missing.
    case permission
    /// 403: the caller has no provider numbers.
    case providerNumbers = "provider-numbers"
    /// 400: the request breaks the contract.
    case contract
    /// 415: the `Content-Type` is missing, repeated, malformed, or one that the operation does not
    /// take.
    case mediaType = "media-type"
    /// 415: the content has a coding, such as gzip.
    case contentCoding = "content-coding"
    /// 400: `nextToken` is not one that was issued here.
    case nextToken = "next-token"
    /// 400: the idempotency key is empty, too long, not visible ASCII, or sent twice.
    case idempotencyKey = "idempotency-key"
    /// 409: the idempotency key stands for another payload.
    case idempotencyConflict = "idempotency-conflict"
    /// 409: a request with the same idempotency key is not answered yet.
    case keyInFlight = "key-in-flight"
    /// 404: no such resource.
    case notFound = "not-found"
    /// 404: the appointment exists and does not wait for a report.
    case notPending = "not-pending"
    /// An error of the token endpoint (RFC 6749 §5.2).
    case grant
    /// 403: a presigned URL whose guid or signature is wrong.
    case urlSignature = "url-signature"
    /// 403: a presigned URL after its end.
    case urlExpired = "url-expired"
    /// 400: a presigned URL with an `Authorization` beside it, where a reading takes one alone.
    case storageCredentials = "storage-credentials"
    /// 403: an upload URL that has had its content.
    case urlUsed = "url-used"
    /// 403: another `Content-Type` than was promised.
    case uploadContentType = "upload-content-type"
    /// 411.
    case uploadContentLength = "upload-content-length"
    /// 413.
    case tooLarge = "too-large"
    /// 416: the content has no such octets.
    case range
    /// 403: the `Host` is not one that this server is reached by.
    case host
    /// 403: a page of another origin sent the request.
    case origin
    /// 409: the state of what a control request names does not allow it.
    case conflict
    /// 5xx: the mock could not do it (no room on the disk, too many sessions, too many connections).
    case unavailable
}

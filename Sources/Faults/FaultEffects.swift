/// When a fault strikes, seen from the operation.
package enum FaultPhase: String, CaseIterable, Hashable, Sendable {
    /// Before the operation: a status, or a transport that sends nothing, takes its place.
    case before
    /// The operation runs and commits; only its answer is lost, late or replaced.
    case after
}

/// A fault of the connection.
package enum TransportFault: String, CaseIterable, Hashable, Sendable {
    /// RST instead of an answer.
    case connectionResetByPeer = "CONNECTION_RESET_BY_PEER"
    /// Closed without an octet.
    case emptyResponse = "EMPTY_RESPONSE"
    /// Silent until the client leaves or the rule's `ttl` ends.
    case hang = "HANG"
    /// Octets that are never like a status line, then closed.
    case randomDataThenClose = "RANDOM_DATA_THEN_CLOSE"
    /// 200, chunked, then an invalid chunk and FIN.
    case malformedResponseChunk = "MALFORMED_RESPONSE_CHUNK"

    /// Whether the client never gets an octet: such a fault in phase `before` replaces the operation.
    package var sendsNothing: Bool {
        switch self {
        case .connectionResetByPeer, .emptyResponse, .hang: true
        case .randomDataThenClose, .malformedResponseChunk: false
        }
    }
}

/// A fault of the content, under the true status; only the named thing is wrong.
package enum ContentFault: String, CaseIterable, Hashable, Sendable {
    case malformedJSON = "malformed-json"
    case empty
    /// The page of a gateway.
    case html
    case wrongContentType = "wrong-content-type"
}

/// A flaw of the token that the token endpoint hands out.
package enum TokenFault: String, CaseIterable, Hashable, Sendable {
    case expired
    case notYetValid = "not-yet-valid"
    case wrongIssuer = "wrong-issuer"
    case wrongKey = "wrong-key"
    case tampered
    case unsigned
    case hmacConfusion = "hmac-confusion"
    case idToken = "id-token"
    case garbage
    case noDomains = "no-domains"
    case wrongDomain = "wrong-domain"
}

/// Where the content stops, under the honest `Content-Length`.
package enum Truncation: Hashable, Sendable {
    case octets(Int)
    /// At least 0, below 1.
    case fraction(Double)

    /// How many octets of content to send, of `length` in all.
    ///
    /// Content that is shorter than the octets of the rule is sent whole.
    package func octets(of length: Int) -> Int {
        switch self {
        case .octets(let octets): min(octets, length)
        case .fraction(let fraction): Int(Double(length) * fraction)
        }
    }
}

/// Content in equal pieces over a time.
package struct Drip: Hashable, Sendable {
    package var chunks: Int
    package var overNanoseconds: Int64

    package init(chunks: Int, overNanoseconds: Int64) {
        self.chunks = chunks
        self.overNanoseconds = overNanoseconds
    }
}

/// The effects of a rule, or of one step of its sequence, as they were set.
struct FaultEffects: Hashable, Sendable {
    var phase = FaultPhase.before
    var status: Int?
    var retryAfterSeconds: Int?
    var retryAfterForm = RetryAfterForm.seconds
    var retryAfterLines: [String] = []
    var detail: String?
    var delay: FaultDelay?
    var transport: TransportFault?
    var truncateAt: Truncation?
    var drip: Drip?
    var bytesPerSecond: Int?
    var content: ContentFault?
    var token: TokenFault?
    /// Its status is `status`, too.
    var edge: Edge.Answer?
}

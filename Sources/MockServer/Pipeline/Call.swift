import Contract
import Faults
import HTTPMessage
import HTTPTransport
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

/// One request on its way through the pipeline.
///
/// A class, so that handlers and a delayed continuation share it at the cost of one reference;
/// it is confined to the worker of its connection, hence unchecked.
final class Call: @unchecked Sendable {
    let context: ServerContext
    var worker: WorkerContext
    let request: HTTPRequest
    let correlation: CorrelationID
    /// When the last octet of the head was read, in monotonic nanoseconds.
    let arrival: UInt64
    /// The session whose clock, data and journal the request belongs to.
    var session: Session
    /// The session's clock when the operation begins.
    var time: SessionClock.Reading
    /// What came of the `Authorization` field; told only once it matters.
    var credentials = Credentials.absent
    /// The caller, once the token is known to be good.
    var principal: Principal?
    /// The token that was sent, where everything but the time is right with it.
    var verifiedToken: VerifiedToken?
    /// Whether the request names a session that is not open.
    var isOfNoSession = false
    /// What was found wrong before the request was complete.
    var early: Problem?
    /// Why the session that the request names cannot be had: nothing else can be judged then.
    var sessionProblem: Problem?
    /// What shall go wrong.
    var fault: FaultDecision? {
        get { decided?.fault }
        set { decided = newValue.map(Decided.init) }
    }
    /// Whether anything shall go wrong: cheaper to ask than `fault`, which is large.
    var hasFault: Bool { decided != nil }
    /// Out of line: it is large, and hardly any request has one.
    private var decided: Decided?
    var entry: JournalEntry
    /// Its number in the journal, where it got one before its answer.
    var number: UInt64?
    /// Whether the data were brought up to the request's time.
    var hasMetWorld = false
    /// How the documentation is read in the answer: drawn when it is first asked for, once the
    /// session is known.
    lazy var readings = isOfNoSession ? .defaults : session.readings.draw()
    /// What it holds of the writes in flight, until its answer is delivered.
    var claim: WritesInFlight.Claim?
    /// How the answer goes on, where it has no end of its own.
    var continuation: ((Exchange) -> Delivery)?
    /// While the call is held up: the ticket that tells when the client leaves.
    var held: UInt64?

    private final class Decided {
        let fault: FaultDecision

        init(_ fault: FaultDecision) { self.fault = fault }
    }

    /// What came of the `Authorization` field.
    enum Credentials {
        case absent
        case otherScheme
        case refused(TokenError)
        case accepted
    }

    init(
        context: ServerContext,
        session: Session,
        worker: WorkerContext,
        request: HTTPRequest,
        connectionID: UInt64,
        arrival: UInt64
    ) {
        self.context = context
        self.session = session
        self.worker = worker
        self.request = request
        self.arrival = arrival
        correlation = CorrelationID(request.fields, using: &worker.generator)
        time = session.clock.read()
        entry = JournalEntry(
            requestID: correlation.text,
            session: session.name,
            kind: .other,
            method: request.method.rawValue,
            path: String(decoding: request.target.path, as: UTF8.self),
            connection: connectionID,
            wallTime: time.nanoseconds,
            arrival: Int64(arrival)
        )
        entry.clockMoves = UInt32(truncatingIfNeeded: time.moves)
        entry.interventions = session.interventions
        if correlation.wasSent {
            entry.traits.insert(.sentRequestID)
            if !correlation.isClients { entry.traits.insert(.malformedRequestID) }
        }
    }

    /// The time of the session, which everything that expires or is stamped goes by.
    var now: Instant { time.instant }

    /// The records of the session, for this worker.
    var reader: SessionReader { session.store.reader(worker: worker.index) }

    /// Moves the call into a session.
    func enter(_ session: Session) {
        isOfNoSession = false
        self.session = session
        time = session.clock.read()
        entry.session = session.name
        entry.wallTime = time.nanoseconds
        entry.clockMoves = UInt32(truncatingIfNeeded: time.moves)
        entry.interventions = session.interventions
    }

    /// A digest for the journal.
    func digest(_ octets: some Collection<UInt8>) -> JournalDigest {
        JournalDigest(of: octets, key: context.digestKey)
    }
}

/// A call that reached its operation: routed, allowed, valid.
struct OperationCall {
    let call: Call
    let operation: Operation
    /// The typed values of parameters and content.
    let valid: ValidatedRequest

    /// What handlers read of the server.
    var context: ServerContext { call.context }
    /// The caller; only operations that need no token have none.
    var principal: Principal? { call.principal }
    var reader: SessionReader { call.reader }
    var now: Instant { call.now }
    var domain: String { string("domain") }

    /// A path or query parameter that the contract requires, or that has a default.
    func string(_ name: StaticString) -> String { valid.string(name) ?? "" }

    /// An integer parameter with a default in the contract.
    func integer(_ name: StaticString) -> Int { valid.int(name) ?? 0 }
}

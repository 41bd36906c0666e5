import Contract
import ContractData
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

/// A write of the reporting workflow: the ledger, the 404, the effect and its record, in one
/// transaction.
///
/// A duplicate that arrives while the first runs waits for the session's writer, finds the
/// record and is a replay; other sessions and all reads go on meanwhile.
struct KeyedWrite {
    private enum Outcome {
        case done(RememberedAnswer)
        case replayed(RememberedAnswer)
        case conflict
    }

    private let call: OperationCall
    private let scope: IdempotencyScope?
    private let fingerprint: [UInt8]

    init(_ call: OperationCall) {
        self.call = call
        fingerprint = Self.fingerprint(of: call.valid.body ?? .null)
        scope = call.valid.string("Idempotency-Key").flatMap { IdempotencyKey($0) }.map { key in
            IdempotencyScope(
                client: call.principal?.clientID ?? "",
                domain: call.domain,
                operation: call.operation.id,
                appointmentID: call.string("appointmentId"),
                key: key
            )
        }
    }

    /// Carries out the write unless the ledger knows it.
    ///
    /// - Parameter effect: Changes the records and returns the content of the answer.
    func run(
        _ effect: (SessionWriter) throws(StoreError) -> [UInt8]
    ) throws(Problem) -> Answer {
        call.call.entry.details.fingerprint = call.call.digest(fingerprint)
        if let scope,
            call.call.session.writesInFlight.isHeld(scope, besides: call.call.claim),
            call.call.departs(to: DuplicateInFlight.conflict)
        {
            throw Problem(
                .keyInFlight,
                409,
                "A request with this Idempotency-Key is not answered yet: repeat this one in a "
                    + "moment, with the same key and content."
            )
        }
        let outcome: Outcome
        do throws(StoreError) {
            outcome = try call.call.session.store.write(
                in: call.call.worker.group,
                by: { call.call.changeOrigin() }
            ) { writer throws(StoreError) in
                try decide(writer, effect)
            }
        } catch {
            // A repeat needs no room but for its count, and that is not worth refusing it.
            if case .full = error, call.call.worker.group == nil,
                let repeated = repeatedWithoutRoom
            {
                return try answer(for: repeated)
            }
            throw Problem(store: error)
        }
        return try answer(for: outcome)
    }

    private func answer(for outcome: Outcome) throws(Problem) -> Answer {
        switch outcome {
        case .done(let answer):
            call.call.entry.committed = true
            if scope != nil { call.call.entry.idempotency = .first }
            noteUploads(in: answer.content)
            return .json(answer.content, status: answer.status)
        case .replayed(let answer):
            call.call.entry.idempotency = .replay
            noteUploads(in: answer.content)
            var replay = Answer.json(answer.content, status: answer.status)
            if !call.call.departs(to: ReplayMark.none) {
                replay.fields = [HTTPResponse.Field("Idempotency-Replayed", "true")]
            }
            return replay
        case .conflict:
            call.call.entry.idempotency = .conflict
            throw Problem(rule: .keyReused)
        }
    }

    /// Takes back what was noted of a write that was not stored, and will be tried again.
    static func forget(_ call: Call) {
        call.entry.committed = false
        call.entry.idempotency = .none
        call.entry.details.uploadsIssued = []
    }

    /// What the ledger says of a repeat, read without writing; `nil` where it knows of none.
    private var repeatedWithoutRoom: Outcome? {
        guard let scope,
            // A ledger that cannot be read, either, is the failure that is told.
            let entries = try? call.reader.ledger(now: call.now)
        else { return nil }
        let decision = IdempotencyDecision(
            entry: entries.first { $0.scope == scope },
            fingerprint: fingerprint,
            now: call.now
        )
        return switch decision {
        case .proceed: nil
        case .replay(let answer): .replayed(answer)
        case .conflict: .conflict
        }
    }

    private func decide(
        _ writer: SessionWriter,
        _ effect: (SessionWriter) throws(StoreError) -> [UInt8]
    ) throws(StoreError) -> Outcome {
        if let scope {
            switch try writer.decide(scope, fingerprint: fingerprint, now: call.now) {
            case .proceed: break
            case .replay(let answer):
                if call.call.readings.departs(to: ReplayAfterPending.notFound) {
                    do throws(StoreError) {
                        try requirePending(writer)
                    } catch {
                        call.call.note(ReplayAfterPending.notFound)
                        throw error
                    }
                }
                return .replayed(answer)
            case .conflict: return .conflict
            }
        }
        try requirePending(writer)
        let content = try effect(writer)
        let answer = RememberedAnswer(
            status: call.call.departs(to: CreatedStatus.created) ? 201 : 200,
            content: content
        )
        if let scope {
            let retention = Int64(call.operation.idempotencyRetentionSeconds ?? 0)
            try writer.remember(
                answer,
                for: scope,
                fingerprint: fingerprint,
                expiresAt: call.now.advanced(bySeconds: retention),
                now: call.now
            )
        }
        return .done(answer)
    }

    private func requirePending(_ writer: SessionWriter) throws(StoreError) {
        try writer.require(
            status: call.context.reporting.pendingStatus,
            domain: call.domain,
            appointment: call.string("appointmentId")
        )
    }

    /// The upload URLs of an answer, for the journal.
    private func noteUploads(in content: [UInt8]) {
        guard call.operation.idempotencyRetentionSeconds != nil,
            content.starts(with: "{\"items\":".utf8),
            let items = try? JSONParser.parse(content)["items"]?.array
        else { return }
        call.call.entry.details.uploadsIssued = items.compactMap { item in
            guard let guid = item["guid"]?.string,
                let expires = item["uploadUrlExpiresAtUtc"]?.string.flatMap({
                    Instant(rfc3339: $0)
                })
            else { return nil }
            return JournalDetails.PresignedURL(guid: guid, expiresAt: expires.secondsSince1970)
        }
    }

    /// A digest of a payload: members sorted, white space and escapes normalised.
    static func fingerprint(of body: JSONValue) -> [UInt8] {
        SHA256Digest.octets(of: fingerprintInput(of: body))
    }
}

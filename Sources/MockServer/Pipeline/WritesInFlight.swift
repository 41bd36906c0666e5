import HTTPMessage
import Journal
import OAuth
import QUBS
import Readings
import Synchronization

/// The keyed writes of a session that are not answered to the last octet.
///
/// Kept only where a reading needs it.
final class WritesInFlight: Sendable {
    private let state = Mutex<[IdempotencyScope: UInt64]>([:])
    private let numbers = Atomic<UInt64>(0)

    /// Holds a key for a call, until the last reference is gone; `nil` where another call has it.
    func claim(_ scope: IdempotencyScope) -> Claim? {
        let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
        let isFree = state.withLock { held in
            if held[scope] != nil { return false }
            held[scope] = number
            return true
        }
        return isFree ? Claim(scope, number, of: self) : nil
    }

    /// Whether a call other than the one of this claim has a key.
    func isHeld(_ scope: IdempotencyScope, besides claim: Claim?) -> Bool {
        state.withLock { held in held[scope].map { $0 != claim?.number } ?? false }
    }

    private func release(_ scope: IdempotencyScope, _ number: UInt64) {
        state.withLock { held in
            if held[scope] == number { held[scope] = nil }
        }
    }

    /// What a call holds until its answer is delivered.
    final class Claim: Sendable {
        fileprivate let number: UInt64
        private let scope: IdempotencyScope
        private let writes: WritesInFlight

        fileprivate init(_ scope: IdempotencyScope, _ number: UInt64, of writes: WritesInFlight) {
            self.scope = scope
            self.number = number
            self.writes = writes
        }

        deinit { writes.release(scope, number) }
    }
}

extension Call {
    /// Claims the key of a write as soon as it is known who sends it, delays included.
    ///
    /// At the defaults nothing is claimed, and nothing looked at.
    func claimKey(_ operation: String) {
        guard !readings.isDefault, let principal, let domain = entry.domain,
            let appointment = entry.appointmentID,
            request.fields.count(of: "idempotency-key") == 1,
            let key = request.fields.text("idempotency-key").flatMap({ IdempotencyKey($0) })
        else { return }
        claim = session.writesInFlight.claim(
            IdempotencyScope(
                client: principal.clientID,
                domain: domain,
                operation: operation,
                appointmentID: appointment,
                key: key
            )
        )
    }
}

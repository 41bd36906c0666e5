import Dispatch
import Synchronization

/// Something that is made on another thread, until somebody needs it.
final class Aside<Value: Sendable>: Sendable {
    private let group = DispatchGroup()
    private let result = Mutex<Result<Value, Failure>?>(nil)

    /// Begins to make it, behind what is in the queue already.
    init(
        on queue: DispatchQueue = .global(),
        _ make: @escaping @Sendable () throws(Failure) -> Value
    ) {
        queue.async(group: group) {
            let result: Result<Value, Failure>
            do throws(Failure) {
                result = .success(try make())
            } catch {
                result = .failure(error)
            }
            self.result.withLock { $0 = result }
        }
    }

    /// What was made; waits for it.
    func value() throws(Failure) -> Value {
        group.wait()
        guard let result = result.withLock({ $0 }) else { preconditionFailure("it was made") }
        return try result.get()
    }
}

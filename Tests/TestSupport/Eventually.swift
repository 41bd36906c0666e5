import Glibc

/// What other threads should have made true did not become true in time.
package struct NotInTime: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until something holds that other threads make true.
///
/// The limit only ends a test that has failed; see `Patience`.
///
/// - Throws: `NotInTime`, or what the condition throws.
package func eventually(_ what: String, _ holds: () throws -> Bool) throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(Patience.seconds)
    while try !holds() {
        guard clock.now < deadline else { throw NotInTime(description: "not in time: \(what)") }
        // The threads that it waits for need the processor.
        usleep(500)
    }
}

/// How long tests wait for what other threads, programs or sockets should do.
///
/// The limit only ends a test that has failed. Whatever waits for something that must come waits so
/// long: a shorter limit would say how busy the machine is.
package enum Patience {
    package static let seconds = 600
}

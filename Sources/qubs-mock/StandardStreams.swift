import Glibc

/// The descriptors 0 to 2.
enum StandardStreams {
    /// Opens those that whoever started the program has closed.
    ///
    /// What the program opens gets the lowest free number: a log line would be written into a
    /// database that took the place of standard error.
    static func open() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest number that is free is this one. Where there is no such device, there is
            // nothing better, either.
            _ = Glibc.open("/dev/null", O_RDWR)
        }
    }
}

import Glibc

/// The number of files and sockets that the process may have open.
enum DescriptorLimit {
    /// Descriptors for everything but connections: databases, listener, polls, standard streams.
    private static let reserve = 600

    /// Raises the soft limit to the hard one.
    ///
    /// - Returns: The connections that fit, at most those wanted; a warning is printed where fewer do.
    static func raise(for connections: Int) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let available = Int(clamping: limit.rlim_cur)
        // A very low limit still leaves half of it to connections.
        let fitting = max(available - reserve, available / 2)
        guard connections > fitting else { return connections }
        Output.error(
            "qubs-mock: this process may open \(available) files, so it takes "
                + "\(fitting) connections at once instead of \(connections)"
        )
        return fitting
    }
}

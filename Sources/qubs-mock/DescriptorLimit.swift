import Glibc
import HTTPTransport
import MockServer

/// The number of files and sockets that the process may have open, and what each part may use.
///
/// Nobody may use up the share of another: where sessions could take every descriptor, not even the
/// request that drops one would be heard.
enum DescriptorLimit {
    /// Standard streams, Dispatch, signals, listener, log, ready file, and the reserve of the
    /// listener; a few more for files that are open for a moment.
    private static let fixed = 32
    /// The poll and the mailbox of a worker.
    private static let perWorker = 2

    /// Raises the soft limit to the hard one, and gives each part of a server its share.
    ///
    /// A warning is printed where fewer connections fit than are wanted.
    static func share(for configuration: inout Configuration) {
        let wanted = configuration.transport.maximumConnections
        let (available, shares) = shares(for: configuration)
        let fitting = shares.connections
        configuration.transport.maximumConnections = fitting
        configuration.transport.maximumExcess = shares.excess
        configuration.maximumDatabaseDescriptors = shares.databases
        guard fitting < wanted else { return }
        Output.error(
            "qubs-mock: this process may open \(available) files, so it takes "
                + "\(fitting) connections at once instead of \(wanted)"
        )
    }

    /// Raises the soft limit to the hard one, and returns it and what each part of a server gets.
    static func shares(
        for configuration: Configuration
    ) -> (available: Int, shares: DescriptorShares) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let available = Int(clamping: limit.rlim_cur)
        let workers = configuration.transport.workers
        let shares = DescriptorShares(
            available: available,
            fixed: fixed + perWorker * workers,
            connections: configuration.transport.maximumConnections,
            workers: workers
        )
        return (available, shares)
    }
}

/// How the descriptors of the process are divided.
package struct DescriptorShares: Sendable, Hashable {
    /// Connections that are served.
    package let connections: Int
    /// Connections beyond these that have time to read their 503.
    package let excess: Int
    /// Files of all databases together.
    package let databases: Int

    /// Divides a limit.
    ///
    /// Databases get what all sessions can use, at most half of what is left; a sixteenth is for
    /// connections that are refused; connections that are served get the rest.
    ///
    /// - Parameters:
    ///   - available: How many descriptors there may be.
    ///   - fixed: How many of them neither connections nor databases may have.
    ///   - connections: How many connections are wanted.
    ///   - workers: Each reads a database through descriptors of its own.
    package init(available: Int, fixed: Int, connections: Int, workers: Int) {
        let left = max(4, available - fixed)
        databases = min(Self.perSession(workers: workers) * Sessions.maximum, left / 2)
        excess = min(256, max(1, left / 16))
        self.connections = max(1, min(connections, left - databases - excess))
    }

    /// Descriptors that a session takes at most: database and log, for the writer and for the reader
    /// of each worker, and the memory that they share.
    private static func perSession(workers: Int) -> Int { 2 * (workers + 1) + 1 }
}

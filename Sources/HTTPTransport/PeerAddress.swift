import Glibc

/// The address of a client as `accept` told it; text is made when somebody asks.
struct PeerAddress: Sendable {
    private var storage = sockaddr_in6()
    private var length = socklen_t(MemoryLayout<sockaddr_in6>.size)

    /// Lets a system call fill in the address.
    mutating func fill<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// The port, which stands at the same place for both families.
    var port: Int { Int(UInt16(bigEndian: storage.sin6_port)) }

    /// For instance `127.0.0.1:50312` or `[::1]:50312`; `unknown` for another family.
    var text: String {
        var storage = storage
        let isIPv4 = Int32(storage.sin6_family) == AF_INET
        guard isIPv4 || Int32(storage.sin6_family) == AF_INET6 else { return "unknown" }
        let capacity = Int(INET6_ADDRSTRLEN)
        let host = withUnsafeMutablePointer(to: &storage) { storage in
            String(unsafeUninitializedCapacity: capacity) { output in
                output.withMemoryRebound(to: CChar.self) { output in
                    let raw = UnsafeRawPointer(storage)
                    let offset =
                        isIPv4
                        ? MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)
                        : MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)
                    let written = inet_ntop(
                        isIPv4 ? AF_INET : AF_INET6,
                        raw + (offset ?? 0),
                        output.baseAddress,
                        socklen_t(capacity)
                    )
                    return written.map { strlen($0) } ?? 0
                }
            }
        }
        return isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}

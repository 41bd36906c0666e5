import Glibc

/// A POSIX call that failed.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the call, such as `bind`.
    package let call: String
    /// The value of `errno`; 0 where `reason` stands instead.
    package let code: Int32
    /// What `getaddrinfo` says, which has codes of its own.
    package let reason: String?

    package init(call: String, code: Int32, reason: String? = nil) {
        self.call = call
        self.code = code
        self.reason = reason
    }

    /// The call that has just failed on this thread.
    static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

    /// The symbol of the code where a program is likely to name it, such as `EADDRINUSE`.
    package var symbol: String? {
        switch code {
        case EADDRINUSE: "EADDRINUSE"
        case EADDRNOTAVAIL: "EADDRNOTAVAIL"
        case EACCES: "EACCES"
        case EPERM: "EPERM"
        case EMFILE: "EMFILE"
        case ENFILE: "ENFILE"
        case ENOMEM: "ENOMEM"
        case ENOBUFS: "ENOBUFS"
        case EINVAL: "EINVAL"
        case EAFNOSUPPORT: "EAFNOSUPPORT"
        default: nil
        }
    }

    /// For instance `bind: Address already in use (EADDRINUSE)`.
    package var description: String {
        if let reason { return "\(call): \(reason)" }
        let text = strerror(code).map { String(cString: $0) } ?? "error"
        return "\(call): \(text) (\(symbol ?? "errno \(code)"))"
    }
}

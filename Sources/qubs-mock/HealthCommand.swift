import ArgumentParser
import Glibc

/// `qubs-mock health`: exit 0 when a server is ready, for container health checks.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Exit 0 when the server is ready, else 1."
    )

    @Option(help: "Base URL of the server.")
    var url = "http://127.0.0.1:8080"

    func validate() throws { try HTTPURL.validate(url) }

    func run() throws {
        guard let target = HTTPURL(url) else { throw Failure(message: "no URL: \(url)") }
        let status = try SmallHTTPClient.status(
            of: "/__admin/ready",
            at: target,
            timeoutSeconds: 5
        )
        guard status == 200 else {
            throw Failure(message: "\(url) answers \(status) to /__admin/ready")
        }
    }
}

/// The host and port of an `http` URL.
struct HTTPURL {
    let host: String
    let port: String

    /// Takes `http://host[:port][/]`.
    init?(_ text: String) {
        guard text.hasPrefix("http://") else { return nil }
        var authority = text.dropFirst(7)
        if authority.last == "/" { authority = authority.dropLast() }
        if authority.contains("/") { return nil }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? "80" : String(rest.dropFirst())
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count), !parts[0].isEmpty else { return nil }
            host = String(parts[0])
            port = parts.count == 2 ? String(parts[1]) : "80"
        }
        guard UInt16(port) != nil else { return nil }
    }

    /// Host and port as they stand in a URL and in `Host`.
    var authority: String { Self.authority(host: host, port: port) }

    /// Host and port as they stand in a URL: an IPv6 address in brackets (RFC 3986 §3.2.2).
    static func authority(host: String, port: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Refuses what is no URL of a server.
    static func validate(_ text: String) throws {
        guard HTTPURL(text) != nil else {
            throw ValidationError("--url takes http://host:port without a path, not \(text).")
        }
    }
}

/// One GET over a blocking socket: all that the program's own commands need of a client.
enum SmallHTTPClient {
    /// The status code of a GET.
    static func status(
        of path: String,
        at url: HTTPURL,
        timeoutSeconds: Int
    ) throws(Failure) -> Int {
        try get(path, at: url, timeoutSeconds: timeoutSeconds).status
    }

    /// The status code and content of a GET.
    static func get(
        _ path: String,
        at url: HTTPURL,
        timeoutSeconds: Int,
        bearerToken: String? = nil
    ) throws(Failure) -> (status: Int, content: [UInt8]) {
        let place = "http://\(url.authority)"
        let descriptor = try connect(url, timeoutSeconds: timeoutSeconds)
        defer { close(descriptor) }
        var request =
            "GET \(path) HTTP/1.1\r\nHost: \(url.authority)\r\nConnection: close\r\n"
        if let bearerToken { request += "Authorization: Bearer \(bearerToken)\r\n" }
        let octets = Array((request + "\r\n").utf8)
        guard send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count
        else { throw Failure(message: "\(place) does not take a request") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { break }
            guard count > 0 else { throw Failure(message: "\(place) does not answer") }
            answer.append(contentsOf: buffer[..<count])
        }
        guard answer.starts(with: "HTTP/1.1 ".utf8), answer.count > 12,
            let status = Int(String(decoding: answer[9..<12], as: UTF8.self)),
            let end = answer.firstRange(of: Array("\r\n\r\n".utf8))
        else { throw Failure(message: "\(place) does not answer as an HTTP server") }
        return (status, Array(answer[end.upperBound...]))
    }

    private static func connect(
        _ url: HTTPURL,
        timeoutSeconds: Int
    ) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(url.host, url.port, &hints, &list) == 0 else {
            throw Failure(message: "the host \(url.host) cannot be found")
        }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next {
            let info = entry.pointee
            let descriptor = socket(info.ai_family, info.ai_socktype, info.ai_protocol)
            if descriptor >= 0 {
                var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
                for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                    setsockopt(
                        descriptor,
                        SOL_SOCKET,
                        option,
                        &time,
                        socklen_t(MemoryLayout<timeval>.size)
                    )
                }
                if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 {
                    return descriptor
                }
                close(descriptor)
            }
            next = info.ai_next
        }
        throw Failure(message: "nothing listens at http://\(url.authority)")
    }
}

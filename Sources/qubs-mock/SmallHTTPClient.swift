import Glibc
import HTTPMessage

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
        let authority = url.authority.text
        let descriptor = try connect(url, timeoutSeconds: timeoutSeconds)
        defer { close(descriptor) }
        var request =
            "GET \(path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n"
        if let bearerToken { request += "Authorization: Bearer \(bearerToken)\r\n" }
        let octets = Array((request + "\r\n").utf8)
        guard send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count
        else { throw Failure(message: "\(url.text) does not take a request") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { break }
            guard count > 0 else { throw Failure(message: "\(url.text) does not answer") }
            answer.append(contentsOf: buffer[..<count])
        }
        guard answer.starts(with: "HTTP/1.1 ".utf8), answer.count > 12,
            let status = Int(String(decoding: answer[9..<12], as: UTF8.self)),
            let end = answer.firstRange(of: Array("\r\n\r\n".utf8))
        else { throw Failure(message: "\(url.text) does not answer as an HTTP server") }
        return (status, Array(answer[end.upperBound...]))
    }

    private static func connect(
        _ url: HTTPURL,
        timeoutSeconds: Int
    ) throws(Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(url.authority.host, String(url.port), &hints, &list) == 0 else {
            throw Failure(message: "the host \(url.authority.host) cannot be found")
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
        throw Failure(
            message:
                "nothing listens at \(url.text): start qubs-mock, or name the server with --url"
        )
    }
}

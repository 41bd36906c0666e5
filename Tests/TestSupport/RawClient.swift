import Glibc

/// A TCP client that sends octets exactly as given, and tells exactly what came back.
///
/// Every read has a time limit, so that a server that stays silent fails a test in place of
/// stopping it.
package final class RawClient {
    /// How a connection went on.
    package enum Reading: Equatable {
        case octets([UInt8])
        /// FIN.
        case end
        /// RST, which a read reports as ECONNRESET.
        case reset
        /// Nothing came within the time limit.
        case silence
    }

    /// What went wrong on the client's side.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ call: String) {
            description = "\(call): " + (strerror(errno).map { String(cString: $0) } ?? "")
        }

        init(text: String) { description = text }
    }

    /// A response, taken apart.
    package struct Response: Equatable, Sendable {
        package var status: Int
        /// Names in lower case.
        package var fields: [Field]
        package var content: [UInt8]

        package struct Field: Equatable, Sendable {
            package let name: String
            package let value: String
        }

        /// The first value of this name, which must be in lower case.
        package func field(_ name: String) -> String? {
            fields.first { $0.name == name }?.value
        }

        /// The content as text.
        package var text: String { String(decoding: content, as: UTF8.self) }
    }

    private let descriptor: Int32
    private var isOpen = true
    /// Octets that were read and not yet asked for.
    private var buffer: [UInt8] = []

    /// Connects.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address.
    ///   - timeLimitSeconds: Of each read and write; shorter than `Patience` only where silence is what
    ///     is waited for.
    ///   - receiveBufferOctets: A small buffer makes a reader that is slow at once.
    package init(
        port: Int,
        host: String = "127.0.0.1",
        timeLimitSeconds: Double = Double(Patience.seconds),
        receiveBufferOctets: Int32? = nil
    ) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found?.pointee
        else { throw Failure(text: "no address: \(host)") }
        defer { freeaddrinfo(found) }
        descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("socket") }
        var limit = timeval(
            tv_sec: Int(timeLimitSeconds),
            tv_usec: Int((timeLimitSeconds - timeLimitSeconds.rounded(.down)) * 1_000_000)
        )
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var on: Int32 = 1
        setsockopt(
            descriptor,
            Int32(IPPROTO_TCP),
            TCP_NODELAY,
            &on,
            socklen_t(MemoryLayout<Int32>.size)
        )
        if var octets = receiveBufferOctets {
            setsockopt(
                descriptor,
                SOL_SOCKET,
                SO_RCVBUF,
                &octets,
                socklen_t(MemoryLayout<Int32>.size)
            )
        }
        // What is thrown from here on ends in `deinit`, which closes.
        guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            throw Failure("connect")
        }
    }

    deinit { close() }

    // MARK: Sending

    /// Sends octets, all of them.
    package func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress.map { $0 + sent },
                    octets.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("send") }
            sent += count
        }
    }

    /// Sends text, which must have its own CRLFs.
    package func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Ends this side; the answers can still be read.
    package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Leaves with FIN, or with a reset where something is unread.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        Glibc.close(descriptor)
    }

    /// Leaves with a reset.
    package func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &linger,
            socklen_t(MemoryLayout<Glibc.linger>.size)
        )
        close()
    }

    // MARK: Receiving

    /// Reads once.
    package func read(atMost maximum: Int = 65536) -> Reading {
        if !buffer.isEmpty {
            let octets = Array(buffer.prefix(maximum))
            buffer.removeFirst(octets.count)
            return .octets(octets)
        }
        return readSocket(atMost: maximum)
    }

    /// Reads until the connection ends, and tells how it did.
    package func readToEnd() -> (octets: [UInt8], ending: Reading) {
        var octets: [UInt8] = []
        while true {
            let reading = read()
            guard case .octets(let more) = reading else { return (octets, reading) }
            octets += more
        }
    }

    /// Reads exactly so many octets.
    package func read(exactly count: Int) throws -> [UInt8] {
        while buffer.count < count { try fill() }
        let octets = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return octets
    }

    /// Reads the head of a response, up to and with the empty line.
    package func readHead() throws -> String {
        var scanned = 0
        while true {
            while scanned + 4 <= buffer.count {
                if buffer[scanned..<(scanned + 4)].elementsEqual([13, 10, 13, 10]) {
                    return String(decoding: try read(exactly: scanned + 4), as: UTF8.self)
                }
                scanned += 1
            }
            try fill()
        }
    }

    /// Reads a response that has a `Content-Length` or chunks, or must have no content.
    ///
    /// - Parameter toHead: Whether the request was HEAD.
    package func response(toHead: Bool = false) throws -> Response {
        let head = try readHead()
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        let statusLine = lines.removeFirst().split(separator: " ")
        guard statusLine.count >= 2, statusLine[0] == "HTTP/1.1", let status = Int(statusLine[1])
        else { throw Failure(text: "no status line: \(head)") }
        let fields = try lines.map { line in
            guard let colon = line.firstIndex(of: ":") else {
                throw Failure(text: "no field line: \(line)")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return Response.Field(name: line[..<colon].lowercased(), value: String(value))
        }
        var response = Response(status: status, fields: fields, content: [])
        let hasNoContent = toHead || status < 200 || status == 204 || status == 304
        if !hasNoContent, response.field("transfer-encoding") == "chunked" {
            response.content = try readChunks()
        } else if !hasNoContent {
            guard let length = response.field("content-length").flatMap({ Int($0) }) else {
                throw Failure(text: "no Content-Length: \(head)")
            }
            response.content = try read(exactly: length)
        }
        return response
    }

    /// Reads chunks to the last (RFC 9112 §7.1), of which none may have extensions.
    private func readChunks() throws -> [UInt8] {
        var content: [UInt8] = []
        while true {
            var line = ""
            while !line.hasSuffix("\r\n") {
                line += String(decoding: try read(exactly: 1), as: UTF8.self)
                if line.utf8.count > 18 { throw Failure(text: "no chunk size: \(line)") }
            }
            guard let size = Int(line.dropLast(), radix: 16), size >= 0 else {
                throw Failure(text: "no chunk size: \(line)")
            }
            content += try read(exactly: size)
            guard try read(exactly: 2) == [13, 10] else { throw Failure(text: "no end of chunk") }
            if size == 0 { return content }
        }
    }

    /// Sends text and reads the response.
    package func exchange(_ text: String, toHead: Bool = false) throws -> Response {
        try send(text)
        return try response(toHead: toHead)
    }

    private func fill() throws {
        switch readSocket(atMost: 65536) {
        case .octets(let more): buffer += more
        case .end: throw Failure(text: "the connection ended; unread: \(unreadText)")
        case .reset: throw Failure(text: "the connection was reset; unread: \(unreadText)")
        case .silence: throw Failure(text: "nothing came in time; unread: \(unreadText)")
        }
    }

    private var unreadText: String { String(decoding: buffer.prefix(500), as: UTF8.self) }

    private func readSocket(atMost maximum: Int) -> Reading {
        while true {
            var count = 0
            let octets = [UInt8](unsafeUninitializedCapacity: maximum) { storage, initialized in
                count = recv(descriptor, storage.baseAddress, maximum, 0)
                initialized = max(0, count)
            }
            if count > 0 { return .octets(octets) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .silence
            default: return .reset
            }
        }
    }
}

import Contract
import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

/// What a client sees of RFC 9110 and 9112: statuses, problem details, what becomes of the
/// connection.
///
/// Each answer is held against the contract.
@Suite("HTTP/1.1 conversations, a row per rule")
struct ProtocolConversationTests {
    struct Row: CustomTestStringConvertible, Sendable {
        /// RFC and section.
        let section: String
        let rule: String
        let octets: [UInt8]
        /// Of the answers, one after another.
        let statuses: [Int]
        /// Whether the connection ends after them.
        let closes: Bool
        /// Fields that the last answer has, each with its value.
        var fields: [String: String] = [:]
        /// Whether the last request is HEAD.
        var isHead = false
        /// The operation that refuses the last request; none where it reaches none.
        var method = ""
        var target = "/"

        var testDescription: String { "\(section): \(rule)" }
    }

    /// A request that is answered 200 without a token.
    static let path = "/.well-known/jwks.json"

    static func row(
        _ section: String,
        _ rule: String,
        _ text: String,
        _ statuses: Int...,
        closes: Bool = false,
        fields: [String: String] = [:],
        isHead: Bool = false,
        method: String = "",
        target: String = "/"
    ) -> Row {
        Row(
            section: section,
            rule: rule,
            octets: Array(text.utf8),
            statuses: statuses,
            closes: closes,
            fields: fields,
            isHead: isHead,
            method: method,
            target: target
        )
    }

    static func request(_ method: String, _ target: String, _ lines: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n"
    }

    static func get(_ lines: String = "", _ target: String = path) -> String {
        request("GET", target, lines)
    }

    static let form = "Content-Type: application/x-www-form-urlencoded\r\n"

    static let rows: [Row] =
        [
            // What is no request (400 and close).
            row("9112 §2.2", "a bare LF", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400, closes: true),
            row("9112 §2.2", "a bare CR", get("A: b\rc\r\n"), 400, closes: true),
            row("9112 §3", "a line that is no request line", "hello\r\n\r\n", 400, closes: true),
            row("9112 §3", "two spaces", "GET  / HTTP/1.1\r\n\r\n", 400, closes: true),
            row("9112 §3.2", "no Host", "GET / HTTP/1.1\r\n\r\n", 400, closes: true),
            row("9112 §3.2", "two Hosts", get("Host: localhost\r\n"), 400, closes: true),
            row(
                "9112 §3.2",
                "a Host with user information",
                "GET / HTTP/1.1\r\nHost: a@h\r\n\r\n",
                400,
                closes: true
            ),
            row("9112 §3.2", "a fragment", get("", "/#a"), 400, closes: true),
            row("9112 §5.1", "white space before a colon", get("A : b\r\n"), 400, closes: true),
            row("9112 §5.2", "a folded line", get("A: b\r\n c\r\n"), 400, closes: true),
            row("9110 §5.5", "a NUL in a value", get("A: \0\r\n"), 400, closes: true),
            row(
                "9112 §6.1",
                "a length and a coding, and nothing behind them is answered",
                request(
                    "POST",
                    "/oauth2/token",
                    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
                ) + "0\r\n\r\n",
                400,
                closes: true
            ),
            row(
                "9112 §6.3",
                "two lengths",
                request("POST", "/oauth2/token", "Content-Length: 0\r\nContent-Length: 4\r\n"),
                400,
                closes: true
            ),
            row(
                "9110 §8.6",
                "a length with a sign",
                request("POST", "/oauth2/token", "Content-Length: +1\r\n") + "a",
                400,
                closes: true
            ),
            row(
                "9112 §7.1",
                "a chunk size that is none",
                request("POST", "/oauth2/token", "Transfer-Encoding: chunked\r\n") + "x\r\n",
                400,
                closes: true
            ),
            row("8446 §5.1", "a TLS handshake", "\u{16}\u{3}\u{1}\u{0}\u{5}", 400, closes: true),

            // Other refusals of a message.
            row(
                "9110 §15.5.15",
                "a request line above 8 KiB",
                get("", "/" + String(repeating: "a", count: 8192)),
                414,
                closes: true
            ),
            row(
                "6585 §5",
                "a field above 32 KiB",
                get("A: \(String(repeating: "b", count: 32_768))\r\n"),
                431,
                closes: true
            ),
            row(
                "6585 §5",
                "more than 100 field lines",
                get(String(repeating: "A: b\r\n", count: 100)),
                431,
                closes: true
            ),
            row(
                "6585 §5",
                "a trailer above 8 KiB",
                request("POST", "/oauth2/token", form + "Transfer-Encoding: chunked\r\n")
                    + "0\r\nA: \(String(repeating: "b", count: 8192))\r\n\r\n",
                431,
                closes: true
            ),
            row("9110 §10.1.1", "another expectation", get("Expect: 42\r\n"), 417, closes: true),
            row("9110 §15.6.2", "a method nobody defines", request("BREW", "/"), 501, closes: true),
            row("9110 §9.3.6", "CONNECT", request("CONNECT", "h:80"), 501, closes: true),
            row(
                "9112 §6.1",
                "a transfer coding nobody decodes",
                request("POST", "/", "Transfer-Encoding: gzip, chunked\r\n"),
                501,
                closes: true
            ),
            row("9110 §15.6.6", "HTTP/2.0", "GET / HTTP/2.0\r\n\r\n", 505, closes: true),
            row(
                "9113 §3.4",
                "the preface of HTTP/2",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                505,
                closes: true
            ),

            // Requests that are answered, and the connection goes on.
            row("9112 §9.3", "a request", get(), 200),
            row("9112 §2.2", "an empty line before a request", "\r\n" + get(), 200),
            row("9112 §3.2.2", "an absolute target", get("", "http://localhost\(path)"), 200),
            row("9112 §9.6", "Connection: close", get("Connection: close\r\n"), 200, closes: true),
            row(
                "9112 §9.6",
                "close in a list",
                get("Connection: TE, close\r\nTE: trailers\r\n"),
                200,
                closes: true
            ),
            row("9112 §9.3", "HTTP/1.0", "GET \(path) HTTP/1.0\r\n\r\n", 200, closes: true),
            row(
                "9112 §9.3",
                "HTTP/1.0 with keep-alive",
                "GET \(path) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                200,
                closes: true
            ),
            row(
                "9110 §7.8",
                "an upgrade to h2c is ignored",
                get(
                    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
                ),
                200
            ),
            row("9110 §9.3.2", "HEAD", request("HEAD", path), 200, isHead: true),
            row("9110 §9.3.2", "HEAD of nothing", request("HEAD", "/no"), 404, isHead: true),
            row("9110 §15.5.5", "a path that nobody serves", get("", "/no"), 404),
            row(
                "9110 §9.3.7",
                "OPTIONS of the server",
                request("OPTIONS", "*"),
                204,
                fields: ["allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS"],
                target: "*"
            ),
            row(
                "9110 §9.3.7",
                "OPTIONS of a path",
                request("OPTIONS", path),
                405,
                fields: ["allow": "GET, HEAD"]
            ),
            row(
                "9110 §9.3.8",
                "TRACE",
                request("TRACE", path),
                405,
                fields: ["allow": "GET, HEAD"]
            ),
            row(
                "10008 §2",
                "QUERY",
                request("QUERY", path, "Content-Length: 2\r\n") + "{}",
                405,
                fields: ["allow": "GET, HEAD"]
            ),
            row(
                "5789 §2",
                "PATCH",
                request("PATCH", path, "Content-Length: 2\r\n") + "{}",
                405,
                fields: ["allow": "GET, HEAD"]
            ),
            row(
                "9110 §15.5.6",
                "a method that this path has not",
                request("DELETE", "/oauth2/token"),
                405,
                fields: ["allow": "POST"]
            ),
            row(
                "9110 §15.5.6",
                "a method that a document has not",
                request("PUT", "/openapi.json", "Content-Length: 0\r\n"),
                405,
                fields: ["allow": "GET, HEAD"]
            ),
            row(
                "9110 §9.3.1",
                "content in GET is read and ignored",
                get("Content-Length: 4\r\n") + "GET ",
                200
            ),
            row(
                "9112 §7.1",
                "chunked content",
                request("POST", "/oauth2/token", form + "Transfer-Encoding: chunked\r\n")
                    + "5;a=b\r\ngrant\r\n5\r\n_type\r\n0\r\nA: b\r\n\r\n",
                400,
                fields: ["content-type": "application/json"],
                method: "POST",
                target: "/oauth2/token"
            ),
            row(
                "9112 §6.3",
                "a POST without a length has no content",
                request("POST", "/oauth2/token", form),
                400,
                fields: ["content-type": "application/json"],
                method: "POST",
                target: "/oauth2/token"
            ),
            row(
                "9112 §6.3",
                "what follows it is the next message",
                request("POST", "/oauth2/token", form) + "grant_type=x\r\n\r\n",
                400,
                400,
                closes: true
            ),
            row("3986 §6.2.2", "dot segments are not resolved", get("", "/a/..\(path)"), 404),
            row("3986 §2.1", "nor escaped ones", get("", "/%2e%2e\(path)"), 404),
            row("3986 §3.3", "an empty segment is one", get("", "/\(path)"), 404),
            row("3986 §6.2.2", "paths have case", get("", path.uppercased()), 404),
            row("3986 §2.1", "an escaped NUL is no end", get("", "\(path)%00"), 404),
            row("3986 §2.1", "an escape of no digits", get("", "\(path)%zz"), 404),

            // Too large, as soon as it is known.
            row(
                "9110 §15.5.14",
                "announced content above 16 MiB is refused before it comes",
                request("POST", "/oauth2/token", form + "Content-Length: 16777217\r\n"),
                413,
                closes: true,
                method: "POST",
                target: "/oauth2/token"
            ),
            row(
                "9110 §10.1.1",
                "and without a 100",
                request(
                    "POST",
                    "/oauth2/token",
                    form + "Expect: 100-continue\r\nContent-Length: 99999999999999999999\r\n"
                ),
                413,
                closes: true,
                method: "POST",
                target: "/oauth2/token"
            ),
            row(
                "9112 §7.1",
                "a chunk above 16 MiB is refused before it comes",
                request("POST", "/oauth2/token", form + "Transfer-Encoding: chunked\r\n")
                    + "1000001\r\n",
                413,
                closes: true
            ),
            row(
                "9110 §15.5.12",
                "an upload in chunks",
                request("PUT", "/uploads/\(guid)", "Transfer-Encoding: chunked\r\n"),
                411,
                closes: true,
                method: "PUT",
                target: "/uploads/\(guid)"
            ),
            row(
                "9110 §15.5.14",
                "an upload above 2 MiB",
                request("PUT", "/uploads/\(guid)", "Content-Length: 2097153\r\n"),
                413,
                closes: true,
                method: "PUT",
                target: "/uploads/\(guid)"
            ),

            // Pipelining.
            row(
                "9112 §9.3.2",
                "three requests at once",
                get() + get("", "/no") + get(),
                200,
                404,
                200
            ),
            row(
                "9112 §9.3.2",
                "an error in the middle ends the connection there",
                get() + get("", "/no") + "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + get(),
                200,
                404,
                400,
                closes: true
            ),
            row(
                "9112 §9.6",
                "what stands behind a close is not answered",
                get() + get("Connection: close\r\n") + "rubbish" + get(),
                200,
                200,
                closes: true
            ),
        ]

    static let guid = "989dd0c7-13bb-4bba-b7a0-53a28bdf5155"

    enum Sending: CaseIterable {
        case whole
        case octetByOctet
    }

    @Test("Answers and connections are as the RFC says", arguments: rows, Sending.allCases)
    func answers(_ row: Row, sending: Sending) throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        switch sending {
        case .whole: try client.send(row.octets)
        case .octetByOctet:
            // A server that has refused may have closed before the last octet.
            for octet in row.octets.prefix(9000) {
                do { try client.send([octet]) } catch { break }
            }
            try? client.send(Array(row.octets.dropFirst(9000)))
        }
        // Behind a connection that closes the next request must not be answered.
        try? client.send(Self.get())
        for (index, status) in row.statuses.enumerated() {
            let isLast = index == row.statuses.count - 1
            let response = try client.response(toHead: row.isHead && isLast)
            #expect(response.status == status, "\(response.text.prefix(300))")
            try check(response, of: row, isLast: isLast)
        }
        guard row.closes else {
            #expect(try client.response().status == 200)
            return
        }
        #expect(client.readToEnd().octets.isEmpty)
    }

    private func check(_ response: RawClient.Response, of row: Row, isLast: Bool) throws {
        #expect(response.field("date") != nil)
        #expect(response.field("x-correlation-id")?.count == 16)
        #expect((response.field("connection") == "close") == (isLast && row.closes))
        #expect(response.field("transfer-encoding") == nil)
        if response.status == 204 { #expect(response.field("content-length") == nil) }
        guard isLast else { return }
        for (name, value) in row.fields { #expect(response.field(name) == value) }
        if response.status == 200 {
            TestServer.validate(response, to: row.isHead ? "HEAD" : "GET", Self.path)
        } else {
            TestServer.validate(response, to: row.isHead ? "HEAD" : row.method, row.target)
        }
        guard response.status >= 400, !row.isHead,
            response.field("content-type") == "application/problem+json"
        else { return }
        let problem = try JSONParser.parse(response.content)
        #expect(problem["status"] == .integer(response.status))
        #expect(problem["type"]?.string == Problem.type(ofStatus: response.status))
        #expect(problem["requestId"]?.string == response.field("x-correlation-id"))
        #expect(problem["detail"]?.string?.isEmpty == false)
    }

    // MARK: Time and endings

    @Test("9110 §15.5.9: a head that does not end is answered 408")
    func headTimeout() throws {
        let server = try TestServer { $0.transport.headTimeout = .milliseconds(30) }
        let client = try RawClient(port: server.listener.port)
        try client.send(Self.get() + "GET / HTTP/1.1\r\nHost:")
        #expect(try client.response().status == 200)
        try expectLast(408, client)
    }

    @Test("9110 §15.5.9: content that stops is answered 408")
    func contentTimeout() throws {
        let server = try TestServer { $0.transport.contentTimeout = .milliseconds(30) }
        let client = try RawClient(port: server.listener.port)
        try client.send(
            Self.request("POST", "/oauth2/token", Self.form + "Content-Length: 20\r\n") + "grant"
        )
        try expectLast(408, client)
    }

    @Test("9112 §9.5: an idle connection is closed without an answer")
    func idleTimeout() throws {
        let server = try TestServer { $0.transport.idleTimeout = .milliseconds(30) }
        let client = try RawClient(port: server.listener.port)
        #expect(try client.exchange(Self.get()).status == 200)
        #expect(client.readToEnd().octets.isEmpty)
    }

    @Test("9112 §9.6: a client that ended its side still gets its answers")
    func halfClose() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        try client.send(Self.get() + Self.get("", "/no"))
        client.finishSending()
        #expect(try client.response().status == 200)
        #expect(try client.response().status == 404)
        #expect(client.read() == .end)
    }

    @Test(
        "9112 §8: a message that breaks off is refused, not carried out",
        arguments: [
            "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n",
            request("POST", "/oauth2/token", form + "Content-Length: 200\r\n")
                + "grant_type=client_credentials",
            request("POST", "/oauth2/token", form + "Transfer-Encoding: chunked\r\n")
                + "2\r\nab\r\n0\r\n",
        ]
    )
    func brokenOff(octets: String) throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        try client.send(octets)
        client.finishSending()
        try expectLast(400, client)
    }

    private func expectLast(_ status: Int, _ client: RawClient) throws {
        let response = try client.response()
        #expect(response.status == status)
        #expect(response.field("connection") == "close")
        #expect(response.field("content-type") == "application/problem+json")
        TestServer.validate(response, to: "", "/")
        #expect(client.readToEnd().octets.isEmpty)
    }

    @Test("9110 §10.1.1: 100 is sent where the content is wanted")
    func expectation() throws {
        let server = try TestServer()
        let client = try RawClient(port: server.listener.port)
        let content = "grant_type=x"
        try client.send(
            Self.request(
                "POST",
                "/oauth2/token",
                Self.form + "Expect: 100-continue\r\nContent-Length: \(content.utf8.count)\r\n"
            )
        )
        #expect(try client.readHead() == "HTTP/1.1 100 Continue\r\n\r\n")
        let response = try client.exchange(content)
        #expect(response.status == 400)
        #expect(try client.exchange(Self.get()).status == 200)
    }

    // MARK: HEAD

    /// The path of a GET operation with values that stand in the default data.
    static func target(of operation: Contract.Operation) -> String {
        let values = [
            "domain": "acme", "siteName": "Central%20Clinic", "appointmentId": "A123456",
            "status": "PENDING%20REPORTING", "patientId": "220000", "attachmentGuid": guid,
            "commentGuid": guid, "guid": guid,
        ]
        let segments = operation.pathTemplate.split(separator: "/").map { segment in
            segment.hasPrefix("{")
                ? values[String(segment.dropFirst().dropLast())] ?? "" : String(segment)
        }
        return "/" + segments.joined(separator: "/")
    }

    @Test("9110 §9.3.2: HEAD answers as GET does, without the content")
    func head() throws {
        let server = try TestServer()
        let authorization =
            "Authorization: Bearer \(try server.token("group-partner"))\r\n"
            + "X-Correlation-Id: same\r\n"
        let client = try RawClient(port: server.listener.port)
        let targets =
            TestServer.contract.operations.filter { $0.method == .get }.map(Self.target)
            + ["/openapi.json", "/openapi.yaml", "/__admin/health", "/no"]
        #expect(targets.count > 25)
        var found = 0
        for target in targets {
            let whole = try client.exchange(Self.request("GET", target, authorization))
            let head = try client.exchange(
                Self.request("HEAD", target, authorization),
                toHead: true
            )
            #expect(head.status == whole.status, "\(target)")
            // The link names the request.
            #expect(
                head.fields.filter { $0.name != "link" }
                    == whole.fields.filter { $0.name != "link" },
                "\(target)"
            )
            #expect((head.field("link") == nil) == (whole.field("link") == nil), "\(target)")
            TestServer.validate(head, to: "HEAD", target)
            found += whole.status == 200 ? 1 : 0
        }
        #expect(found > 20)
        #expect(try client.exchange(Self.get()).status == 200)
    }
}

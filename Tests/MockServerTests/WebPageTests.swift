import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import TestSupport
import Testing

@Suite("Web pages of other sites")
struct WebPageTests {
    /// A request of each kind that the emulated API answers.
    struct Target: Sendable {
        let method: String
        let path: String
        var fields: [(String, String)] = []
        var content: [UInt8]?
        /// Without a page behind it.
        let status: Int
    }

    /// A server, and requests of every kind to it.
    static func targets(_ server: TestServer) throws -> [Target] {
        let api = "/integrations/v1/acme"
        let token = [("Authorization", "Bearer \(try server.token())")]
        let form =
            "grant_type=client_credentials&client_id=acme-partner%2Bof-a-page"
            + "&client_secret=acme-partner-secret"
        let upload = try UploadTests.Announced(server: server)
        let list = try server.get("appointments/A123456/attachments").json.array ?? []
        let url = try server.target(of: try #require(list.first { $0["url"] != .null })["url"])
        return [
            Target(method: "GET", path: api + "/sites", fields: token, status: 200),
            Target(method: "HEAD", path: api + "/sites", fields: token, status: 200),
            Target(method: "GET", path: api + "/sites", status: 401),
            Target(method: "GET", path: "/_mock/openapi" + api + "/sites", status: 401),
            Target(
                method: "POST",
                path: "\(api)/\(TestServer.commentsPath)",
                fields: token + [("Content-Type", "application/json")],
                content: Array(#"{"commentText":"a"}"#.utf8),
                status: 200
            ),
            Target(
                method: "POST",
                path: "/oauth2/token",
                fields: [("Content-Type", "application/x-www-form-urlencoded")],
                content: Array(form.utf8),
                status: 200
            ),
            Target(
                method: "PUT",
                path: upload.target,
                fields: [("Content-Type", "application/pdf")],
                content: [1],
                status: 200
            ),
            Target(method: "GET", path: url, status: 200),
            Target(method: "GET", path: "/.well-known/jwks.json", status: 200),
            Target(method: "GET", path: "/.well-known/openid-configuration", status: 200),
            Target(method: "GET", path: "/openapi.yaml", status: 200),
            Target(method: "GET", path: "/nothing", status: 404),
            Target(method: "DELETE", path: api + "/sites", status: 405),
        ]
    }

    /// What a page of another site cannot but send, and the reason that the journal has for it.
    static let foreign: [(field: (String, String), reason: JSONValue)] = [
        (("Host", "evil.example"), "host"), (("Host", "localhost.evil.example:80"), "host"),
        (("Origin", "https://evil.example"), "origin"), (("Origin", "null"), "origin"),
        (("Origin", "http://localhost.evil.example"), "origin"), (("Origin", ""), "origin"),
        (("Origin", "file://"), "origin"), (("Origin", "http://localhost/path"), "origin"),
        (("Origin", "http://localhost@evil.example"), "origin"),
    ]

    @Test("Nothing that a page of another site sends is answered, or has an effect")
    func foreignPages() throws {
        let server = try TestServer()
        let targets = try Self.targets(server)
        let rule: JSONValue = [
            "id": "spared", "match": ["operation": "Integrations_ListSites"], "when": ["first": 1],
            "then": ["status": 503],
        ]
        #expect(try server.control("POST", "/faults", rule).status == 201)
        for target in targets {
            for (field, reason) in Self.foreign {
                let place = "\(target.method) \(target.path) \(field)"
                let answer = try server.send(
                    target.method,
                    target.path,
                    target.fields + [field],
                    target.content
                )
                #expect(answer.status == 403, "\(place)")
                #expect(
                    answer.field("content-type") == "application/problem+json",
                    "\(place)"
                )
                let entry = try #require(try server.entries("?limit=1").first)
                #expect(entry["reason"] == reason, "\(place)")
                #expect(answer.response.fields.allSatisfy { !$0.name.hasPrefix("access-control") })
            }
        }
        #expect(try server.control("GET", "/sessions").json["items"]?.array?.count == 1)
        #expect(try server.control("GET", "/faults/spared").json["seen"] == 0)
        #expect(try server.control("DELETE", "/faults").status == 204)
        for target in targets {
            let answer = try server.send(
                target.method,
                target.path,
                target.fields + [("Origin", "http://localhost:3000")],
                target.content
            )
            #expect(answer.status == target.status, "\(target.path): \(answer.text)")
        }
    }

    @Test("Two Origins are refused for either; an absolute target counts, not its Host")
    func severalNames() throws {
        let server = try TestServer()
        let home = ("Origin", "http://localhost")
        let away = ("Origin", "http://evil.example")
        for fields in [[home, away], [away, home]] {
            #expect(try server.get("sites", fields: fields).status == 403)
        }
        #expect(try server.get("sites", fields: [home, home]).status == 200)
        for (authority, host, status) in [
            ("evil.example", "localhost", 403), ("localhost", "evil.example", 401),
        ] {
            let client = try RawClient(port: server.listener.port)
            let answer = try client.exchange(
                "GET http://\(authority)/integrations/v1/acme/sites HTTP/1.1\r\nHost: \(host)\r\n\r\n"
            )
            #expect(answer.status == status, "\(authority)")
        }
        // No browser speaks HTTP/1.0, and its clients may send no Host.
        let old = try RawClient(port: server.listener.port)
        let answer = try old.exchange("GET /.well-known/jwks.json HTTP/1.0\r\n\r\n")
        #expect(answer.status == 200)
    }

    @Test("An upload that a page announces is refused before its content")
    func early() throws {
        let upload = try UploadTests.Announced()
        let client = try RawClient(port: upload.server.listener.port)
        let answer = try client.exchange(
            "PUT \(upload.target) HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n"
                + "Content-Type: application/pdf\r\nContent-Length: 3000000\r\n\r\n"
        )
        #expect(answer.status == 403)
        #expect(try upload.server.entries("?limit=1").first?["reason"] == "origin")
    }

    /// What browsers say of a request without Origin, and what it gets.
    static let metadata:
        [(method: String, path: String, site: String, mode: String?, status: Int)] = [
            ("GET", "/openapi.yaml", "cross-site", "no-cors", 403),
            ("GET", "/openapi.yaml", "Cross-Site", nil, 403),
            ("GET", "/openapi.yaml", "same-site", "no-cors", 200),
            ("GET", "/openapi.yaml", "same-origin", "cors", 200),
            ("GET", "/openapi.yaml", "none", "navigate", 200),
            // A link that somebody follows.
            ("GET", "/openapi.yaml", "cross-site", "navigate", 200),
            ("HEAD", "/openapi.yaml", "cross-site", "navigate", 200),
            ("POST", "/oauth2/token", "cross-site", "navigate", 403),
            ("POST", "/oauth2/token", "cross-site", "no-cors", 403),
            ("GET", "/__admin/clock", "cross-site", "no-cors", 403),
            ("GET", "/__admin/clock", "cross-site", "navigate", 200),
            ("POST", "/__admin/reset", "cross-site", "navigate", 403),
            ("POST", "/__admin/reset", "same-origin", "cors", 204),
            // A content that a page shows; this URL is none, which is told.
            (
                "GET", "/attachments/x?expires=1&disposition=inline&session=default&signature=x",
                "cross-site", "no-cors", 403
            ),
        ]

    @Test("Without Origin it counts what the browser says of the site", arguments: metadata)
    func fetchMetadata(method: String, path: String, site: String, mode: String?, status: Int)
        throws
    {
        let server = try TestServer()
        var fields = [("Sec-Fetch-Site", site)]
        if let mode { fields.append(("Sec-Fetch-Mode", mode)) }
        let answer = try server.send(method, path, fields)
        #expect(answer.status == status, "\(answer.text)")
        if path.hasPrefix("/attachments") {
            #expect(try server.entries("?limit=1").first?["reason"] == "url-signature")
        }
        // A page of this machine sends both, and is at home.
        let home = try server.send(method, path, fields + [("Origin", "http://127.0.0.1:3000")])
        #expect(home.status != 403 || path.hasPrefix("/attachments"), "\(home.text)")
    }

    @Test("--allow-host and --public-url name further hosts, for pages as for clients")
    func allowedHosts() throws {
        let server = try TestServer {
            $0.allowedHosts = ["mock", "host.docker.internal", "fd00::7"]
            $0.publicURL = try HTTPURL("https://mock.example/base")
        }
        for (host, status) in [
            ("mock:8080", 200), ("MOCK", 200), ("host.docker.internal:8080", 200),
            ("[FD00::7]:8080", 200), ("mock.example", 200), ("mock.evil.example", 403),
            ("evil.mock", 403), ("docker.internal", 403), ("[fd00::8]", 403),
        ] {
            let byHost = try server.get("sites", fields: [("Host", host)])
            #expect(byHost.status == status, "\(host)")
            let byOrigin = try server.get("sites", fields: [("Origin", "http://\(host)")])
            #expect(byOrigin.status == status, "\(host)")
            #expect(try server.control("GET", "/clock", fields: [("Host", host)]).status == status)
        }
    }

    @Test("Off loopback any Host will do; pages must be of the host that they ask")
    func exposed() throws {
        let server = try TestServer { $0.transport.host = "0.0.0.0" }
        for (host, origin, status) in [
            ("mock.test:8080", nil, 200), ("evil.example", nil, 200),
            ("mock.test:8080", "http://mock.test:8080", 200),
            ("mock.test:8080", "http://localhost:3000", 200),
            ("mock.test:8080", "http://mock.test:3000", 403),
            ("mock.test:8080", "https://evil.example", 403), ("mock.test:8080", "null", 403),
        ] {
            let fields = [("Host", host)] + (origin.map { [("Origin", $0)] } ?? [])
            let answer = try server.get("sites", fields: fields)
            #expect(answer.status == status, "\(host) \(origin ?? "none")")
        }
    }
}

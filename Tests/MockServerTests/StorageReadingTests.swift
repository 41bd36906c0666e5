import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Readings
import TestSupport
import Testing

@Suite("Transfers as a storage service has them")
struct StorageReadingTests {
    private static func server() throws -> TestServer {
        try TestServer { $0.readings[.storage] = .value(1) }
    }

    /// The path and query of an upload URL.
    private static func upload(
        _ server: TestServer,
        type: String? = "application/pdf"
    ) throws -> String {
        var item = JSONObject([("fileName", .string("Jane Doe's report.pdf"))])
        if let type { item["contentType"] = .string(type) }
        let answer = try server.post(TestServer.uploadsPath, ["items": [.object(item)]])
        let url = try #require(answer.json["items"]?.array?.first?["uploadUrl"]?.string)
        #expect(url.hasPrefix(server.baseURL))
        return String(url.dropFirst(server.baseURL.count))
    }

    /// The path and query of a download URL.
    private static func download(_ server: TestServer) throws -> String {
        let path = "appointments/A123456/attachments/989dd0c7-13bb-4bba-b7a0-53a28bdf5155"
        let url = try #require(try server.get(path).json["url"]?.string)
        return String(url.dropFirst(server.baseURL.count))
    }

    private static func put(
        _ target: String,
        _ server: TestServer,
        _ fields: [(String, String)] = [("Content-Type", "application/pdf")]
    ) throws -> TestServer.Answer {
        try server.send("PUT", target, fields, Array("%PDF-1.7".utf8))
    }

    @Test("A URL holds octets that need encoding, and nothing of the client's")
    func looks() throws {
        let server = try Self.server()
        for target in try [Self.upload(server), Self.download(server)] {
            for encoded in ["%2B", "%2F", "%3D", "%20"] { #expect(target.contains(encoded)) }
            #expect(!target.contains("Jane"))
        }
    }

    @Test("Used as it was answered, a URL works, and the content has an ETag")
    func works() throws {
        let server = try Self.server()
        let stored = try Self.put(try Self.upload(server), server)
        #expect(stored.status == 200)
        let tag = try #require(stored.field("etag"))
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\"") && tag.utf8.count == 34)
        let target = try Self.download(server)
        let whole = try server.send("GET", target)
        #expect(whole.status == 200 && whole.field("etag") != nil)
        let part = try server.send("GET", target, [("Range", "bytes=0-3")])
        #expect(part.status == 206 && part.field("etag") == whole.field("etag"))
        // The other reading has none.
        _ = try server.control("PUT", "/readings", ["storage": "lenient"])
        #expect(try server.send("GET", target).field("etag") == nil)
    }

    /// What clients do to a URL, and whether it still works.
    static let changes: [(name: String, works: Bool, change: @Sendable (String) -> String)] = [
        ("nothing", true, { $0 }),
        ("decoded", false, { $0.replacing("%2B", with: "+").replacing("%2F", with: "/") }),
        ("encoded twice", false, { $0.replacing("%", with: "%25") }),
        (
            "small hex digits", true,
            { $0.replacing("%2B", with: "%2b").replacing("%2F", with: "%2f") }
        ),
        ("a slash as it is", true, { $0.replacing("%2F", with: "/") }),
        ("a parameter more", false, { $0 + "&_=1700000000" }),
        ("an empty parameter more", false, { $0 + "&x" }),
        ("a parameter twice", false, { $0 + "&session=default" }),
        (
            "a parameter less", false,
            { $0.dropParameter("object") }
        ),
        ("another credential", false, { $0.replacing("qubs-mock%2F", with: "qubs-mock%2F1") }),
        ("no credential", false, { $0.dropParameter("credential") }),
        ("another expiry", false, { $0.replacing("expires=1", with: "expires=2") }),
        (
            "parameters in another order", true,
            { target in
                let parts = target.split(separator: "?", maxSplits: 1)
                return "\(parts[0])?"
                    + parts[1].split(separator: "&").reversed().joined(separator: "&")
            }
        ),
    ]

    @Test(
        "Host and every parameter are signed, their encoding and order are not",
        arguments: changes
    )
    func changed(name: String, works: Bool, change: @Sendable (String) -> String) throws {
        let server = try Self.server()
        let upload = change(try Self.upload(server))
        let stored = try Self.put(upload, server)
        // The contract takes each parameter once, before anybody looks at the signature.
        let refused = name == "a parameter twice" ? 400 : 403
        #expect(stored.status == (works ? 200 : refused), "\(name): \(stored.text)")
        let shown = try server.send("GET", change(try Self.download(server)))
        #expect(shown.status == (works ? 200 : refused), "\(name): \(shown.text)")
        if !works, refused == 403 {
            #expect(stored.field("content-type") == "application/xml")
            #expect(stored.text.contains("<Code>SignatureDoesNotMatch</Code>"))
        }
    }

    @Test("A URL is good at the host that it was made for")
    func host() throws {
        let server = try Self.server()
        let target = try Self.upload(server)
        let other = ("Host", "localhost:\(server.listener.port)")
        let refused = try Self.put(target, server, [other, ("Content-Type", "application/pdf")])
        #expect(refused.status == 403 && refused.text.contains("SignatureDoesNotMatch"))
        #expect(try Self.put(target, server).status == 200)
        let download = try Self.download(server)
        #expect(try server.send("GET", download, [other]).status == 403)
    }

    @Test("Of the Content-Type every octet counts, where one was promised")
    func contentType() throws {
        let server = try Self.server()
        let target = try Self.upload(server)
        for (type, code) in [
            ("application/PDF", "SignatureDoesNotMatch"), ("text/plain", "SignatureDoesNotMatch"),
            ("application/pdf;charset=utf-8", "SignatureDoesNotMatch"),
        ] {
            let refused = try Self.put(target, server, [("Content-Type", type)])
            #expect(refused.status == 403 && refused.text.contains(code), "\(type)")
        }
        #expect(try Self.put(target, server).status == 200)
        let open = try Self.upload(server, type: nil)
        #expect(try Self.put(open, server, [("Content-Type", "application/PDF")]).status == 200)
        // The other reading goes by what the type means.
        _ = try server.control("PUT", "/readings", ["storage": "lenient"])
        let lenient = try Self.upload(server)
        #expect(try Self.put(lenient, server, [("Content-Type", "application/PDF")]).status == 200)
    }

    @Test("A second credential is 400, and the URL works without it")
    func credentials() throws {
        let server = try Self.server()
        let bearer = ("Authorization", "Bearer \(try server.token())")
        let target = try Self.upload(server)
        let refused = try Self.put(target, server, [bearer, ("Content-Type", "application/pdf")])
        #expect(refused.status == 400 && refused.text.contains("Only one auth mechanism allowed"))
        let entry = try #require(try server.entries("?limit=1").first)
        #expect(entry["reason"] == "storage-credentials")
        #expect(entry["readings"] == ["storage": "s3"])
        #expect(try server.explainNewest()["rules"]?.array?.first?["name"] == "Authorization")
        #expect(try server.send("GET", try Self.download(server), [bearer]).status == 400)
        #expect(try Self.put(target, server).status == 200)
    }

    @Test("URLs of one reading are good under the other")
    func mixed() throws {
        let server = try Self.server()
        let storages = try Self.upload(server)
        _ = try server.control("PUT", "/readings", ["storage": "lenient"])
        let plain = try Self.upload(server)
        #expect(try Self.put(storages, server).status == 200)
        _ = try server.control("PUT", "/readings", ["storage": "s3"])
        #expect(try Self.put(plain, server).status == 200)
    }

    @Test("Refusals of every kind are XML")
    func errors() throws {
        let server = try Self.server()
        let target = try Self.upload(server)
        #expect(try Self.put(target, server).status == 200)
        let used = try Self.put(target, server)
        #expect(used.status == 403 && used.text.contains("<Code>AccessDenied</Code>"))
        let late = try Self.upload(server)
        let shown = try Self.download(server)
        let range = try server.send("GET", shown, [("Range", "bytes=999999-")])
        #expect(range.status == 416 && range.text.contains("<Code>InvalidRange</Code>"))
        try server.arm(#""sequence":[{"status":503,"retryAfter":1}]"#, on: "download")
        let injected = try server.send("GET", shown)
        #expect(injected.status == 503 && injected.text.contains("<Code>SlowDown</Code>"))
        #expect(injected.field("retry-after") == "1")
        server.advance(seconds: 901)
        let expired = try Self.put(late, server)
        #expect(expired.status == 403 && expired.text.contains("Request has expired"))
        let id = try #require(expired.field("x-correlation-id"))
        #expect(expired.text.contains("<RequestId>\(id)</RequestId>"))
        // The API itself goes on with problem details.
        let api = try server.get("appointments/NOSUCH")
        #expect(api.field("content-type") == "application/problem+json")
    }
}

extension String {
    /// A target without one of its parameters.
    fileprivate func dropParameter(_ name: String) -> String {
        let parts = split(separator: "?", maxSplits: 1)
        let pairs = parts[1].split(separator: "&").filter { !$0.hasPrefix("\(name)=") }
        return "\(parts[0])?\(pairs.joined(separator: "&"))"
    }
}

import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("Uploads and downloads")
struct UploadTests {
    /// A server with one upload announced on A123456.
    struct Announced {
        let server: TestServer
        let guid: String
        /// Path and query of the upload URL.
        let target: String

        init(
            contentType: JSONValue = "application/pdf",
            fileName: String = "report.pdf",
            server: TestServer? = nil
        ) throws {
            self.server = try server ?? TestServer()
            let answer = try self.server.post(
                TestServer.uploadsPath,
                ["items": [["fileName": .string(fileName), "contentType": contentType]]]
            )
            let item = try #require(answer.json["items"]?.array?.first, "\(answer.text)")
            guid = try #require(item["guid"]?.string)
            target = try self.server.target(of: item["uploadUrl"])
        }

        func put(
            _ content: [UInt8],
            type: String? = "application/pdf",
            target: String? = nil
        ) throws -> TestServer.Answer {
            let fields = type.map { [("Content-Type", $0)] } ?? []
            return try server.send("PUT", target ?? self.target, fields, content)
        }

        /// The attachment as the API shows it.
        func attachment(_ query: String = "") throws -> JSONValue {
            let path = "appointments/A123456/attachments/\(guid)\(query)"
            return try server.get(path).json
        }

        /// The content, from the attachment's URL.
        func download(
            _ fields: [(String, String)] = [],
            query: String = "",
            method: String = "GET"
        ) throws -> TestServer.Answer {
            let url = try server.target(of: try attachment(query)["url"])
            return try server.send(method, url, fields)
        }
    }

    static let pdf = Array("%PDF-1.4 tiny".utf8)

    // MARK: The good way

    @Test("Attachments are listed as they are announced; content and URL come with the upload")
    func announcement() throws {
        let server = try TestServer()
        let names = (0..<20).map { "report \($0).pdf" }
        let answer = try server.post(
            TestServer.uploadsPath,
            ["items": .array(names.map { ["fileName": .string($0), "more": 1] })]
        )
        #expect(answer.status == 200)
        let items = try #require(answer.json["items"]?.array)
        #expect(items.map { $0["fileName"]?.string } == names)
        #expect(Set(items.map { $0["guid"] }).count == 20)
        #expect(Set(items.map { $0["uploadUrl"] }).count == 20)
        #expect(items.allSatisfy { $0["category"] == "report" })
        #expect(items.allSatisfy { $0["uploadUrlExpiresAtUtc"] == "2025-06-01T00:15:00Z" })
        for view in ["appointments", "reporting/appointments"] {
            let listed = try server.get("\(view)/A123456/attachments").json.array ?? []
            let mine = listed.filter { names.contains($0["fileName"]?.string ?? "") }
            #expect(mine.count == 20)
            for row in mine {
                #expect(row["url"] == .null && row["urlExpiresAtUtc"] == .null)
                #expect(row["addedDateTime"] == "2025-06-01T00:00:00Z")
                #expect(row["category"] == "report")
            }
        }
        server.advance(seconds: 30)
        let first = try #require(items.first)
        let put = try server.send("PUT", try server.target(of: first["uploadUrl"]), [], Self.pdf)
        #expect(put.status == 200 && put.response.content.isEmpty)
        let guid = try #require(first["guid"]?.string)
        for view in ["appointments", "reporting/appointments"] {
            let row = try server.get("\(view)/A123456/attachments/\(guid)?urlTtlSeconds=60").json
            #expect(row["urlExpiresAtUtc"] == "2025-06-01T00:01:30Z")
            #expect(row["lastModifiedDateTime"] == "2025-06-01T00:00:30Z")
            #expect(
                try server.send("GET", try server.target(of: row["url"])).text == "%PDF-1.4 tiny"
            )
        }
        #expect(try server.get("appointments/A123457/attachments/\(guid)").status == 404)
    }

    @Test("2097152 octets come back identical, with the type they came with")
    func largest() throws {
        let announced = try Announced()
        var state: UInt32 = 1
        let content = (0..<2_097_152).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        #expect(try announced.put(content).status == 200)
        let answer = try announced.download()
        #expect(answer.status == 200)
        #expect(answer.response.content == content)
        #expect(answer.field("content-type") == "application/pdf")
        #expect(answer.field("accept-ranges") == "bytes")
        let head = try announced.download(method: "HEAD")
        #expect(head.status == 200 && head.field("content-length") == "2097152")
        #expect(head.response.content.isEmpty)
    }

    @Test("Zero octets are a content, too")
    func zeroOctets() throws {
        let announced = try Announced()
        #expect(try announced.put([]).status == 200)
        let answer = try announced.download()
        #expect(answer.status == 200)
        #expect(answer.field("content-length") == "0")
        #expect(answer.field("content-type") == "application/pdf")
        #expect(try announced.put(Self.pdf).status == 403)
        #expect(try announced.download([("Range", "bytes=0-")]).status == 416)
    }

    @Test(
        "The promised type is required, whatever its letter case; else any will do",
        arguments: [
            ("application/pdf", "application/pdf", 200),
            ("application/pdf", "Application/PDF", 200),
            ("application/pdf", "application/pdf;", 200),
            ("application/pdf", "application/pdf; version=1.4", 403),
            ("application/pdf", "application/pdf; charset=utf-8", 403),
            ("application/pdf", "application/pdf;charset=", 403),
            ("application/pdf", "application / pdf", 403),
            ("application/pdf", "application/pdf, application/pdf", 403),
            ("application/pdf", "application/dicom", 403), ("application/pdf", nil, 403),
            ("application/pdf", "application/pdfx", 403), ("application/pdf", "", 403),
            ("application/dicom", "application/dicom", 200), (nil, nil, 200),
            (nil, "image/png", 200),
        ] as [(String?, String?, Int)]
    )
    func contentTypes(promised: String?, sent: String?, status: Int) throws {
        let announced = try Announced(contentType: promised.map(JSONValue.string) ?? .null)
        let answer = try announced.put(Self.pdf, type: sent)
        #expect(answer.status == status, "\(answer.text)")
        if status == 200 {
            let kept = try announced.download()
            #expect(kept.field("content-type") == sent ?? "application/octet-stream")
        } else {
            #expect(
                answer.json["detail"]?.string?.contains("Content-Type: application/pdf") == true
            )
            // What was refused may be tried again.
            #expect(try announced.attachment()["url"] == .null)
            #expect(try announced.put(Self.pdf).status == 200)
        }
    }

    @Test("Two Content-Types are refused: the content could be either")
    func twoTypes() throws {
        for promised: JSONValue in ["application/pdf", nil] {
            let announced = try Announced(contentType: promised)
            let answer = try announced.server.send(
                "PUT",
                announced.target,
                [("Content-Type", "application/pdf"), ("Content-Type", "text/html")],
                Self.pdf
            )
            #expect(answer.status == 400)
            #expect(try announced.put(Self.pdf).status == 200)
        }
    }

    @Test(
        "A part of a content is refused and nothing of it kept; the URL can still be used once",
        arguments: ["bytes 4-8/9", "bytes 4-8/*", "bytes 0-4/5", "bytes */9", "x", ""]
    )
    func parts(range: String) throws {
        let announced = try Announced()
        let server = announced.server
        let fields = [("Content-Type", "application/pdf"), ("Content-Range", range)]
        let answer = try server.send("PUT", announced.target, fields, Array("whole".utf8))
        #expect(answer.status == 400)
        #expect(answer.json["errors"]?["Content-Range"]?.array?.count == 1)
        let told = try server.explainNewest()
        #expect(told["rules"]?.array?.first?["name"] == "Content-Range", "\(told)")
        #expect(try announced.attachment()["url"] == .null)
        // Who asks first hears it before it sends.
        let client = try RawClient(port: server.listener.port)
        let early = try client.exchange(
            "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
                + "Content-Range: \(range)\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(early.status == 400)
        #expect(try announced.put(Self.pdf).status == 200)
        #expect(try announced.download().response.content == Self.pdf)
        #expect(try announced.put(Self.pdf).status == 403)
    }

    @Test("No browser takes a content for a page of this server", arguments: ["GET", "HEAD"])
    func sandboxed(method: String) throws {
        let announced = try Announced(contentType: .null, fileName: "page.html")
        let page = Array("<script>fetch('/__admin/reset', {method: 'POST'})</script>".utf8)
        #expect(try announced.put(page, type: "text/html; charset=utf-8").status == 200)
        for fields in [[], [("Range", "bytes=0-7")]] {
            let answer = try announced.download(
                fields,
                query: "?disposition=inline",
                method: method
            )
            #expect([200, 206].contains(answer.status))
            #expect(answer.field("content-type") == "text/html; charset=utf-8")
            #expect(answer.field("x-content-type-options") == "nosniff")
            #expect(answer.field("content-security-policy") == "sandbox")
        }
        // What a sandboxed page sends has this origin.
        let reset = try announced.server.control("POST", "/reset", fields: [("Origin", "null")])
        #expect(reset.status == 403)
    }

    // MARK: Refusals

    @Test("An upload URL takes one content, of many at once, too")
    func once() throws {
        let announced = try Announced()
        let port = announced.server.listener.port
        let clients = try (0..<16).map { _ in try RawClient(port: port) }
        let requests = (0..<16).map { index in
            "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
                + "Content-Length: 2\r\n\r\n\(index + 10)"
        }
        let answers = try IdempotencyTests.exchange(requests, clients)
        #expect(answers.filter { $0.status == 200 }.count == 1)
        #expect(answers.filter { $0.status == 403 }.count == 15)
        let winner = try #require(answers.firstIndex { $0.status == 200 })
        #expect(try announced.download().text == "\(winner + 10)")
        let again = try announced.put(Self.pdf)
        #expect(again.status == 403)
        #expect(again.json["detail"]?.string?.contains("had its content") == true)
        #expect(try announced.download().text == "\(winner + 10)")
    }

    @Test("An upload URL ends after 15 minutes, to the second")
    func expiry() throws {
        let announced = try Announced()
        announced.server.advance(seconds: 899)
        #expect(try announced.put(Self.pdf, type: "text/plain").status == 403)
        let late = try Announced(server: announced.server)
        announced.server.advance(seconds: 1)
        let answer = try announced.put(Self.pdf)
        #expect(answer.status == 403)
        #expect(answer.json["detail"]?.string?.contains("2025-06-01T00:15:00Z") == true)
        #expect(try announced.attachment()["url"] == .null)
        announced.server.advance(seconds: 898)
        #expect(try late.put(Self.pdf).status == 200)
    }

    @Test("The time that counts is that of the last octet")
    func expiryDuringUpload() throws {
        let announced = try Announced()
        let client = try RawClient(port: announced.server.listener.port)
        announced.server.advance(seconds: 899)
        try client.send(
            "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
                + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(try client.readHead().hasPrefix("HTTP/1.1 100 "))
        announced.server.advance(seconds: 1)
        #expect(try client.exchange("%PDF-").status == 403)
        #expect(try announced.attachment()["url"] == .null)
    }

    @Test("An altered URL is 403, and the right one works afterwards")
    func alteredURLs() throws {
        let announced = try Announced()
        let other = try Announced(server: announced.server)
        let signature = try #require(announced.target.split(separator: "signature=").last)
        let otherSignature = try #require(other.target.split(separator: "signature=").last)
        let expires = TestServer.start + 900
        let path = "/uploads/\(announced.guid)"
        let altered = [
            announced.target.replacing(announced.guid, with: other.guid),
            announced.target.replacing("expires=\(expires)", with: "expires=\(expires + 3600)"),
            announced.target.replacing("expires=\(expires)", with: "expires=-1"),
            announced.target.replacing("expires=\(expires)", with: "expires=99999999999999999999"),
            announced.target.replacing("session=default", with: "session=other"),
            announced.target.replacing(String(signature), with: String(otherSignature)),
            announced.target.replacing(String(signature), with: String(signature.dropLast())),
            announced.target.replacing(String(signature), with: "AAAA"),
            announced.target.replacing(String(signature), with: ""),
            announced.target.replacing(String(signature), with: "%F0%9F%98%80"),
            announced.target + "A",
        ]
        for target in altered {
            let answer = try announced.put(Self.pdf, target: target)
            #expect([400, 403].contains(answer.status), "\(target): \(answer.status)")
            #expect(answer.json["status"]?.int == answer.status)
        }
        #expect(try announced.put(Self.pdf, target: path).status == 400)
        for method in ["GET", "POST", "DELETE"] {
            #expect(try announced.server.send(method, announced.target).status == 405, "\(method)")
        }
        // An upload URL is no download URL, and the other way round.
        #expect(try announced.put(Self.pdf).status == 200)
        let url = try announced.server.target(of: try announced.attachment()["url"])
        #expect(try announced.put(Self.pdf, target: url).status == 405)
        let asUpload = url.replacing("/attachments/", with: "/uploads/")
        #expect(try announced.put(Self.pdf, target: asUpload).status == 403)
        let asDownload = announced.target.replacing("/uploads/", with: "/attachments/")
        let answer = try announced.server.send("GET", asDownload + "&disposition=inline")
        #expect(answer.status == 403)
        let attached = url.replacing("disposition=inline", with: "disposition=attachment")
        #expect(attached != url)
        #expect(try announced.server.send("GET", attached).status == 403)
    }

    @Test("A length is needed: 411 without one, or in chunks, before the content is sent")
    func lengthRequired() throws {
        let announced = try Announced()
        let client = try RawClient(port: announced.server.listener.port)
        for framing in ["Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", ""] {
            let answer = try RawClient(port: announced.server.listener.port).exchange(
                "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Content-Type: application/pdf\r\n\(framing)\r\n"
            )
            #expect(answer.status == 411, "\(framing)")
            TestServer.validate(answer, to: "PUT", announced.target)
        }
        #expect(try announced.attachment()["url"] == .null)
        client.close()
        #expect(try announced.put(Self.pdf).status == 200)
    }

    @Test("Who asks first hears at once that a URL is no good, and sends nothing in vain")
    func refusedExpectation() throws {
        let announced = try Announced()
        let server = announced.server
        func answer(
            _ target: String,
            type: String = "application/pdf"
        ) throws -> RawClient.Response {
            let client = try RawClient(port: server.listener.port)
            let response = try client.exchange(
                "PUT \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\n"
                    + "Content-Length: 5\r\nExpect: 100-continue\r\nX-Correlation-Id: asked\r\n\r\n"
            )
            TestServer.validate(response, to: "PUT", target)
            #expect(response.field("x-correlation-id") == "asked")
            return response
        }
        /// How the journal's last entry says that it was refused.
        func reason() throws -> JSONValue? {
            try server.control("GET", "/requests?limit=1").json["items"]?.array?.first?["reason"]
        }
        #expect(try answer(announced.target + "x").status == 403)
        #expect(try reason() == "url-signature")
        #expect(try answer(announced.target, type: "image/png").status == 403)
        #expect(try reason() == "upload-content-type")
        #expect(try answer("/uploads/\(announced.guid)").status == 400)
        server.advance(seconds: 900)
        #expect(try answer(announced.target).status == 403)
        #expect(try reason() == "url-expired")
        let next = try Announced(server: server)
        #expect(try next.put(Self.pdf).status == 200)
        #expect(try answer(next.target).status == 403)
        #expect(try reason() == "url-used")
    }

    @Test("One octet too many is 413 as soon as it is announced")
    func tooLarge() throws {
        let announced = try Announced()
        for expectation in ["Expect: 100-continue\r\n", ""] {
            let client = try RawClient(port: announced.server.listener.port)
            let answer = try client.exchange(
                "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
                    + "Content-Length: 2097153\r\n\(expectation)\r\n"
            )
            #expect(answer.status == 413)
            TestServer.validate(answer, to: "PUT", announced.target)
        }
        // And when all of it is sent.
        let whole = try announced.put([UInt8](repeating: 0, count: 2_097_153))
        #expect(whole.status == 413)
        #expect(try announced.attachment()["url"] == .null)
        #expect(try announced.put(Self.pdf).status == 200)
    }

    @Test("A cut-off upload leaves nothing, and the URL works again")
    func cutOff() throws {
        let announced = try Announced()
        let part =
            "PUT \(announced.target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n"
            + "Content-Length: 100000\r\n\r\n" + String(repeating: "x", count: 60_000)
        let aborted = try RawClient(port: announced.server.listener.port)
        try aborted.send(part)
        aborted.reset()
        let finished = try RawClient(port: announced.server.listener.port)
        try finished.send(part)
        finished.finishSending()
        let answer = try finished.response()
        #expect(answer.status == 400)
        #expect(try announced.attachment()["url"] == .null)
        #expect(try announced.put(Self.pdf).status == 200)
        #expect(try announced.download().text == "%PDF-1.4 tiny")
    }

    @Test("A token or session header where none belongs does not matter")
    func strayCredentials() throws {
        let announced = try Announced()
        let server = announced.server
        let fields = [
            ("Content-Type", "application/pdf"), ("X-Mock-Session", "elsewhere"),
            ("Authorization", "Bearer \(try server.token("acme-partner+elsewhere"))"),
        ]
        #expect(try server.send("PUT", announced.target, fields, Self.pdf).status == 200)
        let url = try server.target(of: try announced.attachment()["url"])
        let flawed = [("Authorization", "Bearer nonsense"), ("X-Mock-Session", "elsewhere")]
        #expect(try server.send("GET", url, flawed).text == "%PDF-1.4 tiny")
    }

    @Test("An upload whose appointment was deleted, or whose data were reset, is 403")
    func vanished() throws {
        let announced = try Announced()
        #expect(
            try announced.server.control("POST", "/reset", ["scope": ["data"]]).status == 204
        )
        #expect(try announced.put(Self.pdf).status == 403)
        let second = try Announced(server: announced.server)
        #expect(try second.put(Self.pdf).status == 200)
        let url = try second.server.target(of: try second.attachment()["url"])
        _ = try second.server.control("DELETE", "/data/acme/appointments/A123456")
        #expect(try second.server.send("GET", url).status == 403)
    }

    // MARK: Downloads

    @Test(
        "A range of octets can be asked for; what is no single range is answered whole",
        arguments: [
            ("bytes=0-3", 206, "%PDF", "bytes 0-3/13"), ("bytes=9-", 206, "tiny", "bytes 9-12/13"),
            ("bytes=-4", 206, "tiny", "bytes 9-12/13"),
            ("bytes=-100", 206, "%PDF-1.4 tiny", "bytes 0-12/13"),
            ("bytes=12-12", 206, "y", "bytes 12-12/13"),
            ("bytes=9-100", 206, "tiny", "bytes 9-12/13"),
            ("bytes=9-99999999999999999999999999", 206, "tiny", "bytes 9-12/13"),
            ("bytes=-99999999999999999999999999", 206, "%PDF-1.4 tiny", "bytes 0-12/13"),
            ("Bytes=0-3", 206, "%PDF", "bytes 0-3/13"), ("bytes=13-", 416, "", "bytes */13"),
            ("bytes=-0", 416, "", "bytes */13"),
            ("bytes=99999999999999999999999999-", 416, "", "bytes */13"),
            ("bytes=5-2", 200, "%PDF-1.4 tiny", nil), ("bytes=0-1,3-4", 200, "%PDF-1.4 tiny", nil),
            ("bytes=", 200, "%PDF-1.4 tiny", nil), ("bytes=-", 200, "%PDF-1.4 tiny", nil),
            ("bytes=a-b", 200, "%PDF-1.4 tiny", nil), ("bytes=+1-2", 200, "%PDF-1.4 tiny", nil),
            ("items=0-3", 200, "%PDF-1.4 tiny", nil), ("0-3", 200, "%PDF-1.4 tiny", nil),
        ] as [(String, Int, String, String?)]
    )
    func ranges(range: String, status: Int, content: String, contentRange: String?) throws {
        let announced = try Announced()
        #expect(try announced.put(Self.pdf).status == 200)
        let answer = try announced.download([("Range", range)])
        #expect(answer.status == status)
        if status != 416 { #expect(answer.text == content) }
        #expect(answer.field("content-range") == contentRange)
        #expect(answer.field("content-length") == "\(answer.response.content.count)")
    }

    @Test(
        "A file name is kept as text, and Content-Disposition sends its last segment",
        arguments: [
            ("report.pdf", "filename=\"report.pdf\""),
            ("../../etc/passwd", "filename=\"passwd\""),
            ("C:\\temp\\x.pdf", "filename=\"x.pdf\""), ("/", "filename=\"download\""),
            ("a/..", "filename=\"a\""), ("../.", "filename=\"download\""),
            ("say \"hi\".pdf", "filename=\"say _hi_.pdf\"; filename*=UTF-8''say%20%22hi%22.pdf"),
            (
                "Bericht Ä 医.pdf",
                "filename=\"Bericht _ _.pdf\"; filename*=UTF-8''Bericht%20%C3%84%20%E5%8C%BB.pdf"
            ),
            (
                "a\r\nSet-Cookie: x",
                "filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"
            ),
            ("%2e%2e%2fx", "filename=\"%2e%2e%2fx\""),
            ("\u{0}", "filename=\"_\"; filename*=UTF-8''%00"),
            (
                String(repeating: "n", count: 255),
                "filename=\"\(String(repeating: "n", count: 255))\""
            ),
        ]
    )
    func fileNames(name: String, disposition: String) throws {
        let announced = try Announced(fileName: name)
        #expect(try announced.attachment()["fileName"]?.string == name)
        #expect(try announced.put(Self.pdf).status == 200)
        let inline = try announced.download()
        #expect(inline.field("content-disposition") == "inline; \(disposition)")
        #expect(inline.field("set-cookie") == nil)
        let attached = try announced.download(query: "?disposition=attachment")
        #expect(attached.field("content-disposition") == "attachment; \(disposition)")
    }

    // MARK: Addresses

    @Test("URLs use the public URL, with its path, else the Host of the request")
    func addresses() throws {
        let behind = try TestServer {
            $0.publicURL = try HTTPURL("https://mock.example:8443/qubs/")
        }
        let item = try behind.post(TestServer.uploadsPath, TestServer.writes[1].body).json
        let upload = try #require(item["items"]?.array?.first?["uploadUrl"]?.string)
        #expect(upload.hasPrefix("https://mock.example:8443/qubs/uploads/"))
        // A proxy that takes the base off finds the upload where it belongs.
        let target = String(upload.dropFirst("https://mock.example:8443/qubs".count))
        let put = try behind.send("PUT", target, [("Content-Type", "application/pdf")], Self.pdf)
        #expect(put.status == 200)
        let list = try behind.get("appointments/A123456/attachments").json.array ?? []
        let urls = list.compactMap { $0["url"]?.string }
        #expect(urls.count >= 2)
        #expect(urls.allSatisfy { $0.hasPrefix("https://mock.example:8443/qubs/attachments/") })

        let server = try TestServer()
        let host = "localhost:\(server.listener.port)"
        let other = try server.post(
            TestServer.uploadsPath,
            TestServer.writes[1].body,
            fields: [("Host", host)]
        )
        let url = try #require(other.json["items"]?.array?.first?["uploadUrl"]?.string)
        #expect(url.hasPrefix("http://\(host)/uploads/"))
    }
}

import HTTPTransport
import JSON
import MockServer
import TestSupport
import Testing

@Suite("Content-Encoding and Content-Type")
struct ContentFieldTests {
    /// What gzip makes of a comment: that no such content is parsed is the point.
    static let gzip: [UInt8] = [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0x56, 0x4A, 0xCE, 0xCF, 0xCD, 0x4D, 0xCD, 0x2B,
    ]

    /// A request with content of each kind: where it goes, and the type that it needs.
    static let targets: [(method: String, path: String, type: String)] = [
        ("POST", "/integrations/v1/acme/\(TestServer.commentsPath)", "application/json"),
        ("POST", "/oauth2/token", "application/x-www-form-urlencoded"),
        ("POST", "/__admin/clock/advance", "application/json"),
        ("POST", "/__admin/reset", "application/json"),
        ("PUT", "upload", "application/pdf"),
    ]

    /// Values of Content-Encoding fields that name a coding.
    static let codings: [[String]] = [
        ["gzip"], ["deflate"], ["br"], ["GZIP"], ["gzip, deflate"], ["identity, gzip"],
        ["identity", "gzip"], ["gzip", "identity"], ["x y"], ["\"gzip"], ["identity;q=1"],
    ]

    private func send(
        _ method: String,
        _ path: String,
        _ type: String,
        _ codings: [String],
        _ content: [UInt8],
        to upload: UploadTests.Announced
    ) throws -> TestServer.Answer {
        let server = upload.server
        return try server.send(
            method,
            path == "upload" ? upload.target : path,
            [("Authorization", "Bearer \(try server.token())"), ("Content-Type", type)]
                + codings.map { ("Content-Encoding", $0) },
            content
        )
    }

    @Test("A content coding is refused before the content is read", arguments: targets)
    func refused(method: String, path: String, type: String) throws {
        let upload = try UploadTests.Announced()
        for codings in Self.codings {
            let answer = try send(method, path, type, codings, Self.gzip, to: upload)
            #expect(answer.status == 415, "\(codings): \(answer.text)")
            #expect(answer.field("accept-encoding") == "identity", "\(codings)")
            #expect(answer.text.contains("without Content-Encoding"), "\(answer.text)")
            #expect(!answer.text.contains("Malformed"))
            guard !path.hasPrefix("/__admin") else { continue }
            let entry = try #require(try upload.server.entries("?limit=1").first)
            #expect(entry["reason"] == "content-coding", "\(codings)")
            if path == "/oauth2/token" {
                #expect(answer.json["error"] == "invalid_request")
                #expect(answer.field("cache-control") == "no-store")
            }
        }
        // Nothing was stored, and the URL can be used.
        #expect(try upload.attachment()["url"] == .null)
        #expect(try upload.put(UploadTests.pdf).status == 200)
    }

    @Test(
        "identity and an empty field are no coding",
        arguments: [["identity"], [""], ["Identity"], [" , "], ["identity, identity"], ["", ""]]
    )
    func none(codings: [String]) throws {
        let upload = try UploadTests.Announced()
        let form =
            "grant_type=client_credentials&client_id=acme-partner&client_secret=acme-partner-secret"
        let contents = [
            #"{"commentText":"a"}"#, form, #"{"by":"PT1S"}"#, #"{"scope":["faults"]}"#, "%PDF",
        ]
        for ((method, path, type), content) in zip(Self.targets, contents) {
            let answer = try send(method, path, type, codings, Array(content.utf8), to: upload)
            #expect([200, 204].contains(answer.status), "\(path): \(answer.text)")
        }
    }

    @Test("Two Content-Types are refused everywhere: the content could be either")
    func twoTypes() throws {
        let upload = try UploadTests.Announced()
        for ((method, path, type), status) in zip(Self.targets, [415, 400, 415, 415, 400]) {
            let target = path == "upload" ? upload.target : path
            let answer = try upload.server.send(
                method,
                target,
                [("Authorization", "Bearer \(try upload.server.token())")]
                    + [("Content-Type", type), ("Content-Type", type)],
                Array("{}".utf8)
            )
            #expect(answer.status == status, "\(path): \(answer.text)")
        }
    }

    @Test("A request without content needs no type, and none hurts")
    func noContent() throws {
        let server = try TestServer()
        for types in [[], ["text/plain"], ["application / json"], ["a/b", "c/d"]] {
            let fields = types.map { ("Content-Type", $0) }
            // Where content may be left out.
            #expect(try server.control("POST", "/reset", fields: fields).status == 204, "\(types)")
            let empty = try server.send("POST", "/__admin/reset", fields, [])
            #expect(empty.status == 204, "\(types)")
            #expect(try server.get("sites", fields: fields).status == 200, "\(types)")
            // Where it may not, it is the content that is missing.
            let comment = try server.send(
                "POST",
                "/integrations/v1/acme/\(TestServer.commentsPath)",
                [("Authorization", "Bearer \(try server.token())")] + fields,
                []
            )
            #expect(comment.status == 400, "\(types): \(comment.text)")
        }
    }
}

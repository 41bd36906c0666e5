import Foundation
import JSON
import TestSupport
import Testing

/// Cases from the field that need the server: the others are journals, in `FieldCase`.
///
/// D18 is in `WithheldTests`, D20 in `AbandonmentTests`.
@Suite("Cases from the field, through a socket")
struct SocketCaseTests {
    private func result(_ id: String, _ server: TestServer) throws -> String? {
        try server.control("GET", "/verdict").json["checks"]?.array?
            .first { $0["id"]?.string == id }?["result"]?.string
    }

    private static let header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

    @Test(
        "D15 a token of somebody else is no token of ours",
        arguments: [
            // {"iss":"https://viewer.example","study":"1.2.3"}; with a claim that looks like ours.
            "\(header).eyJpc3MiOiJodHRwczovL3ZpZXdlci5leGFtcGxlIiwic3R1ZHkiOiIxLjIuMyJ9.c2lnbmF0dXJl",
            "\(header).eyJpc3MiOiJtb2NrLmludmFsaWQiLCJzdWIiOiJhY21lLXBhcnRuZXIifQ.c2lnbmF0dXJl",
        ]
    )
    func foreignToken(token: String) throws {
        let server = try TestServer()
        let report: JSONValue = [
            "reportText": .string("See https://viewer.example/?t=\(token) for the images."),
            "reportStatus": "final",
        ]
        #expect(
            try server.post("reporting/appointments/A123456/report", report, key: "k").status == 200
        )
        let comment: JSONValue = ["commentText": .string(token)]
        #expect(try server.post(TestServer.commentsPath, comment, key: "k").status == 200)
        #expect(try result("auth.header-only", server) == "pass")
        let own: JSONValue = ["commentText": .string("\(token) \(try server.token())")]
        #expect(try server.post(TestServer.commentsPath, own, key: "k2").status == 200)
        #expect(try result("auth.header-only", server) == "fail")
    }

    @Test(
        "D16 a parameter beside the promised type is another type",
        arguments: [
            ("application/pdf", "pass"), ("Application/PDF", "pass"),
            ("application/pdf; charset=utf-8", "fail"), ("application/pdf;version=1.4", "fail"),
            ("application/octet-stream", "fail"),
        ]
    )
    func uploadTypes(sent: String, outcome: String) throws {
        let server = try TestServer()
        let items: JSONValue = ["items": [["fileName": "a.pdf", "contentType": "application/pdf"]]]
        let answer = try server.post(
            "reporting/appointments/A123456/report/attachments",
            items,
            key: "k"
        )
        let target = try server.target(of: answer.json["items"]?.array?.first?["uploadUrl"])
        let type = [("Content-Type", sent)]
        let put = try server.send("PUT", target, type, Array("%PDF-1.4".utf8))
        #expect(put.status == (outcome == "pass" ? 200 : 403))
        #expect(try result("upload.content-type", server) == outcome)
    }

    @Test(
        "D17 and D61 a name is one however it is spelled, and wherever a log keeps it",
        arguments: [
            ("sites?q=Jane%20Doe", nil, "fail"), ("sites?q=Jane%2520Doe", nil, "fail"),
            ("sites?q=Jane%252520Doe", nil, "fail"), ("patients/Doe%252C%2520Jane", nil, "fail"),
            ("sites?q=Jane+Doe", nil, "fail"), ("sites?q=J%61ne-D%6fe", nil, "fail"),
            ("sites", ("Referer", "https://ris.example/?name=Jane%20Doe"), "fail"),
            ("sites", ("User-Agent", "worklist (Jane Doe)"), "fail"),
            ("sites", ("Idempotency-Key", "jane-doe.1"), "fail"),
            ("sites?q=Jane", nil, "pass"), ("sites?q=%2520%2525", nil, "pass"),
            ("sites", ("User-Agent", "worklist/1.0 (Debian; x86_64)"), "pass"),
            ("sites", ("Referer", "https://ris.example/worklist?page=2"), "pass"),
        ] as [(String, (String, String)?, String)]
    )
    func names(path: String, field: (String, String)?, outcome: String) throws {
        let server = try TestServer()
        _ = try server.get(path, fields: field.map { [$0] } ?? [])
        #expect(try result("privacy.no-patient-data-in-urls", server) == outcome)
    }
}

import HTTPTransport
import JSON
import Testing
import TestSupport

@Suite("Work is bounded, whatever is sent")
struct BoundedWorkTests {
    /// Rows that look like the beginning of a token, again and again.
    private static let row = [UInt8](repeatElement(Array("eyJ".utf8), count: 350_000).joined())

    @Test("A row of token beginnings costs no more than another text, known sender or not")
    func tokenRows() throws {
        let server = try TestServer()
        let content = Array(#"{"commentText":""#.utf8) + Self.row + Array(#""}"#.utf8)
        for client in [nil, "acme-partner"] {
            var fields = [("Content-Type", "application/json")]
            if let client {
                fields.append(("Authorization", "Bearer \(try server.token(client))"))
            }
            let answer = try server.send(
                "POST",
                "/integrations/v1/acme/\(TestServer.commentsPath)",
                fields,
                content
            )
            #expect(answer.status == (client == nil ? 401 : 200))
        }
        let form = Array("client_id=".utf8) + Self.row.prefix(60_000)
        let type = [("Content-Type", "application/x-www-form-urlencoded")]
        #expect(try server.send("POST", "/oauth2/token", type, form).status == 400)
        let query = String(decoding: Self.row.prefix(7_800), as: UTF8.self)
        #expect(try server.get("sites?a=\(query)").status == 200)
    }

    @Test("A token in content is found where its sender is known, and only there")
    func tokenInContent() throws {
        let server = try TestServer()
        let token = try server.token()
        let body: JSONValue = ["commentText": .string("x \(token)")]
        #expect(try server.post(TestServer.commentsPath, body, as: nil).status == 401)
        #expect(try server.entries("?limit=1").first?["findings"] == [])
        _ = try server.post(TestServer.commentsPath, body)
        #expect(try server.entries("?limit=1").first?["findings"] == ["token-in-content"])
    }
}

import HTTPTransport
import JSON
import MockServer
import TestSupport
import Testing
import Time

@Suite("Retry-After as it is met")
struct RetryAfterTests {
    /// `retryAfter` of a rule, the field lines that it sends, and what the journal notes.
    static let written: [(rule: String, lines: [String], noted: String)] = [
        (#"2"#, ["2"], #"{"seconds":2,"form":"seconds"}"#),
        (#"{"form":"malformed"}"#, ["soon"], #"{"seconds":0,"form":"none","sent":"soon"}"#),
        (#"{"form":"empty"}"#, [""], #"{"seconds":0,"form":"none","sent":""}"#),
        (#"{"form":"fraction"}"#, ["2.5"], #"{"seconds":0,"form":"none","sent":"2.5"}"#),
        (
            #"{"form":"fraction","seconds":0}"#, ["0.5"],
            #"{"seconds":0,"form":"none","sent":"0.5"}"#
        ),
        (#"{"form":"negative"}"#, ["-2"], #"{"seconds":0,"form":"none","sent":"-2"}"#),
        (
            #"{"form":"past-date"}"#, ["Sat, 31 May 2025 23:59:00 GMT"],
            #"{"seconds":0,"form":"date"}"#
        ),
        (
            #"{"form":"far-date"}"#, ["Fri, 31 Dec 9999 23:59:59 GMT"],
            #"{"seconds":251653564799,"form":"date"}"#
        ),
        (
            #"{"form":"both","seconds":3}"#, ["3", "Sun, 01 Jun 2025 00:00:03 GMT"],
            #"{"seconds":0,"form":"none","sent":"3, Sun, 01 Jun 2025 00:00:03 GMT"}"#
        ),
        (#"{"raw":"soon"}"#, ["soon"], #"{"seconds":0,"form":"none","sent":"soon"}"#),
        (#"{"raw":""}"#, [""], #"{"seconds":0,"form":"none","sent":""}"#),
        (#"{"raw":"007"}"#, ["007"], #"{"seconds":7,"form":"seconds"}"#),
        (#"{"raw":["1","1"]}"#, ["1", "1"], #"{"seconds":0,"form":"none","sent":"1, 1"}"#),
        // The obsolete forms of dates, which a recipient has to understand.
        (
            #"{"raw":"Sunday, 01-Jun-25 00:00:05 GMT"}"#, ["Sunday, 01-Jun-25 00:00:05 GMT"],
            #"{"seconds":5,"form":"date"}"#
        ),
        (
            #"{"raw":"Sun Jun  1 00:00:06 2025"}"#, ["Sun Jun  1 00:00:06 2025"],
            #"{"seconds":6,"form":"date"}"#
        ),
        (
            #"{"raw":"99999999999999999999"}"#, ["99999999999999999999"],
            #"{"seconds":9000000000,"form":"seconds"}"#
        ),
    ]

    @Test("Each form is sent as it is called, and noted as RFC 9110 reads it", arguments: written)
    func forms(rule: String, lines: [String], noted: String) throws {
        let server = try TestServer()
        try server.arm(
            #""sequence":[{"status":429,"retryAfter":\#(rule)}]"#,
            on: TestServer.summaryID
        )
        let answer = try server.send(
            "GET",
            "/integrations/v1/acme/\(TestServer.summaryPath)",
            [("Authorization", "Bearer \(try server.token())")],
            // A field without a value is against the contract.
            validates: false
        )
        #expect(answer.status == 429)
        let sent = answer.response.fields.filter { $0.name == "retry-after" }.map(\.value)
        #expect(sent == lines)
        let entry = try #require(try server.entries("?limit=1").first)
        #expect(entry["retryAfter"] == (try TestServer.json(noted)))
    }

    /// Members that are refused, the pointer below `retryAfter`, and a word of the reason.
    static let refusals: [(rule: String, pointer: String, word: String)] = [
        (#"{"raw":"soon","seconds":1}"#, "/seconds", "`raw`"),
        (#"{"raw":"soon","form":"date"}"#, "/form", "`raw`"),
        (#"{"raw":"a\r\nSet-Cookie: b"}"#, "/raw", "visible ASCII"),
        (#"{"raw":" 2"}"#, "/raw", "visible ASCII"),
        (#"{"raw":"später"}"#, "/raw", "visible ASCII"),
        (#"{"raw":[]}"#, "/raw", "1 to 4"), (#"{"raw":["1","2","3","4","5"]}"#, "/raw", "1 to 4"),
        (#"{"raw":["1\n"]}"#, "/raw/0", "visible ASCII"), (#"{"raw":2}"#, "/raw", "string"),
        (#"{"form":"date"}"#, "/seconds", "how many seconds"),
    ]

    @Test("What could not be sent is refused", arguments: refusals)
    func refused(rule: String, pointer: String, word: String) throws {
        let server = try TestServer()
        let answer = try server.control(
            "PUT",
            "/faults",
            try TestServer.json(#"{"then":{"status":429,"retryAfter":\#(rule)}}"#)
        )
        #expect(answer.status == 400)
        let messages = answer.json["errors"]?["/then/retryAfter\(pointer)"]?.array ?? []
        #expect(messages.contains { $0.string?.contains(word) == true }, "\(answer.text)")
    }

    @Test("The verdict takes nonsense for none: the client's own pause counts")
    func verdict() throws {
        func result(_ retryAfter: String, _ check: String) throws -> JSONValue? {
            let server = try TestServer()
            try server.arm(
                #""when":{"first":4},"then":{"status":503,"retryAfter":\#(retryAfter)}"#,
                on: TestServer.summaryID
            )
            // On one connection, as fast as it goes.
            let token = try server.token()
            let client = try RawClient(port: server.listener.port)
            let head =
                "GET /integrations/v1/acme/\(TestServer.summaryPath) HTTP/1.1\r\nHost: localhost\r\n"
                + "Authorization: Bearer \(token)\r\nX-Correlation-Id: one\r\n\r\n"
            for status in [503, 503, 503, 503, 200] {
                try client.send(Array(head.utf8))
                #expect(try client.response().status == status)
            }
            let checks = try server.control("GET", "/verdict").json["checks"]?.array ?? []
            return checks.first { $0["id"]?.string == check }?["result"]
        }
        #expect(
            try result(#"{"form":"malformed"}"#, "retry.honours-retry-after") == "not-exercised"
        )
        #expect(try result(#"{"form":"past-date"}"#, "retry.pauses") == "not-exercised")
        #expect(try result("60", "retry.honours-retry-after") == "fail")
    }
}

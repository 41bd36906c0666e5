import HTTPTransport
import JSON
import MockServer
import Readings
import TestSupport
import Testing

@Suite("Duplicates of writes that are not answered yet")
struct InFlightTests {
    private static let operation = "Integrations_CreatePendingReportingAppointmentComment"

    private static func server() throws -> TestServer {
        try TestServer { $0.readings[.duplicateInFlight] = .value(1) }
    }

    /// Sends a comment whose answer never comes, and returns when the fault has struck.
    private static func hang(
        _ server: TestServer,
        _ effects: String,
        key: String = "k"
    ) throws -> RawClient {
        try server.arm(#""sequence":[\#(effects)]"#, on: operation)
        let client = try RawClient(port: server.listener.port)
        try client.send(
            server.requestText(
                "POST",
                TestServer.commentsPath,
                [("Idempotency-Key", key)],
                #"{"commentText":"Once."}"#
            )
        )
        try server.awaitStruck()
        return client
    }

    private static func post(
        _ server: TestServer,
        key: String = "k",
        text: String = "Once.",
        client: String = "acme-partner"
    ) throws -> TestServer.Answer {
        try server.post(
            TestServer.commentsPath,
            ["commentText": .string(text)],
            as: client,
            key: key
        )
    }

    static let effects = [
        #"{"phase":"after","transport":"HANG"}"#, #"{"delay":"PT1H"}"#,
        #"{"phase":"after","delay":"PT1H"}"#,
    ]

    @Test("Until the first has its last octet, a duplicate is 409", arguments: effects)
    func conflict(effects: String) throws {
        let server = try Self.server()
        let first = try Self.hang(server, effects)
        let refused = try Self.post(server)
        #expect(refused.status == 409)
        let entry = try #require(try server.entries("?limit=1").first)
        #expect(entry["reason"] == "key-in-flight")
        #expect(entry["readings"] == ["duplicate-in-flight": "409"])
        #expect(entry["idempotency"] != "conflict")
        // Another payload, too; another key, and another client, are other writes.
        #expect(try Self.post(server, text: "Twice.").status == 409)
        #expect(try Self.post(server, key: "other").status == 200)
        #expect(try Self.post(server, client: "group-partner").status == 200)
        let rules = try server.control("GET", "/requests/\(entry["id"]?.int ?? 0)/explain").json
        #expect(rules["rules"]?.array?.first?["name"] == "Idempotency-Key")
        first.close()
    }

    @Test("When the client of the first has left, its key is free")
    func free() throws {
        let server = try Self.server()
        let first = try Self.hang(server, Self.effects[0])
        #expect(try Self.post(server).status == 409)
        first.close()
        var answer = try Self.post(server)
        try eventually("the key is free") {
            if answer.status == 409 { answer = try Self.post(server) }
            return answer.status != 409
        }
        #expect(answer.status == 200 && answer.field("idempotency-replayed") == "true")
        #expect(try server.commentTexts().filter { $0 == "Once." }.count == 1)
        // An answer that was delivered holds nothing, once its worker has noted that it was.
        #expect(try Self.post(server, key: "next").status == 200)
        try eventually("the second key is free") {
            answer = try Self.post(server, key: "next")
            return answer.status != 409
        }
        #expect(answer.status == 200 && answer.field("idempotency-replayed") == "true")
    }

    @Test("At the default a duplicate of what has committed is a replay at once")
    func waits() throws {
        let server = try TestServer()
        let first = try Self.hang(server, Self.effects[0])
        #expect(try Self.post(server).field("idempotency-replayed") == "true")
        first.close()
    }

    @Test("The verdict lets a client repeat what was in flight")
    func verdict() throws {
        let server = try Self.server()
        let first = try Self.hang(server, Self.effects[0])
        for _ in 1...2 { #expect(try Self.post(server).status == 409) }
        first.close()
        let checks = try server.control("GET", "/verdict").json["checks"]?.array ?? []
        for id in ["retry.leaves-permanent-errors-alone", "idempotency.payload-stable"] {
            #expect(checks.first { $0["id"]?.string == id }?["result"] != "fail", "\(id)")
        }
    }
}

import Dispatch
import Foundation
import HTTPTransport
import JSON
import Journal
import MockServer
import Store
import TestSupport
import Testing

/// Keyed writes that reach a worker in one turn, which are stored together and answered after that.
@Suite("Writes at once")
struct WritesAtOnceTests {
    private struct Request {
        let target: String
        let text: String
    }

    /// Sends requests while nobody can write, so that most of them wait in the same turn.
    private static func exchange(
        _ requests: [Request],
        _ server: TestServer
    ) throws -> [RawClient.Response] {
        let clients = try requests.map { _ in try RawClient(port: server.listener.port) }
        let (begun, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let store = try #require(server.store.session(named: MockStore.defaultSession))
        let holding = Thread {
            _ = try? store.write { _ throws(StoreError) in
                begun.signal()
                end.wait()
                return 0
            }
        }
        holding.start()
        begun.wait()
        for (client, request) in zip(clients, requests) {
            try client.send(Array(request.text.utf8))
        }
        end.signal()
        return try zip(clients, requests).map { client, request in
            let answer = try client.response()
            TestServer.validate(answer, to: "POST", request.target)
            return answer
        }
    }

    private static func request(
        _ server: TestServer,
        _ body: JSONValue,
        to path: String = TestServer.commentsPath,
        key: String? = nil
    ) throws -> Request {
        let target = "/integrations/v1/acme/\(path)"
        let content = String(decoding: JSONWriter.octets(of: body), as: UTF8.self)
        let text =
            "POST \(target) HTTP/1.1\r\nHost: localhost\r\n"
            + "Authorization: Bearer \(try server.token())\r\n"
            + (key.map { "Idempotency-Key: \($0)\r\n" } ?? "")
            + "Content-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n\r\n"
            + content
        return Request(target: target, text: text)
    }

    @Test("Each gets the answer that it would get alone")
    func mixed() throws {
        let server = try TestServer { $0.transport.workers = 1 }
        let unknown = TestServer.commentsPath.replacing("A123456", with: "A999999")
        for round in 0..<5 {
            let text: JSONValue = ["commentText": .string("Round \(round).")]
            var requests = try (0..<4).map { _ in
                try Self.request(server, text, key: "same-\(round)")
            }
            requests += try TestServer.writes.map { path, body in
                try Self.request(server, body, to: path, key: "k-\(round)")
            }
            requests.append(try Self.request(server, text, to: unknown, key: "u-\(round)"))
            requests.append(try Self.request(server, ["commentText": 7], key: "m-\(round)"))
            requests.append(try Self.request(server, ["commentText": "No key."]))
            let answers = try Self.exchange(requests, server)
            #expect(answers.map(\.status) == [200, 200, 200, 200, 200, 200, 200, 404, 400, 200])
            #expect(Set(answers.prefix(4).map(\.content)).count == 1)
            let replays = answers.filter { $0.field("idempotency-replayed") == "true" }
            #expect(replays.count == 3)
            let texts = try server.commentTexts()
            #expect(texts.filter { $0 == "Round \(round)." }.count == 1)
            #expect(texts.filter { $0 == "No key." }.count == round + 1)
        }
        let ledger = try server.control("GET", "/idempotency").json["items"]?.array ?? []
        #expect(ledger.count == 20)
        let store = try #require(server.store.session(named: MockStore.defaultSession))
        let changes = try store.reader(worker: 0).changes(withValues: false).items.map(\.change)
        #expect(changes.filter { $0.kind == .comment && $0.action == .added }.count == 15)
        #expect(changes.filter { $0.kind == .uploadURL }.count == 5)
        #expect(changes.filter { $0.kind == .report }.count == 5)
        let entries = server.application.sessions.default.journal
            .entries(matching: JournalFilter(limit: 1_000))
            .filter { $0.method == "POST" && $0.path.hasPrefix("/integrations/") }
        #expect(entries.count == 50)
        #expect(entries.filter(\.committed).count == 25)
        #expect(entries.filter { $0.idempotency == .replay }.count == 15)
    }

    @Test(
        "Without room for all of them, those that have room are stored, and no other is said to be"
    )
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path("data.db")
        do { _ = try TestServer { $0.databasePath = path } }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        let server = try TestServer(maximumPages: try #require(size) / 4096 + 40) {
            $0.transport.workers = 1
        }
        let text = String(repeating: "x", count: 6_000)
        let requests = try (0..<24).map { index in
            try Self.request(server, ["commentText": .string(text)], key: "k-\(index)")
        }
        let answers = try Self.exchange(requests, server)
        let stored = answers.filter { $0.status == 200 }.count
        #expect(stored > 0)
        #expect(answers.filter { $0.status == 507 }.count == 24 - stored)
        #expect(stored < 24)
        #expect(try server.commentTexts().filter { $0 == text }.count == stored)
        let entries = server.application.sessions.default.journal
            .entries(matching: JournalFilter(limit: 1_000))
            .filter { $0.method == "POST" && $0.path.hasPrefix("/integrations/") }
        #expect(entries.filter(\.committed).count == stored)
        #expect(entries.filter { $0.idempotency == .first }.count == stored)
        // Each stored one is answered again, by its key.
        let again = try Self.exchange(requests, server)
        for (first, second) in zip(answers, again) where first.status == 200 {
            #expect(second.content == first.content)
        }
    }
}

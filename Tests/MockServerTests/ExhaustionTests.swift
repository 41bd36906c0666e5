import Glibc
import JSON
import TestSupport
import Testing

@Suite("Out of descriptors")
struct ExhaustionTests {
    /// The program with at most so many descriptors, ready to be asked.
    private struct Server {
        let program: ChildProcess
        let url: String
        /// Of those that the limit counts: it is one on their numbers, and the tests may have left
        /// higher ones open to whatever they start.
        let descriptorsAtStart: Int
        let limit: Int
        private let folder: TemporaryFolder

        init(descriptors: Int) throws {
            folder = try TemporaryFolder()
            let ready = folder.path("ready")
            program = try ChildProcess(
                "/bin/sh",
                [
                    "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"",
                    "\(ChildProcess.products)/qubs-mock", "serve", "--port", "0", "--workers", "2",
                    "--idle-timeout", "600", "--ready-file", ready,
                ]
            )
            url = try program.awaitReady(ready)
            descriptorsAtStart = try program.descriptors.count { $0 < descriptors }
            limit = descriptors
        }

        /// How many descriptors are open now.
        var descriptorCount: Int {
            get throws { try program.descriptors.count { $0 < limit } }
        }

        /// Clients that are connected, as far as their kernel knows.
        func clients(_ count: Int) throws -> [RawClient] {
            try (0..<count).map { _ in try program.client(at: url) }
        }

        /// The processor time of two seconds.
        func restlessness() throws -> Double {
            let before = try program.processorSeconds
            usleep(2_000_000)
            return try program.processorSeconds - before
        }

        /// Waits until connections are closed, and stops.
        func end() throws {
            try program.poll("the descriptors are back") {
                try descriptorCount <= descriptorsAtStart + 4
            }
            try program.poll("it serves again") {
                try program.get("/__admin/ready", at: url).status == 200
            }
            program.send(SIGTERM)
            #expect(try program.exitStatus() == 0)
        }
    }

    private static let get = "GET /__admin/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test(
        "Few descriptors are divided: connections beyond their share are 503, and all recovers",
        arguments: [(64, 13), (256, 97)]
    )
    func fewDescriptors(limit: Int, connections: Int) throws {
        let server = try Server(descriptors: limit)
        #expect(
            server.program.errorOutput.contains(
                "so it takes \(connections) connections at once instead of 10000"
            )
        )
        let served = try server.clients(connections)
        for client in served { #expect(try client.exchange(Self.get).status == 200) }

        // All at once, and none of them says a word or leaves before it has its answer.
        let excess = try server.clients(300)
        let used = try server.restlessness()
        #expect(used < 0.5, "\(used) s of 2 s")
        for client in served { #expect(try client.exchange(Self.get).status == 200) }
        for client in excess {
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.field("connection") == "close")
            #expect(response.field("retry-after") == "1")
            #expect(response.field("content-type") == "application/problem+json")
            #expect(client.read() == .end)
            client.close()
        }
        for client in served {
            #expect(try client.exchange(Self.get).status == 200)
            client.close()
        }
        try server.end()
    }

    @Test("With none left every connection is answered 503 at once, and all recovers")
    func noDescriptors() throws {
        // The program needs all but a few of them for itself, and so counts on more than there are.
        let descriptors = 24
        let server = try Server(descriptors: descriptors)
        try #require((1...3).contains(descriptors - server.descriptorsAtStart))
        let served = try #require(try server.clients(1).first)
        #expect(try served.exchange(Self.get).status == 200)
        for _ in 1...2 {
            let refused = try server.clients(150)
            for client in refused {
                // Refused unread: the request may be on its way when the answer is.
                try? client.send(Self.get)
                let response = try client.response()
                #expect(response.status == 503 && response.field("retry-after") == "1")
            }
            let used = try server.restlessness()
            #expect(used < 0.5, "\(used) s of 2 s while no descriptor was left")
            #expect(try served.exchange(Self.get).status == 200)
            for client in refused { client.close() }
        }
        // A deletion needs no descriptor.
        let deleted = try served.exchange(
            "DELETE /__admin/sessions/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        #expect([204, 404].contains(deleted.status))
        served.close()
        try server.end()
        let lines = server.program.errorOutput.split(separator: "\n")
        #expect(lines.count { $0.contains("no file descriptor is left") } == 1, "\(lines)")
    }

    @Test("One client after the other, each with a session that writes, needs few descriptors")
    func sessionsInTurn() throws {
        let server = try Server(descriptors: 64)
        let client = try #require(try server.clients(1).first)
        let comments = "/integrations/v1/acme/reporting/appointments/A123456/comments"
        func ask(_ method: String, _ path: String, _ fields: String, _ content: String) throws
            -> RawClient.Response
        {
            try client.exchange(
                "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n"
                    + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
            )
        }
        for number in 1...100 {
            let issued = try ask(
                "POST",
                "/oauth2/token",
                "Content-Type: application/x-www-form-urlencoded",
                "grant_type=client_credentials&client_secret=acme-partner-secret"
                    + "&client_id=acme-partner%2Bs\(number)"
            )
            let token = try #require(try JSONParser.parse(issued.content)["access_token"]?.string)
            let bearer = "Authorization: Bearer \(token)\r\nContent-Type: application/json"
            let written = try ask(
                "POST",
                comments,
                "\(bearer)\r\nIdempotency-Key: \(number)",
                #"{"commentText":"x","commentCategory":"AC"}"#
            )
            #expect(
                written.status == 200,
                "\(number): \(String(decoding: written.content, as: UTF8.self))"
            )
            let read = try ask("GET", comments, bearer, "")
            #expect(
                read.status == 200,
                "\(number): \(String(decoding: read.content, as: UTF8.self))"
            )
        }
        client.close()
        server.program.send(SIGTERM)
        #expect(try server.program.exitStatus() == 0)
    }
}

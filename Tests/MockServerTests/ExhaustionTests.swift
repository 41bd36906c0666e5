import Glibc
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
            #expect(try program.get("/__admin/ready", at: url).status == 200)
            program.send(SIGTERM)
            #expect(try program.exitStatus() == 0)
        }
    }

    private static let get = "GET /__admin/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test("With 64 of them 32 connections are served, those beyond are 503, and all recovers")
    func fewDescriptors() throws {
        let server = try Server(descriptors: 64)
        #expect(
            server.program.errorOutput.contains(
                "so it takes 32 connections at once instead of 10000"
            )
        )
        let served = try server.clients(32)
        for client in served { #expect(try client.exchange(Self.get).status == 200) }

        // A connection that has its 503 stays open for a while, until its client has seen it, so that
        // these take every descriptor that is left; the last of them wait until others have gone.
        let excess = try server.clients(60)
        let used = try server.restlessness()
        #expect(used < 0.5, "\(used) s of 2 s")
        for client in served { #expect(try client.exchange(Self.get).status == 200) }
        for client in excess {
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.field("connection") == "close")
            #expect(client.read() == .end)
            client.close()
        }
        for client in served {
            #expect(try client.exchange(Self.get).status == 200)
            client.close()
        }
        try server.end()
    }

    @Test("With none left connections wait, nothing spins, files are 503, and all recovers")
    func noDescriptors() throws {
        // The program needs more than half of them for itself, and so counts on more than there are.
        let descriptors = 24
        let server = try Server(descriptors: descriptors)
        let room = descriptors - server.descriptorsAtStart
        try #require((1..<descriptors / 2).contains(room))
        let served = try server.clients(room)
        for client in served { #expect(try client.exchange(Self.get).status == 200) }
        let waiting = try server.clients(40)
        let used = try server.restlessness()
        #expect(used < 0.5, "\(used) s of 2 s while nothing could be accepted")
        #expect(try server.descriptorCount == descriptors)

        for client in served {
            let response = try client.exchange(
                "PUT /__admin/snapshots/one?session=s1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            #expect(response.status == 503)
            #expect(response.text.contains("ulimit -n"), "\(response.text)")
            #expect(try client.exchange(Self.get).status == 200)
        }
        for client in served { client.close() }
        // Those that waited have their turn, one behind the other.
        for client in waiting {
            #expect(try client.exchange(Self.get).status == 200)
            client.close()
        }
        try server.end()
    }
}

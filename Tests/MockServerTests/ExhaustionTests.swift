import Glibc
import TestSupport
import Testing

@Suite("Out of descriptors")
struct ExhaustionTests {
    /// Starts the program with at most this many descriptors.
    private static func server(
        descriptors: Int,
        ready: String
    ) throws -> ChildProcess {
        try ChildProcess(
            "/bin/sh",
            [
                "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"",
                "\(ChildProcess.products)/qubs-mock", "serve", "--port", "0", "--ready-file",
                ready,
            ]
        )
    }

    @Test("With 64 of them: connections too many are 503 or wait, nothing spins, and all recovers")
    func exhaustion() throws {
        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try Self.server(descriptors: 64, ready: ready)
        let url = try server.awaitReady(ready)
        #expect(server.errorOutput.contains("so it takes 32 connections at once instead of 10000"))
        let atStart = try server.descriptorCount
        let get = "GET /__admin/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"

        let served = try (1...32).map { _ in try server.client(at: url) }
        for client in served { #expect(try client.exchange(get).status == 200) }

        // A connection that has its 503 stays open for a while, until its client has seen it: these
        // take what is left, and the last ones are not even accepted.
        let excess = try (1...60).map { _ in try server.client(at: url) }
        try server.poll("no descriptor is left") { try server.descriptorCount == 64 }
        let before = try server.processorSeconds
        usleep(2_000_000)
        let used = try server.processorSeconds - before
        #expect(used < 0.5, "\(used) s of 2 s while nothing could be accepted")

        // Whoever is connected is served; what needs a file is refused, and says why.
        for (number, client) in served.enumerated() {
            let response = try client.exchange(
                "PUT /__admin/snapshots/one?session=s\(number) HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
            if response.status != 201 {
                #expect(response.status == 503)
                #expect(response.text.contains("ulimit -n"), "\(response.text)")
            }
            #expect(try client.exchange(get).status == 200)
        }

        // Those that wait have their turn as others leave.
        for client in excess {
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response.field("connection") == "close")
            #expect(client.read() == .end)
            client.close()
        }
        for client in served {
            #expect(try client.exchange(get).status == 200)
            client.close()
        }
        try server.poll("the descriptors are back") { try server.descriptorCount <= atStart + 4 }
        #expect(try server.get("/__admin/ready", at: url).status == 200)
        server.send(SIGTERM)
        #expect(try server.exitStatus() == 0)
    }
}

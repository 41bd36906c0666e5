import HTTPMessage
import HTTPTransport
import TestSupport
import Testing

@Suite("Memory for contents")
struct MemoryTests {
    private static let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"

    @Test("Contents beyond the budget are refused with 503, and the others come whole")
    func budget() throws {
        let server = try TestListener { $0.maximumHeldOctets = 1_500_000 }
        let first = try server.client()
        let second = try server.client()
        let content = String(repeating: "x", count: 700_000)
        try first.send(Self.head + content)
        try eventually("the content is held") {
            server.listener.statistics.heldOctets >= 700_000
        }
        try second.send(Self.head + content)
        try eventually("the content is held") {
            server.listener.statistics.heldOctets >= 1_400_000
        }
        try second.send(String(repeating: "x", count: 300_000))
        let refusal = try second.response()
        #expect(refusal.status == 503 && refusal.text == "noRoomForContent")
        #expect(refusal.field("connection") == "close")
        #expect(second.read() == .end)
        // What the refused one had is free again.
        try first.send(String(repeating: "x", count: 300_000))
        #expect(try first.response().content.count == 1_000_007)
        #expect(try server.client().exchange(post(content)).status == 200)
        try eventually("no content is held") { server.listener.statistics.heldOctets == 0 }
    }

    @Test("Chunked contents and those of clients that leave are counted alike")
    func chunked() throws {
        let server = try TestListener { $0.maximumHeldOctets = 100_000 }
        let client = try server.client()
        let chunk = "c350\r\n" + String(repeating: "x", count: 50_000) + "\r\n"
        try client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
        try eventually("the content is held") {
            server.listener.statistics.heldOctets >= 50_000
        }
        client.reset()
        try eventually("no content is held") { server.listener.statistics.heldOctets == 0 }
        let other = try server.client()
        try other.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        try other.send(chunk + chunk + chunk)
        #expect(try other.response().text == "noRoomForContent")
    }
}

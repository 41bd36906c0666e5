import QUBS
import Testing

struct PageCursorTests {
    @Test(
        "A cursor comes back from its octets",
        arguments: [
            .position(0), .position(1), .position(1 << 47 + 12345), .position(.max),
            .identifier("A123456"), .identifier(""), .identifier("é𠀋"),
        ] as [PageCursor]
    )
    func roundTrip(cursor: PageCursor) {
        #expect(PageCursor(octets: cursor.octets) == cursor)
    }

    @Test(
        "Other octets are no cursor",
        arguments: [
            [], [0x70], [0x70, 0, 0, 0, 0, 0, 0, 0], [0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [0x69, 0xFF],
            [0x71, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]]
    )
    func refused(octets: [UInt8]) {
        #expect(PageCursor(octets: octets) == nil)
    }
}

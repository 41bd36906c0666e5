/// A request line (RFC 9112 §3), checked, with the target as offsets.
///
///     request-line = method SP request-target SP HTTP-version
struct RequestLine: Sendable {
    private(set) var method = HTTPMethod.get
    private(set) var version = HTTPVersion.http11
    private var form = RequestTarget.Form.origin
    private var authorityStart = 0
    private var pathStart = 0
    private var pathEnd = 0
    private var queryEnd = 0

    /// The line that stands at the start of no message.
    init() {}

    /// Checks the line that stands in the range, without its CRLF.
    init(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) {
        let space = UInt8(ascii: " ")
        let methodEnd = OctetScan.first(space, in: octets, from: start, to: end)
        for index in start..<methodEnd where !FieldSyntax.isTokenOctet(octets[index]) {
            throw octets[index] == UInt8(ascii: "\r") ? .bareCarriageReturn : .malformedMethod
        }
        guard methodEnd > start, methodEnd < end else { throw .malformedRequestLine }
        let targetStart = methodEnd + 1
        let targetEnd = OctetScan.first(space, in: octets, from: targetStart, to: end)
        guard targetEnd > targetStart, targetEnd < end else { throw .malformedRequestLine }
        version = try Self.version(octets, from: targetEnd + 1, to: end)
        method = try Self.method(octets, from: start, to: methodEnd)
        try readTarget(octets, from: targetStart, to: targetEnd)
    }

    /// The target, copied.
    func target(in octets: UnsafeRawBufferPointer) -> RequestTarget {
        if form == .asterisk { return RequestTarget(form: form, path: [], query: nil) }
        return RequestTarget(
            form: form,
            path: pathStart < pathEnd
                ? [UInt8](octets[pathStart..<pathEnd]) : [UInt8(ascii: "/")],
            query: queryEnd > pathEnd ? [UInt8](octets[(pathEnd + 1)..<queryEnd]) : nil,
            authority: form == .absolute ? [UInt8](octets[authorityStart..<pathStart]) : nil
        )
    }

    /// `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`, the name in capitals (RFC 9112 §2.3).
    private static func version(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) -> HTTPVersion {
        let name: StaticString = "HTTP/"
        guard end - start == 8 else { throw .malformedVersion }
        for index in 0..<5 where octets[start + index] != name.utf8Start[index] {
            throw .malformedVersion
        }
        let major = octets[start + 5] &- UInt8(ascii: "0")
        let minor = octets[start + 7] &- UInt8(ascii: "0")
        guard major < 10, minor < 10, octets[start + 6] == UInt8(ascii: ".") else {
            throw .malformedVersion
        }
        guard major == 1 else { throw .unsupportedVersion }
        return minor == 0 ? .http10 : .http11
    }

    /// The registered method that the octets name, compared with case.
    private static func method(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) -> HTTPMethod {
        guard end - start <= 8 else { throw .unknownMethod }
        var word: UInt64 = 0
        for index in start..<end { word = word << 8 | UInt64(octets[index]) }
        switch word {
        case 0x47_4554: return .get
        case 0x4845_4144: return .head
        case 0x504F_5354: return .post
        case 0x50_5554: return .put
        case 0x4445_4C45_5445: return .delete
        case 0x4F_5054_494F_4E53: return .options
        case 0x54_5241_4345: return .trace
        case 0x50_4154_4348: return .patch
        case 0x51_5545_5259: return .query
        case 0x43_4F4E_4E45_4354: throw .connectMethod
        default: throw .unknownMethod
        }
    }

    /// Finds path and query in a target (RFC 9112 §3.2); authority-form is CONNECT's alone.
    private mutating func readTarget(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) {
        // Visible ASCII without a fragment, which is never sent; there is no space in it.
        guard OctetScan.first(UInt8(ascii: "#"), in: octets, from: start, to: end) == end,
            OctetScan.isPrintable(octets, from: start, to: end)
        else { throw .malformedTarget }
        // The first `?` ends the path.
        let mark = OctetScan.first(UInt8(ascii: "?"), in: octets, from: start, to: end)
        pathStart = start
        pathEnd = mark
        queryEnd = end
        if octets[start] == UInt8(ascii: "/") { return }
        if end - start == 1, octets[start] == UInt8(ascii: "*") {
            guard method == .options else { throw .misplacedTargetForm }
            form = .asterisk
            return
        }
        authorityStart = try Self.authorityStart(octets, from: start, to: mark)
        var authorityEnd = authorityStart
        while authorityEnd < mark, octets[authorityEnd] != UInt8(ascii: "/") { authorityEnd += 1 }
        guard
            FieldSyntax.isAuthority(
                UnsafeRawBufferPointer(rebasing: octets[authorityStart..<authorityEnd])
            )
        else { throw .malformedAuthority }
        form = .absolute
        pathStart = authorityEnd
    }

    /// Where the authority of an absolute-form target begins, after `http://`.
    private static func authorityStart(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) -> Int {
        var index = start
        while index < end, isSchemeOctet(octets[index]) { index += 1 }
        guard index > start, index + 2 < end, octets[index] == UInt8(ascii: ":"),
            octets[index + 1] == UInt8(ascii: "/"), octets[index + 2] == UInt8(ascii: "/")
        else { throw .misplacedTargetForm }
        let scheme: StaticString = "http"
        guard index - start == scheme.utf8CodeUnitCount else { throw .unsupportedScheme }
        for position in 0..<4
        where Fields.lowercased(octets[start + position]) != scheme.utf8Start[position] {
            throw .unsupportedScheme
        }
        return index + 3
    }

    /// A letter, digit, `+`, `-` or `.` (RFC 3986 §3.1).
    private static func isSchemeOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }
}

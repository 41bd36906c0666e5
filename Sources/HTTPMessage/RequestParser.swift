/// The head of a request and how many octets it took.
package struct ParsedHead: Sendable {
    package let head: RequestHead
    /// Where the content, or the next request, begins.
    package let consumed: Int
}

/// Octets in, the head of a request out (RFC 9112 §2 to §5).
///
/// The parser reads in place: it is shown everything that arrived since the last request ended,
/// and remembers offsets. Each complete line is checked once, and the search for the end of an
/// incomplete one goes on where it stopped, so a head that arrives octet by octet costs little
/// more than one that arrives whole. When the head is complete its octets are copied once.
///
/// What it refuses is what two readers could read differently: see `MessageError`.
package struct RequestParser: Sendable {
    private enum Stage: Sendable {
        case leading
        case requestLine
        case fieldLines
    }

    private let limits: Limits
    private var stage = Stage.leading
    /// Where the line that is being received begins.
    private var lineStart = 0
    /// Up to here there is no LF after `lineStart`.
    private var scanned = 0
    /// The first control character of the line, where one was found.
    private var firstControl: Int?
    private var sectionStart = 0
    private var requestLine = RequestLine()
    private var lines: [Fields.Line] = []
    /// At most one, in an array, so that idle connections need no room for it.
    private var refused: [RequestHead] = []

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The method, once the request line has been read; for answers to a head that is refused.
    package var method: HTTPMethod? { stage == .fieldLines ? requestLine.method : nil }

    /// The head that was refused, where that was for what its fields say: all of them had been read.
    ///
    /// For who asked and for what; nothing follows from it for the content.
    package var refusedHead: RequestHead? { refused.first }

    /// Forgets the request that was being read.
    package mutating func reset() {
        self = RequestParser(limits: limits)
    }

    /// Reads on in a request, and starts on the next one after returning a head.
    ///
    /// - Parameter octets: Everything from the start of the request; the octets of earlier calls
    ///   must be the same.
    /// - Returns: `nil` while the head is incomplete.
    /// - Throws: A `MessageError`, after which the parser must not be used before `reset()`.
    package mutating func parse(
        _ octets: UnsafeRawBufferPointer
    ) throws(MessageError) -> ParsedHead? {
        if stage == .leading {
            guard try skipLeadingEmptyLine(octets) else { return nil }
        }
        while true {
            let lineFeed = findLineFeed(octets)
            guard lineFeed < octets.count else {
                scanned = octets.count
                try checkUnfinishedLine(octets)
                return nil
            }
            scanned = lineFeed + 1
            let lineEnd = lineFeed - 1
            guard lineEnd >= lineStart, octets[lineEnd] == UInt8(ascii: "\r") else {
                try checkLength(lineEnd: lineFeed)
                throw .bareLineFeed
            }
            if stage == .requestLine {
                try checkLength(lineEnd: lineEnd)
                requestLine = try RequestLine(octets, from: lineStart, to: lineEnd)
                stage = .fieldLines
                sectionStart = scanned
                lines.reserveCapacity(16)
            } else if lineEnd == lineStart {
                let head = try finishHead(octets)
                let consumed = scanned
                reset()
                return ParsedHead(head: head, consumed: consumed)
            } else {
                try checkLength(lineEnd: lineEnd)
                try appendFieldLine(octets, from: lineStart, to: lineEnd)
            }
            lineStart = scanned
            firstControl = nil
        }
    }

    /// The offset of the next LF, or the end; notes the first control character on the way.
    private mutating func findLineFeed(_ octets: UnsafeRawBufferPointer) -> Int {
        var index = scanned
        while true {
            index = OctetScan.control(in: octets, from: index, to: octets.count)
            guard index < octets.count, octets[index] != UInt8(ascii: "\n") else { return index }
            if firstControl == nil { firstControl = index }
            index &+= 1
            // What follows nearly every CR.
            if index < octets.count, octets[index] == UInt8(ascii: "\n") { return index }
        }
    }

    /// Skips at most one CRLF before the request line (RFC 9112 §2.2).
    ///
    /// - Returns: Whether the first octet of the request line is there.
    private mutating func skipLeadingEmptyLine(
        _ octets: UnsafeRawBufferPointer
    ) throws(MessageError) -> Bool {
        guard lineStart < octets.count else { return false }
        if lineStart == 0, octets[0] == UInt8(ascii: "\r") {
            guard octets.count > 1 else { return false }
            guard octets[1] == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
            lineStart = 2
            guard octets.count > 2 else { return false }
        }
        let first = octets[lineStart]
        guard FieldSyntax.isTokenOctet(first) else {
            switch first {
            case 0x16: throw .tlsHandshake
            case UInt8(ascii: "\n"): throw .bareLineFeed
            case UInt8(ascii: "\r"): throw .malformedRequestLine
            default: throw .malformedMethod
            }
        }
        scanned = lineStart
        stage = .requestLine
        return true
    }

    /// Refuses a line that is too long already, or that no later octet can mend.
    private func checkUnfinishedLine(_ octets: UnsafeRawBufferPointer) throws(MessageError) {
        // A CR at the end may turn out to be half of the line's CRLF.
        let end = octets.last == UInt8(ascii: "\r") ? octets.count - 1 : octets.count
        if end > lineStart { try checkLength(lineEnd: end) }
    }

    /// Holds the line that ends here against the limits.
    private func checkLength(lineEnd: Int) throws(MessageError) {
        if stage == .requestLine {
            guard lineEnd - lineStart <= limits.maximumRequestLineOctets else {
                throw .requestLineTooLong(limit: limits.maximumRequestLineOctets)
            }
        } else {
            guard lines.count < limits.maximumFieldLines else {
                throw .tooManyFieldLines(limit: limits.maximumFieldLines)
            }
            guard lineEnd + 2 - sectionStart <= limits.maximumFieldSectionOctets else {
                throw .fieldSectionTooLarge(limit: limits.maximumFieldSectionOctets)
            }
        }
    }

    private mutating func appendFieldLine(
        _ octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) throws(MessageError) {
        // A line whose first control character is the CR at its end has none in its value.
        let line = try FieldLineSyntax.line(
            in: octets,
            from: start,
            to: end,
            hasControls: firstControl != end
        )
        lines.append(line)
    }

    /// Checks what the fields say of the message, and copies the head.
    private mutating func finishHead(
        _ octets: UnsafeRawBufferPointer
    ) throws(MessageError) -> RequestHead {
        let fields = Fields(
            octets: [UInt8](UnsafeRawBufferPointer(rebasing: octets[..<scanned])),
            lines: exchange(&lines, with: [])
        )
        do throws(MessageError) {
            return try head(with: fields, in: octets)
        } catch {
            refused = [
                RequestHead(
                    method: requestLine.method,
                    target: requestLine.target(in: octets),
                    version: requestLine.version,
                    fields: fields,
                    persists: false
                )
            ]
            throw error
        }
    }

    private func head(
        with fields: Fields,
        in octets: UnsafeRawBufferPointer
    ) throws(MessageError) -> RequestHead {
        try checkHost(fields)
        let hasFraming = fields.mayHave("content-length") || fields.mayHave("transfer-encoding")
        let framing =
            hasFraming
            ? try ContentFraming(of: fields, version: requestLine.version) : ContentFraming.none
        var expectsContinue = false
        // An HTTP/1.0 client's expectation must be ignored (RFC 9110 §10.1.1).
        if requestLine.version == .http11, fields.mayHave("expect") {
            expectsContinue = try Self.expectsContinue(fields)
        }
        var persists = requestLine.version == .http11
        if persists, fields.mayHave("connection") {
            for index in 0..<fields.count where fields.isNamed("connection", at: index) {
                if FieldSyntax.list(fields.value(at: index), names: "close") { persists = false }
            }
        }
        return RequestHead(
            method: requestLine.method,
            target: requestLine.target(in: octets),
            version: requestLine.version,
            fields: fields,
            framing: framing,
            persists: persists,
            expectsContinue: expectsContinue && framing.announcesContent
        )
    }

    /// Exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and well-formed (RFC 9112 §3.2).
    private func checkHost(_ fields: Fields) throws(MessageError) {
        var hostIndex: Int?
        if fields.mayHave("host") {
            for index in 0..<fields.count where fields.isNamed("host", at: index) {
                guard hostIndex == nil else { throw .repeatedHost }
                hostIndex = index
            }
        }
        guard let hostIndex else {
            guard requestLine.version == .http10 else { throw .missingHost }
            return
        }
        let isAuthority = fields.value(at: hostIndex).withUnsafeBytes(FieldSyntax.isAuthority)
        guard isAuthority else { throw .malformedHost }
    }

    private static func expectsContinue(_ fields: Fields) throws(MessageError) -> Bool {
        var expects = false
        for index in 0..<fields.count where fields.isNamed("expect", at: index) {
            guard let elements = FieldSyntax.listElements(fields.value(at: index)),
                elements.allSatisfy({ FieldSyntax.matches($0, "100-continue") })
            else { throw .unsupportedExpectation }
            expects = expects || !elements.isEmpty
        }
        return expects
    }
}

/// Replaces a value and returns the old one.
private func exchange<Value>(_ value: inout Value, with new: Value) -> Value {
    let old = value
    value = new
    return old
}

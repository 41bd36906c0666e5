import HTTPMessage

/// What holds for any octets; the corpus and the fuzzer try it.
///
/// Each returns what was broken, or `nil`.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = [
        "request": requests, "chunked": chunkedContent, "percent": percentCoding,
    ]

    /// Any octets give messages or an error, alike however they arrive, and a message is what
    /// every reader of the RFC would read.
    @Sendable static func requests(_ octets: [UInt8]) -> String? {
        let whole = transcript(of: octets, step: octets.count)
        for step in [1, 2, 7] {
            let pieces = transcript(of: octets, step: step)
            if pieces != whole { return "in pieces of \(step): \(pieces), whole: \(whole)" }
        }
        var parser = RequestParser()
        let parsed = try? octets.withUnsafeBytes { try parser.parse($0) }
        guard let parsed else { return nil }
        if parsed.consumed > octets.count { return "consumed more than there was" }
        return fault(of: parsed.head)
    }

    private static func transcript(of octets: [UInt8], step: Int) -> MessageTranscript {
        var reader = MessageReader(maximumContentOctets: 64)
        var end = 0
        do throws(MessageError) {
            while end < octets.count {
                end = min(octets.count, end + max(1, step))
                try reader.advance(octets[..<end])
            }
        } catch {
            reader.transcript.error = error
            return reader.transcript
        }
        reader.transcript.leftover = octets.count - reader.start
        return reader.transcript
    }

    /// What is wrong with a head that was taken.
    private static func fault(of head: RequestHead) -> String? {
        let fields = head.fields
        var counts: [String: Int] = [:]
        for index in 0..<fields.count {
            let name = fields.name(at: index)
            counts[name.lowercased(), default: 0] += 1
            if !FieldSyntax.isToken(Array(name.utf8)[...]) { return "a name that is no token" }
            let value = fields.value(at: index)
            if value.contains(where: { $0 != 9 && $0 < 32 || $0 == 127 }) {
                return "a control character in a value"
            }
            if let first = value.first, let last = value.last,
                [first, last].contains(where: { $0 == 9 || $0 == 32 })
            {
                return "white space around a value"
            }
        }
        let hosts = counts["host", default: 0]
        if hosts > 1 || hosts == 0 && head.version == .http11 { return "\(hosts) Host fields" }
        let lengths = counts["content-length", default: 0]
        let codings = counts["transfer-encoding", default: 0]
        switch head.framing {
        case .none: if lengths + codings > 0 { return "framing fields that were not read" }
        case .length: if lengths != 1 || codings > 0 { return "a length beside other framing" }
        case .chunked:
            if lengths > 0 || codings == 0 { return "chunked beside other framing" }
            if head.version == .http10 { return "chunked in HTTP/1.0" }
        }
        let target = head.target.path + [UInt8(ascii: "?")] + (head.target.query ?? [])
        if !target.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) {
            return "an octet in the target that may not be there"
        }
        switch head.target.form {
        case .asterisk:
            if head.method != .options || !head.target.path.isEmpty { return "a misplaced *" }
        case .origin, .absolute:
            if head.target.path.first != UInt8(ascii: "/") { return "a path without its slash" }
            if head.target.path.contains(UInt8(ascii: "?")) { return "a query in the path" }
        }
        if head.version == .http10, head.persists { return "HTTP/1.0 that persists" }
        return nil
    }

    /// Chunked content decodes alike in any pieces, and what was coded here decodes to itself.
    ///
    /// The first octet is the size of the pieces.
    @Sendable static func chunkedContent(_ octets: [UInt8]) -> String? {
        guard let first = octets.first else { return nil }
        let coded = Array(octets.dropFirst())
        let step = Int(first) + 1
        let whole = decoding(coded, step: max(1, coded.count))
        for step in [1, step] {
            let pieces = decoding(coded, step: step)
            if pieces != whole { return "in pieces of \(step): \(pieces), whole: \(whole)" }
        }
        var again: [UInt8] = []
        var rest = coded.prefix(64)
        while !rest.isEmpty {
            let chunk = rest.prefix(step)
            again += Array(String(chunk.count, radix: 16).utf8) + [13, 10] + chunk + [13, 10]
            rest = rest.dropFirst(step)
        }
        again += Array("0\r\n\r\n".utf8)
        let decoded = decoding(again, step: step)
        guard decoded.isComplete, decoded.content == Array(coded.prefix(64)) else {
            return "content that was coded by the RFC decodes to something else"
        }
        return nil
    }

    private struct Decoding: Equatable {
        var content: [UInt8] = []
        var consumed = 0
        var isComplete = false
        var error: MessageError?
    }

    private static func decoding(_ coded: [UInt8], step: Int) -> Decoding {
        var decoder = ChunkedDecoder(maximumContentOctets: 64)
        var decoding = Decoding()
        do throws(MessageError) {
            while decoding.consumed < coded.count, !decoder.isComplete {
                let end = min(coded.count, decoding.consumed + step)
                decoding.consumed += try coded[decoding.consumed..<end].withUnsafeBufferPointer {
                    (octets) throws(MessageError) in
                    try decoder.decode(
                        UnsafeRawBufferPointer(octets),
                        appendingTo: &decoding.content
                    )
                }
            }
        } catch {
            // How much of what was refused has been decoded depends on the pieces.
            return Decoding(error: error)
        }
        decoding.isComplete = decoder.isComplete
        return decoding
    }

    /// Percent-decoding undoes percent-encoding, and nothing grows.
    @Sendable static func percentCoding(_ octets: [UInt8]) -> String? {
        for plusIsSpace in [false, true] {
            let decoded = PercentCoding.decode(octets[...], plusIsSpace: plusIsSpace)
            if let decoded, decoded.count > octets.count { return "decoding made it longer" }
            if decoded == nil, !octets.contains(UInt8(ascii: "%")) {
                return "refused without an escape"
            }
        }
        let text = String(decoding: octets, as: UTF8.self)
        let encoded = Array(PercentCoding.encode(text).utf8)
        for plusIsSpace in [false, true] {
            guard PercentCoding.decode(encoded[...], plusIsSpace: plusIsSpace) == Array(text.utf8)
            else { return "encoding and decoding give another text" }
        }
        _ = FieldSyntax.listElements(octets[...])
        _ = MediaType(octets[...])
        return nil
    }
}

import HTTPMessage

/// What a connection would make of octets: a line for each whole message, then the error.
struct MessageTranscript: Equatable, CustomStringConvertible {
    var messages: [String] = []
    var error: MessageError?
    /// Octets of a message that is not whole.
    var leftover = 0

    var description: String { "\(messages) \(error.map { "\($0)" } ?? "") +\(leftover)" }
}

/// The reading half of a connection, without its socket.
struct MessageReader {
    var transcript = MessageTranscript()
    /// Where the first message that is not whole begins.
    private(set) var start = 0
    private var position = 0
    private var parser = RequestParser()
    private var head: RequestHead?
    private var decoder: ChunkedDecoder?
    private var content: [UInt8] = []
    private let maximumContentOctets: Int

    init(maximumContentOctets: Int) { self.maximumContentOctets = maximumContentOctets }

    /// Reads on in octets of which more has arrived.
    mutating func advance(_ octets: ArraySlice<UInt8>) throws(MessageError) {
        while position < octets.endIndex {
            if let head {
                guard try readContent(octets, of: head) else { return }
                transcript.messages.append(
                    head.line + " [\(String(decoding: content, as: UTF8.self))]"
                )
                self.head = nil
                start = position
            } else {
                guard let parsed = try parse(octets[start...]) else { return }
                position = start + parsed.consumed
                try begin(parsed.head)
            }
        }
    }

    private mutating func begin(_ head: RequestHead) throws(MessageError) {
        content = []
        decoder = nil
        if case .length(let length) = head.framing, length > maximumContentOctets {
            throw .contentTooLarge(limit: maximumContentOctets)
        }
        guard head.framing.announcesContent else {
            transcript.messages.append(head.line)
            start = position
            return
        }
        self.head = head
        if head.framing == .chunked {
            decoder = ChunkedDecoder(maximumContentOctets: maximumContentOctets)
        }
    }

    private mutating func readContent(
        _ octets: ArraySlice<UInt8>,
        of head: RequestHead
    ) throws(MessageError) -> Bool {
        if case .length(let length) = head.framing {
            let end = min(position + length - content.count, octets.endIndex)
            content += octets[position..<end]
            position = end
            return content.count == length
        }
        guard var decoder else { return false }
        position += try octets[position...].withUnsafeBufferPointer {
            (octets) throws(MessageError) in
            try decoder.decode(UnsafeRawBufferPointer(octets), appendingTo: &content)
        }
        self.decoder = decoder
        return decoder.isComplete
    }

    private mutating func parse(_ octets: ArraySlice<UInt8>) throws(MessageError) -> ParsedHead? {
        if position > octets.startIndex, octets.endIndex == position { return nil }
        return try octets.withUnsafeBufferPointer { (octets) throws(MessageError) in
            try parser.parse(UnsafeRawBufferPointer(octets))
        }
    }
}

extension RequestHead {
    /// What the head says, in a line.
    var line: String {
        var text = method.rawValue + " "
        if target.form != .origin { text += "\(target.form) " }
        text += String(decoding: target.path, as: UTF8.self)
        if let query = target.query { text += "?" + String(decoding: query, as: UTF8.self) }
        text += version == .http11 ? " 1.1" : " 1.0"
        for index in 0..<fields.count {
            let value = String(decoding: fields.value(at: index), as: UTF8.self)
            text += " \(fields.name(at: index))=<\(value)>"
        }
        switch framing {
        case .none: break
        case .length(let length): text += " length \(length)"
        case .chunked: text += " chunked"
        }
        if !persists { text += " closes" }
        if expectsContinue { text += " expects" }
        return text
    }
}

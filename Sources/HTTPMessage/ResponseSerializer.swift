/// A response to octets (RFC 9112 §4).
///
/// The serializer owns the fields that delimit a message and its connection: `Content-Length`,
/// `Transfer-Encoding` and `Connection` among the response's own fields are left out.
package enum ResponseSerializer {
    /// How the content is delimited in what is sent.
    package enum Framing: Sendable {
        /// `Content-Length` of the whole content, unless the status forbids it.
        case length
        /// `Transfer-Encoding: chunked`. The caller writes the chunks.
        case chunked
        /// Neither: the content ends with the connection (RFC 9112 §6.3, item 8).
        case close
    }

    /// The interim response that asks for the content (RFC 9110 §15.2.1).
    package static let continueResponse: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    /// Appends a whole response.
    ///
    /// - Parameters:
    ///   - omitsContent: Whether the request was HEAD: `Content-Length` then tells what GET would
    ///     have brought.
    ///   - closes: Whether the connection closes after it.
    package static func append(
        _ response: borrowing HTTPResponse,
        to output: inout [UInt8],
        omitsContent: Bool = false,
        closes: Bool = false
    ) {
        let contentCount = omitsContent ? 0 : response.content.count
        output.reserveCapacity(output.count + 512 + contentCount)
        let framing: Framing = response.isChunked ? .chunked : .length
        appendHead(of: response, to: &output, framing: framing, closes: closes)
        if !omitsContent, !StatusCode.forbidsContent(response.status) {
            appendContent(of: response, to: &output)
        }
    }

    /// Appends the whole content, in chunks where the response has them.
    package static func appendContent(
        of response: borrowing HTTPResponse,
        to output: inout [UInt8]
    ) {
        guard response.isChunked else {
            output.append(contentsOf: response.content)
            return
        }
        // Three at least, where there is so much: who reads one chunk has not read it all.
        let size = max(1, min(4096, (response.content.count + 2) / 3))
        var rest = response.content[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(size)
            append(hexadecimal: chunk.count, to: &output)
            append("\r\n", to: &output)
            output.append(contentsOf: chunk)
            append("\r\n", to: &output)
            rest = rest.dropFirst(size)
        }
        append("0\r\n\r\n", to: &output)
    }

    /// Appends status line and header section, up to the empty line.
    package static func appendHead(
        of response: borrowing HTTPResponse,
        to output: inout [UInt8],
        framing: Framing = .length,
        closes: Bool = false
    ) {
        if response.status == 200 {
            append("HTTP/1.1 200 OK\r\n", to: &output)
        } else {
            append("HTTP/1.1 ", to: &output)
            append(decimal: response.status, to: &output)
            append(" ", to: &output)
            append(StatusCode.reasonPhrase(of: response.status), to: &output)
            append("\r\n", to: &output)
        }
        for field in response.fields where !isOwnField(field.name) {
            append(text: field.name, to: &output)
            output.append(UInt8(ascii: ":"))
            output.append(UInt8(ascii: " "))
            append(text: field.value, to: &output)
            output.append(UInt8(ascii: "\r"))
            output.append(UInt8(ascii: "\n"))
        }
        let isLower = response.hasLowerNames
        if !StatusCode.forbidsContent(response.status) {
            switch framing {
            case .length:
                append(isLower ? "content-length: " : "Content-Length: ", to: &output)
                append(decimal: response.content.count, to: &output)
                append("\r\n", to: &output)
            case .chunked:
                append(isLower ? "transfer-encoding" : "Transfer-Encoding", to: &output)
                append(": chunked\r\n", to: &output)
            case .close: break
            }
        }
        if closes {
            append(isLower ? "connection: close\r\n" : "Connection: close\r\n", to: &output)
        }
        append("\r\n", to: &output)
    }

    /// Appends a number in hexadecimal digits, as a chunk-size is written.
    package static func append(hexadecimal number: Int, to output: inout [UInt8]) {
        output.append(contentsOf: String(number, radix: 16).utf8)
    }

    /// Appends text that is known when the program is built.
    @inline(__always)
    package static func append(_ text: StaticString, to output: inout [UInt8]) {
        output.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// Whether the serializer writes this field itself.
    private static func isOwnField(_ name: String) -> Bool {
        switch name.utf8.count {
        case 10: isEqual(name, "connection")
        case 14: isEqual(name, "content-length")
        case 17: isEqual(name, "transfer-encoding")
        default: false
        }
    }

    private static func isEqual(_ name: String, _ word: StaticString) -> Bool {
        var position = 0
        for octet in name.utf8 {
            guard Fields.lowercased(octet) == word.utf8Start[position] else { return false }
            position += 1
        }
        return true
    }

    /// Appends text; a control character becomes a space, so that no value can begin a line
    /// (RFC 9110 §5.5).
    private static func append(text: String, to output: inout [UInt8]) {
        var text = text
        text.withUTF8 { octets in
            let octets = UnsafeRawBufferPointer(octets)
            var start = 0
            while true {
                let end = OctetScan.control(in: octets, from: start, to: octets.count)
                output.append(contentsOf: UnsafeRawBufferPointer(rebasing: octets[start..<end]))
                guard end < octets.count else { return }
                let isTab = octets[end] == UInt8(ascii: "\t")
                output.append(isTab ? UInt8(ascii: "\t") : UInt8(ascii: " "))
                start = end + 1
            }
        }
    }

    private static func append(decimal number: Int, to output: inout [UInt8]) {
        var rest = max(number, 0)
        var unit = 1
        while rest / unit >= 10 { unit *= 10 }
        while unit > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }
}

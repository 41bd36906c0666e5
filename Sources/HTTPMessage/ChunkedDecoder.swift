/// Decodes the chunked transfer coding as it arrives (RFC 9112 §7.1).
///
///     chunked-body = *chunk last-chunk trailer-section CRLF
///     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
///
/// Chunk extensions and trailer fields are checked, bounded and dropped.
package struct ChunkedDecoder: Sendable {
    private enum Stage: Sendable {
        case sizeLine
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailerLine
        case complete
    }

    private let maximumContentOctets: Int
    private let limits: Limits
    private var stage = Stage.sizeLine
    /// The unfinished line that is being received.
    private var line: [UInt8] = []
    /// Octets of data that the current chunk still lacks.
    private var remaining = 0
    private var contentOctets = 0
    private var trailerOctets = 0
    private var trailerLines = 0

    /// A decoder at the start of a message's content.
    package init(maximumContentOctets: Int, limits: Limits = Limits()) {
        self.maximumContentOctets = maximumContentOctets
        self.limits = limits
    }

    /// Whether the last chunk and the trailer section have been read.
    package var isComplete: Bool { stage == .complete }

    /// Decodes what has arrived.
    ///
    /// - Parameters:
    ///   - octets: The next octets of the connection.
    ///   - content: Where the decoded octets are appended.
    /// - Returns: How many octets belong to this message: all of them unless `isComplete`.
    /// - Throws: A `MessageError` whose `suggestedStatus` is 400, 413 or 431.
    package mutating func decode(
        _ octets: UnsafeRawBufferPointer,
        appendingTo content: inout [UInt8]
    ) throws(MessageError) -> Int {
        var index = 0
        while index < octets.count, stage != .complete {
            switch stage {
            case .data:
                let count = min(remaining, octets.count - index)
                content.append(
                    contentsOf: UnsafeRawBufferPointer(rebasing: octets[index..<(index + count)])
                )
                index += count
                remaining -= count
                if remaining == 0 { stage = .dataCarriageReturn }
            case .dataCarriageReturn:
                guard octets[index] == UInt8(ascii: "\r") else { throw .unterminatedChunk }
                index += 1
                stage = .dataLineFeed
            case .dataLineFeed:
                guard octets[index] == UInt8(ascii: "\n") else { throw .unterminatedChunk }
                index += 1
                stage = .sizeLine
            case .sizeLine, .trailerLine:
                index = try readLine(octets, from: index)
            case .complete: break
            }
        }
        return index
    }

    /// Reads on in a line, and acts on it when it is complete.
    private mutating func readLine(
        _ octets: UnsafeRawBufferPointer,
        from start: Int
    ) throws(MessageError) -> Int {
        let lineFeed = OctetScan.first(
            UInt8(ascii: "\n"),
            in: octets,
            from: start,
            to: octets.count
        )
        line.append(contentsOf: UnsafeRawBufferPointer(rebasing: octets[start..<lineFeed]))
        let endsInCarriageReturn = line.last == UInt8(ascii: "\r")
        let length = endsInCarriageReturn ? line.count - 1 : line.count
        if stage == .sizeLine {
            guard length <= limits.maximumChunkLineOctets else {
                throw .chunkLineTooLong(limit: limits.maximumChunkLineOctets)
            }
        } else if length > 0 {
            guard trailerOctets + length + 2 <= limits.maximumTrailerSectionOctets,
                trailerLines < limits.maximumFieldLines
            else { throw .trailerSectionTooLarge(limit: limits.maximumTrailerSectionOctets) }
        }
        guard lineFeed < octets.count else { return lineFeed }
        guard endsInCarriageReturn else { throw .bareLineFeed }
        if stage == .sizeLine {
            try beginChunk(size: try Self.chunkSize(line[..<length]))
        } else if length == 0 {
            stage = .complete
        } else {
            _ = try line.withUnsafeBufferPointer { (octets) throws(MessageError) in
                try FieldLineSyntax.line(in: UnsafeRawBufferPointer(octets), from: 0, to: length)
            }
            trailerOctets += length + 2
            trailerLines += 1
        }
        line.removeAll(keepingCapacity: stage != .complete)
        return lineFeed + 1
    }

    private mutating func beginChunk(size: Int) throws(MessageError) {
        guard size <= maximumContentOctets - contentOctets else {
            throw .contentTooLarge(limit: maximumContentOctets)
        }
        contentOctets += size
        remaining = size
        stage = size == 0 ? .trailerLine : .data
    }

    /// The size that a chunk-size line gives; `Int.max` where it is larger than that.
    ///
    ///     chunk-size = 1*HEXDIG
    ///     chunk-ext  = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
    private static func chunkSize(_ line: ArraySlice<UInt8>) throws(MessageError) -> Int {
        let digits = line.prefix { PercentCoding.hexValue($0) != nil }
        guard !digits.isEmpty else { throw .malformedChunkSize }
        var size = 0
        for octet in digits {
            let isTooLarge = size > Int.max >> 4
            size = isTooLarge ? .max : size << 4 | Int(PercentCoding.hexValue(octet) ?? 0)
        }
        let extensions = line[digits.endIndex...]
        guard extensions.isEmpty || isExtensionList(extensions) else { throw .malformedChunkSize }
        return size
    }

    private static func isExtensionList(_ octets: ArraySlice<UInt8>) -> Bool {
        var rest = octets.drop(while: FieldSyntax.isWhiteSpace)
        repeat {
            guard rest.popFirst() == UInt8(ascii: ";") else { return false }
            rest = rest.drop(while: FieldSyntax.isWhiteSpace)
            let name = rest.prefix(while: FieldSyntax.isTokenOctet)
            guard !name.isEmpty else { return false }
            let afterName = rest[name.endIndex...]
            rest = afterName.drop(while: FieldSyntax.isWhiteSpace)
            if rest.first == UInt8(ascii: "=") {
                rest = rest.dropFirst().drop(while: FieldSyntax.isWhiteSpace)
                guard let value = extensionValue(rest) else { return false }
                let afterValue = rest[value.endIndex...]
                rest = afterValue.drop(while: FieldSyntax.isWhiteSpace)
                if rest.isEmpty { return afterValue.isEmpty }
            } else if rest.isEmpty {
                return afterName.isEmpty
            }
        } while !rest.isEmpty
        return true
    }

    /// The token or quoted-string that the octets begin with.
    private static func extensionValue(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard octets.first == UInt8(ascii: "\"") else {
            let token = octets.prefix(while: FieldSyntax.isTokenOctet)
            return token.isEmpty ? nil : token
        }
        var index = octets.startIndex + 1
        while index < octets.endIndex, octets[index] != UInt8(ascii: "\"") {
            index += octets[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < octets.endIndex else { return nil }
        let quoted = octets[...index]
        return FieldSyntax.quotedString(quoted) == nil ? nil : quoted
    }
}

/// One field line (RFC 9112 §5), in a header or a trailer section.
///
///     field-line = field-name ":" OWS field-value OWS
enum FieldLineSyntax {
    /// Checks the line that stands in the range, without its CRLF.
    ///
    /// - Parameter hasControls: Whether a control character may stand in the line.
    /// - Returns: The offsets of name and value, the value without white space around it.
    static func line(
        in octets: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int,
        hasControls: Bool = true
    ) throws(MessageError) -> Fields.Line {
        var index = start
        while index < end, FieldSyntax.isTokenOctet(octets[index]) { index &+= 1 }
        guard index < end else { throw .malformedFieldName }
        let nameEnd = index
        guard octets[index] == UInt8(ascii: ":"), nameEnd > start else {
            if FieldSyntax.isWhiteSpace(octets[index]) {
                if nameEnd == start { throw .lineFolding }
                while index < end, FieldSyntax.isWhiteSpace(octets[index]) { index += 1 }
                if index < end, octets[index] == UInt8(ascii: ":") {
                    throw .whiteSpaceBeforeColon
                }
            }
            throw index < end && octets[index] == UInt8(ascii: "\r")
                ? .bareCarriageReturn : .malformedFieldName
        }
        index &+= 1
        while index < end, FieldSyntax.isWhiteSpace(octets[index]) { index &+= 1 }
        let valueStart = index
        while hasControls {
            index = OctetScan.control(in: octets, from: index, to: end)
            guard index < end else { break }
            switch octets[index] {
            case UInt8(ascii: "\t"): index &+= 1
            case UInt8(ascii: "\r"): throw .bareCarriageReturn
            default: throw .malformedFieldValue
            }
        }
        var valueEnd = end
        while valueEnd > valueStart, FieldSyntax.isWhiteSpace(octets[valueEnd - 1]) {
            valueEnd &-= 1
        }
        return Fields.Line(
            nameStart: start,
            nameEnd: nameEnd,
            valueStart: valueStart,
            valueEnd: valueEnd
        )
    }
}

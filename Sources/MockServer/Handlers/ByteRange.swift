import HTTPMessage
import Journal

/// Range requests for one range of octets (RFC 9110 §14).
enum ByteRange {
    /// Makes of a whole answer the part that `Range` asks for.
    ///
    /// What is no single valid range is ignored, as §14.2 allows, and answered whole.
    ///
    /// - Throws: 416 where the content has no octet in the range.
    static func apply(_ request: HTTPRequest, to answer: inout Answer) throws(Problem) {
        guard request.method == .get, request.fields.count(of: "range") == 1,
            request.fields.first("if-range") == nil,
            let value = request.fields.text("range"), value.lowercased().hasPrefix("bytes=")
        else { return }
        let length = answer.content.count
        let parts = value.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return }
        let first = number(parts[0])
        let last = number(parts[1])
        let range: Range<Int>
        switch (first, last) {
        case (let first?, nil) where parts[1].isEmpty: range = first..<max(first, length)
        case (let first?, let last?) where last >= first:
            range = first..<max(first, min(last + 1, length))
        case (nil, let suffix?) where parts[0].isEmpty:
            range = max(0, length - suffix)..<length
        default: return
        }
        guard !range.isEmpty, range.lowerBound < length else {
            throw Problem(
                .range,
                416,
                "The content has \(length) octets: ask for a range within them.",
                fields: [HTTPResponse.Field("Content-Range", "bytes */\(length)")]
            )
        }
        answer.status = 206
        answer.fields.append(
            HTTPResponse.Field(
                "Content-Range",
                "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
            )
        )
        answer.content = Array(answer.content[range])
    }

    /// A decimal number; one too large for any content is as good as the largest.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return min(Int(text) ?? .max, 1 << 60)
    }
}

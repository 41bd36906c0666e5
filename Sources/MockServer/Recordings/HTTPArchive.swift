import HTTPMessage
package import JSON
import OAuth
import Time

/// A recording of requests and their answers: HAR 1.2, as proxies and browsers write it.
package struct HTTPArchive: Sendable {
    /// In the order in which they began.
    package let exchanges: [Exchange]

    /// Why a text is no recording that can be judged.
    package struct Flaw: Error, Equatable, Sendable {
        /// A sentence without its end.
        package let reason: String
    }

    /// A request and its answer.
    package struct Exchange: Sendable {
        /// In nanoseconds since 1970, by the recorder's clock.
        let began: Int64
        let ended: Int64
        let request: HTTPRequest
        /// As the recorder names it; `nil` where it names none.
        let connection: String?
        /// `nil` where no answer came.
        let status: UInt16?
        let answerFields: Fields
        /// `nil` where the recording does not keep it.
        let answer: [UInt8]?
        let answerOctets: Int
        /// Whether the client got no whole answer.
        let isLost: Bool
    }

    /// - Parameter value: The whole document.
    package init(_ value: JSONValue) throws(Flaw) {
        guard let log = value["log"], let entries = log["entries"]?.array else {
            throw Flaw(reason: "it is no HTTP archive: there is no log with entries")
        }
        if log["creator"]?["name"]?.string == "qubs-mock" {
            throw Flaw(
                reason:
                    "qubs-mock wrote it, with digests in the place of contents: ask the server that "
                    + "has the journal for its verdict"
            )
        }
        var exchanges: [Exchange] = []
        exchanges.reserveCapacity(entries.count)
        for (place, entry) in entries.enumerated() {
            do throws(Flaw) {
                exchanges.append(try Exchange(entry))
            } catch {
                throw Flaw(reason: "entry \(place + 1): \(error.reason)")
            }
        }
        // Browsers and proxies write them in the order of their ends.
        self.exchanges = exchanges.enumerated()
            .sorted { ($0.element.began, $0.offset) < ($1.element.began, $1.offset) }
            .map(\.element)
    }
}

extension HTTPArchive.Exchange {
    fileprivate init(_ entry: JSONValue) throws(HTTPArchive.Flaw) {
        guard let text = entry["startedDateTime"]?.string,
            let began = Timestamp.nanoseconds(parsing: text)
        else { throw HTTPArchive.Flaw(reason: "startedDateTime is no date-time") }
        guard let milliseconds = entry["time"]?.double, milliseconds >= 0,
            milliseconds <= Self.longestMilliseconds
        else { throw HTTPArchive.Flaw(reason: "time is no number of milliseconds") }
        guard let request = entry["request"], let method = request["method"]?.string,
            let url = request["url"]?.string, let target = Self.target(of: url)
        else { throw HTTPArchive.Flaw(reason: "request needs a method and a whole URL") }
        guard let response = entry["response"], let status = response["status"]?.int,
            0...999 ~= status
        else { throw HTTPArchive.Flaw(reason: "response.status is no status code") }
        self.began = began
        ended = began.addingSaturated(Int64(milliseconds * 1_000_000))
        self.request = HTTPRequest(
            method: HTTPMethod(method),
            target: target,
            fields: Self.fields(request["headers"]),
            content: Self.content(of: request["postData"])
        )
        connection = entry["connection"]?.string
        self.status = status > 0 ? UInt16(status) : nil
        answerFields = Self.fields(response["headers"])
        let content = response["content"]
        answer = Self.answer(content)
        answerOctets = max(0, answer?.count ?? content?["size"]?.int ?? 0)
        let isBroken =
            response["_error"]?.string.map { !$0.isEmpty } ?? false
            || Self.isShort(answer, answerFields, to: method, status)
        isLost = status == 0 || isBroken
    }

    /// A year: no exchange takes longer, and its nanoseconds are a number still.
    private static let longestMilliseconds = 31_622_400_000.0

    /// Path and query of a URL, without its fragment.
    private static func target(of url: String) -> RequestTarget? {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let rest = url[mark.upperBound...].prefix { $0 != "#" }
        guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else {
            return RequestTarget("/")
        }
        let text = String(rest[start...])
        return RequestTarget(text.hasPrefix("?") ? "/" + text : text)
    }

    /// Fields, without the pseudo-header fields of HTTP/2 (RFC 9113 §8.3).
    private static func fields(_ list: JSONValue?) -> Fields {
        let pairs = (list?.array ?? []).compactMap { field -> (String, String)? in
            guard let name = field["name"]?.string, let value = field["value"]?.string,
                !name.isEmpty, !name.hasPrefix(":")
            else { return nil }
            return (name, value)
        }
        return Fields(pairs)
    }

    /// The content of a request; of a form also by its parameters.
    private static func content(of data: JSONValue?) -> [UInt8] {
        if let text = data?["text"]?.string, !text.isEmpty { return Array(text.utf8) }
        let pairs = (data?["params"]?.array ?? []).compactMap { parameter -> String? in
            guard let name = parameter["name"]?.string, let value = parameter["value"]?.string
            else { return nil }
            return PercentCoding.encode(name) + "=" + PercentCoding.encode(value)
        }
        return Array(pairs.joined(separator: "&").utf8)
    }

    private static func answer(_ content: JSONValue?) -> [UInt8]? {
        guard let text = content?["text"]?.string else { return nil }
        guard content?["encoding"]?.string == "base64" else { return Array(text.utf8) }
        return Base64URL.decodePadded(text.utf8)
    }

    /// Whether less came than was announced.
    private static func isShort(
        _ answer: [UInt8]?,
        _ fields: Fields,
        to method: String,
        _ status: Int
    ) -> Bool {
        guard let answer, method != "HEAD", status != 204, status != 304,
            // What is coded has another length.
            fields.first("content-encoding") == nil,
            let announced = fields.text("content-length").flatMap({ Int($0) })
        else { return false }
        return answer.count < announced
    }
}

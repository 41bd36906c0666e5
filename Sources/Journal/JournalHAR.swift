import JSON
import Time

/// Requests as an HTTP archive (HAR 1.2), which the tools of browsers open.
///
/// It tells no more than the journal does: where that keeps a digest, or withholds a text, the archive
/// says so. Each entry has the journal's own form beside it, as the member `_mock`.
package enum JournalHAR {
    /// What stands for a value that the journal does not keep.
    private static let redacted = "(redacted)"

    /// The entries that pass a filter, oldest first: the newest, as many as have room.
    ///
    /// - Parameters:
    ///   - session: What the archive's one page is called after.
    ///   - baseURL: What stands before each path.
    ///   - version: Of this program.
    /// - Returns: The JSON text, with the id of the first entry in it as `_next` where older ones were
    ///   left out because of their size.
    package static func octets(
        of journal: RequestJournal,
        matching filter: JournalFilter,
        session: String,
        baseURL: String,
        version: String,
        maximumOctets: Int = JournalList.maximumOctets
    ) -> [UInt8] {
        var filter = filter
        var left = filter.limit
        var texts: [[UInt8]] = []
        var size = 0
        var first: JournalEntry?
        var isFull = false
        while left > 0, !isFull {
            filter.limit = min(left, entriesAtOnce)
            let entries = journal.entries(matching: filter)
            for entry in entries {
                isFull = first != nil && size >= maximumOctets
                if isFull { break }
                let text = JSONWriter.octets(of: self.entry(entry, baseURL))
                size += text.count
                texts.append(text)
                first = entry
            }
            guard entries.count == filter.limit, let last = entries.last else { break }
            filter.before = last.id
            left -= entries.count
        }
        var head = JSONObject()
        head["version"] = "1.2"
        head["creator"] = ["name": "qubs-mock", "version": .string(version)]
        // Firefox opens no archive without a page.
        head["pages"] = [
            [
                "startedDateTime": .string(Timestamp.text(first?.wallTime ?? 0)), "id": page,
                "title": .string("qubs-mock, session \(session)"),
                "pageTimings": .object(JSONObject()),
            ]
        ]
        if isFull, let first { head["_next"] = .integer(Int(first.id)) }
        var octets = Array(#"{"log":"#.utf8) + JSONWriter.octets(of: .object(head)).dropLast()
        octets += Array(#","entries":["#.utf8)
        for (place, text) in texts.reversed().enumerated() {
            if place > 0 { octets.append(UInt8(ascii: ",")) }
            octets += text
        }
        return octets + Array("]}}".utf8)
    }

    private static let page: JSONValue = "page_1"
    /// Entries that are taken out of a journal at once.
    private static let entriesAtOnce = 64

    private static func entry(_ entry: JournalEntry, _ baseURL: String) -> JSONValue {
        let ended = entry.answerEnded ?? entry.answerBegan ?? entry.arrival
        let began = entry.answerBegan ?? ended
        return [
            "pageref": page, "startedDateTime": .string(Timestamp.text(entry.wallTime)),
            "time": milliseconds(ended - entry.arrival),
            "request": request(entry, baseURL),
            "response": response(entry),
            "cache": .object(JSONObject()),
            "timings": [
                "send": 0, "wait": milliseconds(began - entry.arrival),
                "receive": milliseconds(ended - began),
            ],
            "connection": .string(String(entry.connection)),
            "comment": .string(entry.operationName ?? "none of the API's operations"),
            "_mock": entry.json,
        ]
    }

    private static func request(_ entry: JournalEntry, _ baseURL: String) -> JSONValue {
        var fields: [(String, String)] = []
        func add(_ name: String, _ value: String?) {
            if let value { fields.append((name, value)) }
        }
        add("Authorization", entry.traits.contains(.authorization) ? redacted : nil)
        add("Content-Type", entry.details.contentType)
        add(
            "Content-Length",
            entry.traits.contains(.contentLength) ? String(entry.contentOctets) : nil
        )
        add("Idempotency-Key", entry.details.idempotencyKey == nil ? nil : redacted)
        add("User-Agent", entry.shownUserAgent)
        add("X-Correlation-Id", entry.traits.contains(.sentRequestID) ? entry.shownRequestID : nil)
        add("traceparent", entry.details.traceParent)
        let query = entry.shownQuery.map { parameter -> (String, String) in
            switch parameter.value {
            case .integer(let number): (parameter.name, String(number))
            case .word(let word): (parameter.name, word)
            case .digest: (parameter.name, redacted)
            }
        }
        var object = JSONObject()
        object["method"] = .string(entry.method)
        object["url"] = .string(
            baseURL + (entry.isURLWithheld ? "/" + redacted : entry.path)
                + (query.isEmpty
                    ? ""
                    : "?" + query.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&"))
        )
        object["httpVersion"] = "HTTP/1.1"
        object["cookies"] = .array([])
        object["headers"] = pairs(fields)
        object["queryString"] = pairs(query)
        if entry.contentOctets > 0 {
            object["postData"] = [
                "mimeType": .string(entry.details.contentType ?? "application/octet-stream"),
                "params": .array([]), "text": .string(text(entry.details.requestContent)),
            ]
        }
        object["headersSize"] = -1
        object["bodySize"] = .integer(entry.contentOctets)
        return .object(object)
    }

    private static func response(_ entry: JournalEntry) -> JSONValue {
        var fields: [(String, String)] = [("X-Correlation-Id", entry.shownRequestID)]
        if let retryAfter = entry.details.retryAfter {
            let date = retryAfter.date.map {
                Instant(secondsSince1970: $0.floorDivided(by: 1_000_000_000)).imfFixdate
            }
            fields.append(
                ("Retry-After", retryAfter.nonsense ?? date ?? String(retryAfter.seconds))
            )
        }
        if let fault = entry.details.fault { fields.append(("X-Mock-Fault", fault.rule)) }
        // By convention 0 stands for an answer that did not come.
        let isWhole = entry.delivery == .complete
        let status = isWhole ? Int(entry.status ?? 0) : 0
        var object = JSONObject()
        object["status"] = .integer(status)
        object["statusText"] = .string(isWhole ? "" : entry.delivery.rawValue)
        object["httpVersion"] = "HTTP/1.1"
        object["cookies"] = .array([])
        object["headers"] = pairs(fields)
        object["content"] = [
            "size": .integer(entry.answerOctets), "mimeType": .string(mediaType(of: entry)),
            "text": .string(text(entry.details.answerContent)),
        ]
        object["redirectURL"] = ""
        object["headersSize"] = -1
        object["bodySize"] = .integer(entry.answerOctets)
        return .object(object)
    }

    /// What the API answers, where it is the API that does; else what tools write for unknown.
    private static func mediaType(of entry: JournalEntry) -> String {
        let isOwn = entry.kind == .operation || entry.kind == .token
        guard isOwn, entry.answerOctets > 0, entry.details.fault == nil else { return "x-unknown" }
        return (entry.status ?? 0) < 400 || entry.kind == .token
            ? "application/json" : "application/problem+json"
    }

    private static func pairs(_ pairs: [(String, String)]) -> JSONValue {
        .array(pairs.map { ["name": .string($0.0), "value": .string($0.1)] })
    }

    private static func milliseconds(_ nanoseconds: Int64) -> JSONValue {
        JSONNumber(Double(max(0, nanoseconds) / 1_000) / 1_000).map { .number($0) } ?? 0
    }

    /// Content where the journal keeps it, else nothing.
    private static func text(_ content: [UInt8]?) -> String {
        content.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// A text as it stands in a query.
    private static func encoded(_ text: String) -> String {
        var output = ""
        for octet in text.utf8 {
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                output.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let digits = String(octet, radix: 16, uppercase: true)
                output += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return output
    }
}

/// `traceparent` (W3C Trace Context §3.2): who asked, in the client's own traces.
package enum TraceParent {
    /// The value, where it is one: version, trace-id, parent-id and flags in lower hexadecimal.
    package static func value(_ octets: some Collection<UInt8>) -> String? {
        guard octets.count == length else { return nil }
        let text = String(decoding: octets, as: UTF8.self)
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == lengths,
            parts.allSatisfy({ part in
                part.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
            }), parts[0] != "ff",
            // All zeros stand for none.
            parts[1].utf8.contains(where: { $0 != 0x30 }),
            parts[2].utf8.contains(where: { $0 != 0x30 })
        else { return nil }
        return text
    }

    private static let lengths = [2, 32, 16, 2]
    private static let length = 55
}

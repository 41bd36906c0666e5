package import JSON
import Time

/// A list of entries as the control API answers it, written entry by entry.
///
/// Neither a tree of values is made of the whole list, nor a copy of all its entries, and the list
/// ends before it becomes too long: whoever wants all of it asks for one piece after the other.
package enum JournalList {
    /// Octets after which no further entry is added: that many ordinary entries are 1,300.
    package static let maximumOctets = 2 << 20

    /// Entries that are taken out of a journal at once.
    private static let entriesAtOnce = 64

    /// `{"items": […]}` with the entries that pass a filter, newest first, as many as have room.
    ///
    /// - Returns: The JSON text, with the id of the last entry in it as `next` where entries were left
    ///   out because of their size.
    package static func octets(
        of journal: RequestJournal,
        matching filter: JournalFilter,
        maximumOctets: Int = maximumOctets
    ) -> [UInt8] {
        var list = Text(maximumOctets: maximumOctets)
        var filter = filter
        var left = filter.limit
        while left > 0 {
            filter.limit = min(left, entriesAtOnce)
            let entries = journal.entries(matching: filter)
            list.append(entries)
            guard !list.isFull, entries.count == filter.limit, let last = entries.last else {
                break
            }
            filter.before = last.id
            left -= entries.count
        }
        return list.end(dropped: journal.size.dropped)
    }

    /// `{"items": […]}` with as many entries as have room, at least one.
    ///
    /// - Parameter entries: In the order to show them.
    /// - Returns: The JSON text, with the id of the last entry in it as `next` where entries were left out.
    package static func octets(
        of entries: [JournalEntry],
        maximumOctets: Int = maximumOctets
    ) -> [UInt8] {
        var list = Text(maximumOctets: maximumOctets)
        list.append(entries)
        return list.end(dropped: nil)
    }

    /// A list that is being written.
    private struct Text {
        let maximumOctets: Int
        var octets = Array(#"{"items":["#.utf8)
        var last: JournalEntry?
        /// Whether an entry was left out.
        var isFull = false

        init(maximumOctets: Int) { self.maximumOctets = maximumOctets }

        mutating func append(_ entries: [JournalEntry]) {
            for entry in entries {
                if last != nil {
                    if octets.count >= maximumOctets {
                        isFull = true
                        return
                    }
                    octets.append(UInt8(ascii: ","))
                }
                JSONWriter.append(entry.json, to: &octets)
                last = entry
            }
        }

        consuming func end(dropped: UInt64?) -> [UInt8] {
            octets.append(UInt8(ascii: "]"))
            if let dropped { octets.append(contentsOf: #","dropped":\#(dropped)"#.utf8) }
            if isFull, let last { octets.append(contentsOf: #","next":\#(last.id)"#.utf8) }
            octets.append(UInt8(ascii: "}"))
            return octets
        }
    }
}

extension JournalEntry {
    /// The entry as `GET /__admin/requests` shows it: digests in hexadecimal, no secret, no name.
    package var json: JSONValue {
        var object = JSONObject()
        object["id"] = .integer(Int(id))
        object["requestId"] = .string(shownRequestID)
        object["requestIdFrom"] = .string(requestIDOrigin)
        object["session"] = .string(session)
        object["client"] = .optional(client)
        object["operation"] = .optional(operationName)
        object["method"] = .string(method)
        object["path"] = .string(shownPath)
        object["domain"] = .optional(domain.map(shown))
        object["appointmentId"] = .optional(appointmentID.map(shown))
        object["query"] = .array(shownQuery.map(\.json))
        object["queryDigest"] = .optional(queryDigest?.hexadecimal)
        object["fields"] = fieldsJSON
        object["content"] = [
            "octets": .integer(contentOctets), "digest": .optional(contentDigest?.hexadecimal),
        ]
        object["status"] = .optional(status.map { Int($0) })
        object["reason"] = .optional(refusal?.rawValue)
        object["violations"] = .array(shownViolations.map(\.json))
        if details.violationsOmitted > 0 {
            object["violationsOmitted"] = .integer(details.violationsOmitted)
        }
        object["fault"] = details.fault?.json ?? .null
        if !details.readings.isEmpty {
            let departures = details.readings.map { ($0.id, JSONValue.string($0.value)) }
            object["readings"] = .object(JSONObject(departures))
        }
        object["idempotency"] = .optional(idempotency == .none ? nil : idempotency.rawValue)
        object["committed"] = .bool(committed)
        object["retryAfter"] = details.retryAfter?.json ?? .null
        object["answer"] = [
            "octets": .integer(answerOctets), "delivery": .string(delivery.rawValue),
        ]
        object["items"] = .optional(itemCount.map { Int($0) })
        object["paging"] = pagingJSON
        object["token"] = tokenJSON
        object["presigned"] = details.presigned.map { $0.json(guid: shown($0.guid)) } ?? .null
        if let flaw = details.uploadFlaw { object["uploadFlaw"] = .string(flaw.rawValue) }
        if let report = details.report {
            object["report"] = [
                "status": .string(report.status),
                "reportedAt": .optional(
                    report.reportedAt.map {
                        Timestamp.text($0.multipliedSaturated(by: 1_000_000_000))
                    }
                ),
            ]
        }
        object["uploadsIssued"] = .array(details.uploadsIssued.map { $0.json(guid: $0.guid) })
        object["connection"] = .integer(Int(connection))
        object["time"] = .string(Timestamp.text(wallTime))
        object["clockMoves"] = .integer(Int(clockMoves))
        object["interventions"] = .integer(Int(interventions))
        object["monotonicSeconds"] = [
            "arrival": .seconds(arrival), "firstOctet": .seconds(answerBegan),
            "lastOctet": .seconds(answerEnded),
        ]
        object["findings"] = .array(findings.names.map { .string($0) })
        if let content = details.requestContent {
            object["requestBody"] = .content(content)
        }
        if let content = details.answerContent {
            object["responseBody"] = .content(content)
        }
        return .object(object)
    }

    /// The operationId, or `token`, `upload`, `download`; `nil` for anything else.
    package var operationName: String? {
        switch kind {
        case .operation: operation
        case .token, .upload, .download: kind.rawValue
        case .other: nil
        }
    }

    /// What stands for a text that must not be repeated.
    private static let withheld = "(withheld)"

    /// Whether the URL holds, or may hold, what must not be repeated.
    package var isURLWithheld: Bool {
        !findings.isDisjoint(with: .inURL) || traits.contains(.unexamined)
    }

    /// A part of the URL, unless that holds what must not be repeated.
    private func shown(_ part: String) -> String { isURLWithheld ? Self.withheld : part }

    /// The path, unless the URL was found to hold what must not be repeated.
    package var shownPath: String { shown(path) }

    /// The correlation id, unless it was found to hold what must not be repeated.
    package var shownRequestID: String {
        let isWithheld =
            !findings.isDisjoint(with: .inRequestID) || traits.contains(.unexamined)
        return isWithheld ? Self.withheld : requestID
    }

    /// The query parameters; of those that the operation does not have, the names are the client's.
    package var shownQuery: [JournalDetails.QueryParameter] {
        guard isURLWithheld else { return details.query }
        return details.query.map { parameter in
            var parameter = parameter
            if !parameter.isKnown { parameter.name = Self.withheld }
            return parameter
        }
    }

    /// The rules that were broken, without what was sent where that must not be repeated.
    package var shownViolations: [JournalViolation] {
        guard isURLWithheld else { return details.violations }
        return details.violations.map { violation in
            var violation = violation
            if violation.location == "path" || violation.location == "query" {
                violation.sent = nil
                violation.message = Self.withheld
            }
            return violation
        }
    }

    /// The products of `User-Agent` (RFC 9110 §10.1.5), such as `curl/8.5.0`; comments and whatever
    /// else may stand there could be anything.
    package var shownUserAgent: String? {
        guard let userAgent else { return nil }
        let products = userAgent.split(separator: " ").prefix(8).filter(Self.isProduct)
        return products.isEmpty ? nil : products.joined(separator: " ")
    }

    /// Whether a word is a product's name and version, or one plain word.
    private static func isProduct(_ word: Substring) -> Bool {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        func isPlain(_ octet: UInt8) -> Bool {
            (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet & 0xDF)
        }
        guard parts.count == 2, let name = parts.first, let version = parts.last else {
            return false
        }
        return (1...40).contains(name.utf8.count) && (1...20).contains(version.utf8.count)
            && name.utf8.allSatisfy { isPlain($0) || $0 == 0x2D || $0 == 0x5F }
            && version.utf8.allSatisfy { isPlain($0) || [0x2B, 0x2D, 0x2E, 0x5F].contains($0) }
    }

    private var requestIDOrigin: String {
        traits.contains(.sentRequestID) && !traits.contains(.malformedRequestID)
            ? "client" : "mock"
    }

    private var fieldsJSON: JSONValue {
        var object = JSONObject()
        object["authorization"] = .bool(traits.contains(.authorization))
        object["contentLength"] = .bool(traits.contains(.contentLength))
        object["correlationId"] = .bool(traits.contains(.sentRequestID))
        object["prefer"] = .bool(traits.contains(.preference))
        object["contentType"] = .optional(details.contentType)
        object["userAgent"] = .optional(shownUserAgent)
        if let trace = details.traceParent { object["traceparent"] = .string(trace) }
        if let key = details.idempotencyKey {
            object["idempotencyKey"] = [
                "digest": .string(key.digest.hexadecimal), "wellFormed": .bool(key.isWellFormed),
                "count": .integer(Int(key.count)),
            ]
        } else {
            object["idempotencyKey"] = .null
        }
        return .object(object)
    }

    private var pagingJSON: JSONValue {
        let details = details
        guard
            details.skip != nil || details.take != nil || details.pageSize != nil
                || details.nextTokenSent != nil || details.nextTokenIssued != nil
        else { return .null }
        var object = JSONObject()
        if let size = details.pageSize { object["pageSize"] = .integer(Int(size)) }
        if let skip = details.skip { object["skip"] = .integer(Int(skip)) }
        if let take = details.take { object["take"] = .integer(Int(take)) }
        if let sent = details.nextTokenSent {
            object["nextTokenSent"] = [
                "digest": .string(sent.digest.hexadecimal), "form": .string(sent.form.rawValue),
            ]
        }
        if let issued = details.nextTokenIssued {
            object["nextTokenIssued"] = .string(issued.hexadecimal)
        }
        return .object(object)
    }

    private var tokenJSON: JSONValue {
        guard token != nil || tokenExpiry != nil || details.grant != nil else { return .null }
        return [
            "digest": .optional(token?.hexadecimal),
            "expiresAt": .optional(tokenExpiry.map { Timestamp.text(seconds: $0) }),
            "grant": .optional(details.grant?.rawValue),
        ]
    }
}

extension JSONValue {
    /// A string, or `null`.
    fileprivate static func optional(_ text: String?) -> JSONValue {
        text.map { .string($0) } ?? .null
    }

    /// An integer, or `null`.
    fileprivate static func optional(_ number: Int?) -> JSONValue {
        number.map { .integer($0) } ?? .null
    }

    /// Text as a string; what is no UTF-8 as `{"base64": …}`.
    fileprivate static func content(_ octets: [UInt8]) -> JSONValue {
        if let text = String(validating: octets, as: UTF8.self) { return .string(text) }
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
        )
        var output: [UInt8] = []
        output.reserveCapacity((octets.count + 2) / 3 * 4)
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = octets[start..<min(start + 3, octets.count)]
            var bits = 0
            for octet in group { bits = bits << 8 | Int(octet) }
            bits <<= 8 * (3 - group.count)
            for place in 0..<4 {
                let isPadding = place > group.count
                let digit = alphabet[bits >> (18 - 6 * place) & 63]
                output.append(isPadding ? UInt8(ascii: "=") : digit)
            }
        }
        return ["base64": .string(String(decoding: output, as: UTF8.self))]
    }

    /// Nanoseconds as seconds, to the microsecond.
    fileprivate static func seconds(_ nanoseconds: Int64?) -> JSONValue {
        guard let nanoseconds else { return .null }
        let seconds = (Double(nanoseconds / 1000) / 1_000_000)
        return JSONNumber(seconds).map { .number($0) } ?? .null
    }
}

extension JournalDetails.QueryParameter {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["name"] = .string(name)
        switch value {
        case .integer(let number): object["value"] = .integer(number)
        case .word(let word): object["value"] = .string(word)
        case .digest(let digest): object["digest"] = .string(digest.hexadecimal)
        }
        object["known"] = .bool(isKnown)
        return .object(object)
    }
}

extension JournalDetails.RetryAfter {
    fileprivate var json: JSONValue {
        if let nonsense { return ["seconds": 0, "form": "none", "sent": .string(nonsense)] }
        return ["seconds": .integer(seconds), "form": .string(date == nil ? "seconds" : "date")]
    }
}

extension JournalDetails.PresignedURL {
    /// - Parameter guid: As it may be shown.
    fileprivate func json(guid: String) -> JSONValue {
        [
            "guid": .string(guid),
            "expiresAt": .string(Timestamp.text(seconds: expiresAt)),
        ]
    }
}

extension JournalViolation {
    fileprivate var json: JSONValue {
        var object = JSONObject([
            ("in", .string(location)), ("name", .string(name)), ("keyword", .string(keyword)),
            ("message", .string(message)), ("contractPointer", .string(contractPointer)),
        ])
        object["sent"] = sent.map(JSONValue.string)
        return .object(object)
    }
}

extension JournalFault {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["rule"] = .string(rule)
        object["ordinal"] = .integer(ordinal)
        object["phase"] = .string(phase.rawValue)
        object["effects"] = .array(effects.names.map { .string($0) })
        if delay > 0 { object["delaySeconds"] = .seconds(delay) }
        if let sentOctets { object["sentOctets"] = .integer(sentOctets) }
        return .object(object)
    }
}

import Contract
import HTTPMessage
import JSON
import Journal
import OAuth
import Store

// What is said of requests that were refused for what they name or hold.

extension BrokenRules {
    // MARK: The contract, beyond schemas

    /// Rules between a body and the data, or the calendar, that no schema states.
    var unstated: [BrokenRule] {
        guard let appointment = entry.appointmentID, let domain = entry.domain else { return [] }
        var rules: [BrokenRule] = []
        func add(_ member: String, _ keyword: String, _ message: String, _ expected: JSONValue) {
            guard let pointer = bodyMember(member) else { return }
            rules.append(
                BrokenRule(
                    location: "body",
                    name: "/\(member)",
                    keyword: keyword,
                    message: message,
                    expected: expected,
                    pointer: pointer
                )
            )
        }
        if facts.records.patient(ofAppointment: appointment, in: domain) == nil {
            add(
                "commentType",
                "patient",
                "The appointment has no patient, so the comment must be one on the appointment.",
                ["AC", "AA"]
            )
        }
        let message = "A time must be within the years 0000 to 9999 in UTC."
        for member in ["commentDateTime", "reportedAtUtc"] {
            add(member, "format", message, "date-time")
        }
        return rules
    }

    var mediaType: BrokenRule {
        let contents = operation?.requestBody?.contents ?? []
        let sent = entry.details.contentType
        let isTaken = sent.flatMap { MediaRange($0) }.map { type in
            contents.contains { $0.range.contains(type) }
        }
        return BrokenRule(
            location: "header",
            name: "Content-Type",
            keyword: "content",
            message: isTaken == true
                ? "Send one Content-Type: with two, the content could be either."
                : "Send the content as one of these, and say so in Content-Type.",
            expected: .array(contents.map { .string($0.range.description) }),
            sent: sent,
            pointer: operation?.pointer.appending("requestBody").appending("content")
        )
    }

    var nextToken: BrokenRule {
        let message =
            switch entry.details.nextTokenSent?.form {
            case .issued: "It is too old: leave it out to start from the first page."
            case .null: "After a last page, whose nextToken is null, there is nothing to ask for."
            default:
                "Send the nextToken of the page before unchanged, with the same path and client, "
                    + "or leave it out for the first page."
            }
        return BrokenRule(
            location: "query",
            name: "nextToken",
            keyword: "next-token",
            message: message,
            pointer: parameter("nextToken")
        )
    }

    // MARK: Data

    /// The first thing named in the path that is not there.
    var missing: BrokenRule {
        let names = (operation?.parameters ?? []).filter { $0.location == .path }.map(\.name)
            .filter { $0 != "domain" }
        let domain = facts.sent("domain")
        let isThere = { (name: String) -> Bool in
            guard let domain, let value = facts.sent(name) else { return false }
            switch name {
            case "siteName": return facts.records.hasSite(value, in: domain)
            case "appointmentId":
                return facts.records.status(ofAppointment: value, in: domain) != nil
            default: return false
            }
        }
        let name = names.first { !isThere($0) } ?? names.last
        let sites =
            name == "siteName"
            ? domain.map { facts.records.sites(in: $0, allowed: facts.caller?.sites) } : nil
        return BrokenRule(
            location: "path",
            name: name,
            keyword: "not-found",
            message: sites == nil
                ? "Name one that is there, in this domain: lists answer their ids."
                : "Name a site of this domain.",
            expected: sites.map { .array($0.map(JSONValue.string)) } ?? .null,
            sent: name.flatMap(facts.sent),
            pointer: response(404)
        )
    }

    // MARK: Presigned transfers

    var uploadType: BrokenRule {
        let state = facts.way?["guid"].flatMap(facts.records.upload)
        return BrokenRule(
            location: "header",
            name: "Content-Type",
            keyword: "content-type",
            message: state?.promisedContentType == nil
                ? "Send one Content-Type: with two, the content could be either."
                : "Send the type that was announced for this upload, once and with the same parameters.",
            expected: (state?.promisedContentType).map(JSONValue.string) ?? .null,
            sent: entry.details.contentType,
            pointer: operation?.pointer.appending("requestBody")
        )
    }

    var range: BrokenRule {
        let octets = facts.way?["guid"].flatMap(facts.records.contentOctets)
        return BrokenRule(
            location: "header",
            name: "Range",
            keyword: "range",
            message: "Ask for bytes that are there: the content has as many as expected says.",
            expected: octets.map(JSONValue.integer) ?? .null,
            pointer: parameter("Range")
        )
    }
}

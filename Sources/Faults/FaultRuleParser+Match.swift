import JSON
import Suggestions

extension FaultRuleParser {
    static let matchMembers = [
        "operation", "tag", "method", "path", "domain", "client", "appointmentId", "attempt",
    ]

    /// What a rule without `match` is about.
    var anyPartnerOperation: FaultMatch {
        FaultMatch(operations: vocabulary.operations.map(\.isPartnerOperation))
    }

    /// Reads `match`: each name must be real, and together they must describe some request.
    mutating func match(_ value: JSONValue, at pointer: JSONPointer) -> FaultMatch? {
        guard let object = object(value, at: pointer) else { return nil }
        var match = anyPartnerOperation
        if object["operation"] != nil {
            match.operations = vocabulary.operations.map { _ in true }
        }
        let before = errors.count
        // Each member alone, in the order of the document.
        var allowed: [(pointer: JSONPointer, operations: Set<Int>)] = []
        for member in object.members {
            let here = pointer.appending(member.name)
            guard Self.matchMembers.contains(member.name) else {
                refuseForm(here)
                continue
            }
            if member.name == "attempt" {
                match.attempt = choice(member.value, at: here, as: FaultMatch.Attempt.self)
                continue
            }
            guard let text = string(member.value, at: here) else { continue }
            switch member.name {
            case "domain": match.domain = text
            case "client": match.client = text
            case "method": match.method = text
            case "appointmentId": match.appointmentId = text
            default: break
            }
            if let operations = operations(with: text, as: member.name, at: here) {
                allowed.append((here, operations))
            }
        }
        guard errors.count == before else { return nil }
        // Then together; what the operation is, is said first.
        let order = Self.matchMembers
        allowed.sort { left, right in
            order.firstIndex(of: left.pointer.tokens.last ?? "") ?? 0
                < order.firstIndex(of: right.pointer.tokens.last ?? "") ?? 0
        }
        for (here, operations) in allowed {
            let rest = match.operations.indices.map {
                match.operations[$0] && operations.contains($0)
            }
            guard rest.contains(true) else {
                refuse(here, contradiction(at: here, in: match, object))
                return nil
            }
            match.operations = rest
        }
        return match
    }

    /// The operations that a member of `match` allows, or `nil` where its name is no real one.
    private mutating func operations(
        with text: String,
        as member: String,
        at pointer: JSONPointer
    ) -> Set<Int>? {
        let all = vocabulary.operations
        func indices(where allows: (MatchVocabulary.Operation) -> Bool) -> Set<Int> {
            Set(all.indices.filter { allows(all[$0]) })
        }
        switch member {
        case "operation":
            if let index = vocabulary.index(ofOperation: text) { return [index] }
            let nearest = vocabulary.nearestOperation(to: text)
            refuseName(pointer, "operation", nearest: nearest, of: all.map(\.id))
        case "tag":
            let found = indices { $0.tag == text }
            if !found.isEmpty { return found }
            refuseName(pointer, "tag", text, among: all.compactMap(\.tag))
        case "method":
            let found = indices { $0.methods.contains(text) }
            if !found.isEmpty { return found }
            refuseName(pointer, "method", text, among: all.flatMap(\.methods))
        case "path":
            let found = vocabulary.operations(atPath: text)
            if !found.isEmpty { return Set(found) }
            let nearest = vocabulary.nearestPath(to: text)
            refuseName(pointer, "path template", nearest: nearest, of: all.flatMap(\.paths))
        case "domain":
            if vocabulary.domains.contains(text) { return indices(where: \.knowsDomain) }
            refuseName(pointer, "domain", text, among: vocabulary.domains)
        case "client":
            if vocabulary.clients.contains(text) { return indices(where: \.knowsClient) }
            refuseName(pointer, "client", text, among: vocabulary.clients)
        default: return indices(where: \.knowsAppointment)
        }
        return nil
    }

    private mutating func refuseName(
        _ pointer: JSONPointer,
        _ kind: String,
        _ name: String,
        among names: [String]
    ) {
        let nearest = NameSuggestions.nearest(to: name, among: names).first
        refuseName(pointer, kind, nearest: nearest, of: names)
    }

    /// Refuses a name that is no real one: with the one that was probably meant, else with all.
    private mutating func refuseName(
        _ pointer: JSONPointer,
        _ kind: String,
        nearest: String?,
        of names: [String]
    ) {
        if let nearest {
            refuse(pointer, "No such \(kind). The nearest is `\(nearest)`.")
            return
        }
        var listed: Set<String> = []
        let distinct = names.filter { listed.insert($0).inserted }
        refuse(pointer, "No such \(kind); there are \(Self.list(distinct)).")
    }

    /// Why nothing is left once a member is heeded too.
    private func contradiction(
        at pointer: JSONPointer,
        in match: FaultMatch,
        _ object: JSONObject
    ) -> String {
        let member = pointer.tokens.last ?? ""
        let left = match.operations.indices.filter { match.operations[$0] }
            .map { vocabulary.operations[$0] }
        guard let only = left.first, left.count == 1 else {
            if object["operation"] == nil, left.allSatisfy(\.isPartnerOperation) {
                return "Never matches: no API operation has this `\(member)` together with the "
                    + "other members. `token`, `upload` and `download` match by `operation` only."
            }
            return "Never matches: no operation has this `\(member)` and the other members."
        }
        let fact =
            switch member {
            case "tag": only.tag.map { "has the tag `\($0)`" } ?? "has no tag"
            case "method":
                "has the method \(only.methods.map { "`\($0)`" }.joined(separator: " or "))"
            case "path": "has the path `\(only.paths.first ?? "")`"
            case "domain": "is not about one domain"
            case "client": "names no client"
            default: "is not about one appointment"
            }
        return "Never matches: `\(only.id)` \(fact)."
    }
}

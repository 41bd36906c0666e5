package import HTTPMessage
import Suggestions

/// A path that a client may have meant.
package struct PathSuggestion: Hashable, Sendable {
    /// The template, with the client's own segments where they are harmless to repeat.
    package let path: String
    /// The `operationId` of what is there.
    package let operationID: String
    package let method: HTTPMethod

    package init(path: String, operationID: String, method: HTTPMethod) {
        self.path = path
        self.operationID = operationID
        self.method = method
    }
}

/// Finds the templates that an unknown path is nearest to.
///
/// Segments are aligned as letters are in a spelling checker: a slip in a literal segment costs its
/// edits, an empty segment one, a missing or superfluous one more. A missing or wrong beginning
/// (`/v1/acme/sites`) counts as one slip.
struct PathSuggestions: Sendable {
    private enum Cost {
        static let emptySegment = 1
        static let missingLiteral = 2
        static let missingParameter = 3
        static let superfluousSegment = 3
        static let wrongBeginning = 2
        static let replacedBeginning = 3
        static let otherMethod = 1
        /// Something that the parameter would refuse stands in its place.
        static let invalidParameter = 1
        /// Something that is nearly a literal segment stands in the place of a parameter.
        static let mistypedLiteral = 1
        /// What costs more is not a slip but another path.
        static let maximum = 3
    }

    /// An alignment of the client's segments with those of a template.
    private struct Alignment {
        var cost: Int
        /// Literal segments that the client did send, spelled right or nearly so.
        var literals: Int
        /// What the path should have been, last segment first.
        var reversed: [String]

        static func better(_ left: Alignment?, _ right: Alignment?) -> Alignment? {
            guard let left else { return right }
            guard let right else { return left }
            return (right.cost, -right.literals) < (left.cost, -left.literals) ? right : left
        }

        /// This alignment with one more segment before it.
        func adding(_ cost: Int, _ text: String?, isLiteral: Bool = false) -> Alignment {
            var alignment = self
            alignment.cost += cost
            if isLiteral { alignment.literals += 1 }
            if let text { alignment.reversed.append(text) }
            return alignment
        }
    }

    private static let maximumSuggestions = 3
    /// Longer paths are nobody's slip, and would only cost time.
    private static let maximumSegments = 24
    /// How many segments before the path proper (`/api/v2`) may be too many.
    private static let maximumDropped = 2

    private let targets: [(operation: Operation, template: [PathTemplate.Segment])]
    private let router: Router
    private let decoder: ParameterDecoder
    /// Every literal segment of the contract: none of them was meant as the value of a parameter.
    private let literals: Set<String>

    init(operations: [Operation], router: Router, schemas: SchemaSet) {
        targets = operations.compactMap { operation in
            PathTemplate(operation.pathTemplate).map { (operation, $0.segments) }
        }
        self.router = router
        decoder = ParameterDecoder(schemas: schemas)
        var literals: Set<String> = []
        for target in targets {
            for case .literal(let text) in target.template { literals.insert(text) }
        }
        self.literals = literals
    }

    /// Up to three suggestions, the nearest first; only those that are equally near.
    func nearest(to path: ArraySlice<UInt8>, method: HTTPMethod) -> [PathSuggestion] {
        guard path.first == UInt8(ascii: "/"), path.count <= 2_048 else { return [] }
        let segments = path.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard segments.count <= Self.maximumSegments else { return [] }
        let slips = Set(segments.filter(isSlip))
        var found: [(cost: Int, suggestion: PathSuggestion)] = []
        for (operation, template) in targets {
            guard let alignment = align(segments, with: template, of: operation, slips: slips),
                alignment.literals > 0
            else { continue }
            let suits =
                operation.method == method || (method == .head && operation.method == .get)
            let cost = alignment.cost + (suits ? 0 : Cost.otherMethod)
            guard alignment.cost > 0, cost <= Cost.maximum else { continue }
            let path = "/" + alignment.reversed.reversed().joined(separator: "/")
            // What a literal sibling would take is no way to get there.
            guard
                case .operation(operation.index, _) = router.find(
                    operation.method,
                    Array(path.utf8)
                )
            else { continue }
            if found.contains(where: { $0.suggestion.path == path && $0.cost <= cost }) { continue }
            found.append(
                (
                    cost,
                    PathSuggestion(path: path, operationID: operation.id, method: operation.method)
                )
            )
        }
        guard let best = found.map(\.cost).min() else { return [] }
        return found.filter { $0.cost == best }.prefix(Self.maximumSuggestions).map(\.suggestion)
    }

    /// Whether a segment is nearly a literal one, so that it was hardly meant as a parameter's value.
    private func isSlip(_ segment: String) -> Bool {
        let count = segment.utf8.count
        guard count > Self.longestShortWord else { return false }
        return literals.contains { literal in
            abs(literal.utf8.count - count) <= 2 && literal.utf8.count > Self.longestShortWord
                && EditDistance.between(segment.lowercased().utf8, literal.utf8)
                    <= EditDistance.allowed(for: literal.utf8.count)
        }
    }

    /// Shorter words are near to too many others.
    private static let longestShortWord = 4

    /// The cheapest alignment, the beginning treated as one.
    private func align(
        _ sent: [String],
        with template: [PathTemplate.Segment],
        of operation: Operation,
        slips: Set<String>
    ) -> Alignment? {
        let literals = template.prefix { if case .literal = $0 { true } else { false } }
        // What differs too much in length need not be looked at.
        let length = sent.count { !$0.isEmpty }
        guard length <= template.count + Self.maximumDropped + 1,
            length + literals.count + 1 >= template.count
        else { return nil }
        let aligner = Aligner(sent: sent, template: template) { text, name in
            replacement(for: text, of: name, in: operation).map { found in
                (found.cost + (slips.contains(text) ? Cost.mistypedLiteral : 0), found.text)
            }
        }
        var best: Alignment?
        for dropped in 0...min(Self.maximumDropped, sent.count) {
            for missing in 0...literals.count {
                let cost =
                    switch (dropped, missing) {
                    case (0, 0): 0
                    case (0, _), (_, 0): Cost.wrongBeginning
                    default: Cost.replacedBeginning
                    }
                let budget = (best?.cost ?? Cost.maximum) - cost
                guard var rest = aligner.align(dropped, missing, within: budget) else { continue }
                rest.cost += cost
                rest.reversed += template.prefix(missing).map(Self.text).reversed()
                best = Alignment.better(best, rest)
            }
        }
        return best
    }

    /// What to show for a segment that stands where a parameter belongs, and what that costs; `nil`
    /// where it belongs elsewhere.
    private func replacement(
        for text: String,
        of name: String,
        in operation: Operation
    ) -> (cost: Int, text: String)? {
        guard !literals.contains(text),
            let parameter = operation.parameters.first(where: { $0.name == name })
        else { return nil }
        guard let value = EncodedText.decode(Array(text.utf8)[...], plusIsSpace: false) else {
            return (Cost.invalidParameter, "{\(name)}")
        }
        var violations: [Violation] = []
        _ = decoder.value(of: value, for: parameter, violations: &violations)
        if !violations.isEmpty { return (Cost.invalidParameter, "{\(name)}") }
        return (0, Self.isHarmless(text) ? text : "{\(name)}")
    }

    /// Whether a segment is a plain identifier, short and of unreserved characters.
    private static func isHarmless(_ segment: String) -> Bool {
        segment.utf8.count <= 64
            && segment.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }

    private static func text(of segment: PathTemplate.Segment) -> String {
        switch segment {
        case .literal(let text): text
        case .parameter(let name): "{\(name)}"
        }
    }

    /// Aligns the end of a path with the end of a template.
    ///
    /// Nearly every step costs something, so that the budget is soon spent: no table is needed.
    private struct Aligner {
        let sent: [String]
        let template: [PathTemplate.Segment]
        /// What stands for a segment in the place of a named parameter.
        let replacement: (String, String) -> (cost: Int, text: String)?

        /// The cheapest alignment of what is left; `nil` where it costs more than the budget.
        func align(_ position: Int, _ place: Int, within budget: Int) -> Alignment? {
            if budget < 0 { return nil }
            if position == sent.count, place == template.count {
                return Alignment(cost: 0, literals: 0, reversed: [])
            }
            var best: Alignment?
            if position < sent.count, place < template.count,
                let (cost, text, isLiteral) = pair(sent[position], template[place])
            {
                best = align(position + 1, place + 1, within: budget - cost)
                    .map { $0.adding(cost, text, isLiteral: isLiteral) }
            }
            if place < template.count {
                // The template's segment is missing.
                let cost =
                    if case .literal = template[place] {
                        Cost.missingLiteral
                    } else {
                        Cost.missingParameter
                    }
                let rest = align(position, place + 1, within: budget - cost)
                    .map { $0.adding(cost, PathSuggestions.text(of: template[place])) }
                best = Alignment.better(best, rest)
            }
            if position < sent.count {
                // The client's segment is one too many.
                let cost = sent[position].isEmpty ? Cost.emptySegment : Cost.superfluousSegment
                let rest = align(position + 1, place, within: budget - cost)
                    .map { $0.adding(cost, nil) }
                best = Alignment.better(best, rest)
            }
            return best
        }

        /// What it costs to take the client's segment for the template's; `nil` where that is no
        /// slip.
        private func pair(
            _ sent: String,
            _ segment: PathTemplate.Segment
        ) -> (cost: Int, text: String, isLiteral: Bool)? {
            if sent.isEmpty { return nil }
            switch segment {
            case .parameter(let name):
                return replacement(sent, name).map { ($0.cost, $0.text, false) }
            case .literal(let literal):
                if sent == literal { return (0, literal, true) }
                // The beginning of a word is an abbreviation: `bill` for `billing`.
                if sent.utf8.count >= 3, literal.hasPrefix(sent.lowercased()) {
                    return (1, literal, true)
                }
                guard abs(sent.utf8.count - literal.utf8.count) <= 2 else { return nil }
                let distance = EditDistance.between(
                    sent.lowercased().utf8,
                    literal.lowercased().utf8
                )
                guard distance <= EditDistance.allowed(for: literal.utf8.count) else { return nil }
                return (max(distance, 1), literal, true)
            }
        }
    }
}

package import JSON
import Suggestions

/// The edges that rules can name.
package struct EdgeCatalogue: Sendable {
    /// What is wrong with the files.
    package struct Fault: Error, Equatable {
        /// Begins with the place of the file among them.
        package let pointer: JSONPointer
        package let reason: String
    }

    /// In the order of their names.
    package let edges: [Edge]

    /// No edges at all.
    package static let none = EdgeCatalogue(edges: [])

    private init(edges: [Edge]) { self.edges = edges }

    /// Reads the files.
    ///
    /// - Parameter documents: One object for each file.
    /// - Throws: The first fault.
    package init(_ documents: [JSONValue]) throws(Fault) {
        var edges: [Edge] = []
        for (index, document) in documents.enumerated() {
            let place = JSONPointer([String(index)])
            let edge = try Self.edge(document, at: place)
            if edges.contains(where: { $0.name == edge.name }) {
                throw Fault(pointer: place.appending("name"), reason: "stands here twice")
            }
            edges.append(edge)
        }
        self.edges = edges
    }

    package subscript(name: String) -> Edge? { edges.first { $0.name == name } }

    /// The name most like one that there is not.
    func nearest(to name: String) -> String? {
        NameSuggestions.nearest(to: name, among: edges.map(\.name)).first
    }

    // MARK: - Files

    private static func edge(_ value: JSONValue, at place: JSONPointer) throws(Fault) -> Edge {
        let operations = try texts("operations", in: value, at: place)
        let known = ["token", "upload", "download"]
        if let operations, operations.isEmpty || !operations.allSatisfy(known.contains) {
            throw Fault(
                pointer: place.appending("operations"),
                reason: "must name some of \(known.joined(separator: ", "))"
            )
        }
        // The only word: a file that knew more would need another place.
        guard value["provenance"]?.string == "inferred" else {
            throw Fault(pointer: place.appending("provenance"), reason: "must be inferred")
        }
        let sources = try texts("sources", in: value, at: place) ?? []
        if sources.isEmpty {
            throw Fault(pointer: place.appending("sources"), reason: "must name some")
        }
        var answers: [Edge.Answer] = []
        for (index, item) in (value["answers"]?.array ?? []).enumerated() {
            let place = place.appending("answers").appending(index)
            let answer = try Self.answer(item, at: place)
            if answers.contains(where: { $0.status == answer.status }) {
                throw Fault(pointer: place.appending("status"), reason: "stands here twice")
            }
            answers.append(answer)
        }
        if answers.isEmpty {
            throw Fault(pointer: place.appending("answers"), reason: "must hold some")
        }
        return Edge(
            name: try text("name", in: value, at: place),
            title: try text("title", in: value, at: place),
            about: try text("about", in: value, at: place),
            operations: operations,
            sources: sources,
            answers: answers
        )
    }

    private static func answer(
        _ value: JSONValue,
        at place: JSONPointer
    ) throws(Fault) -> Edge.Answer {
        guard let status = value["status"]?.int, status == 200 || 400...599 ~= status else {
            throw Fault(pointer: place.appending("status"), reason: "must be 200, or 400 to 599")
        }
        var fields: [Edge.Field] = []
        for member in value["fields"]?.object?.members ?? [] {
            guard let text = member.value.string,
                (member.name + text).utf8.allSatisfy({ 0x20...0x7E ~= $0 })
            else {
                throw Fault(
                    pointer: place.appending("fields").appending(member.name),
                    reason: "must be visible ASCII"
                )
            }
            fields.append(Edge.Field(name: member.name, value: text))
        }
        return Edge.Answer(
            status: status,
            meaning: try text("meaning", in: value, at: place),
            fields: fields,
            content: try text("content", in: value, at: place)
        )
    }

    private static func text(
        _ name: String,
        in value: JSONValue,
        at place: JSONPointer
    ) throws(Fault) -> String {
        guard let text = value[name]?.string, !text.isEmpty else {
            throw Fault(pointer: place.appending(name), reason: "must be a text")
        }
        return text
    }

    /// An array of texts; `nil` where it is left out.
    private static func texts(
        _ name: String,
        in value: JSONValue,
        at place: JSONPointer
    ) throws(Fault) -> [String]? {
        guard let value = value[name] else { return nil }
        let texts = (value.array ?? []).compactMap(\.string)
        guard let count = value.array?.count, count == texts.count else {
            throw Fault(pointer: place.appending(name), reason: "must be an array of texts")
        }
        return texts
    }
}

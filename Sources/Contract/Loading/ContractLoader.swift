import HTTPMessage
import JSON

/// Reads an OpenAPI 3.1 document and compiles it, refusing what could not be enforced.
struct ContractLoader {
    /// A loaded contract.
    struct Loaded {
        let operations: [Operation]
        let unroutedResponses: [ResponseRule]
        let schemas: SchemaSet
        let router: Router
        let positions: [String: Int]
    }

    /// An operation whose parameters are not compiled yet; document order is kept.
    private struct PathItem {
        let template: PathTemplate
        let operations: [(method: HTTPMethod, value: JSONValue, location: DocumentLocation)]
        let parameters: [(value: JSONValue, location: DocumentLocation)]
    }

    private let document: JSONValue
    private var schemas: SchemaCompiler
    private var parameters: [String: ParameterDraft] = [:]
    private var responses: [String: ResponseRule] = [:]
    private var headers: [String: ResponseRule.Header] = [:]
    /// `x-refuse-unknown-parameters`, for every operation.
    private var refusesUnknownParameters = false

    private static let methods: [String: HTTPMethod] = [
        "get": .get, "head": .head, "post": .post, "put": .put, "delete": .delete,
        "options": .options, "trace": .trace, "patch": .patch,
    ]

    init(document: JSONValue) throws(ContractError) {
        self.document = document
        schemas = SchemaCompiler(document: document)
    }

    mutating func load() throws(ContractError) -> Loaded {
        let root = try ContractObject(document, at: .root)
        try root.refuseOthers([
            "openapi", "info", "servers", "tags", "security", "paths", "components",
            "externalDocs", "jsonSchemaDialect",
        ])
        guard try root.required("openapi").string?.hasPrefix("3.1.") == true else {
            throw ContractError(
                .wrongValue(expected: "a version 3.1.x"),
                at: root.location.appending("openapi").pointer
            )
        }
        let components = try root.object("components")
        try compileSchemas(of: components, root: root)
        let schemes = Set(
            try components?.object("securitySchemes")?.members.map(\.name) ?? []
        )
        let defaultSecurity = try security(of: root, schemes: schemes)
        refusesUnknownParameters = try root.bool("x-refuse-unknown-parameters") ?? false

        guard let paths = try root.object("paths") else {
            throw ContractError(.missingMember("paths"), at: root.location.pointer)
        }
        var drafts: [OperationDraft] = []
        for member in paths.members where !member.name.hasPrefix("x-") {
            let item = try pathItem(member, at: paths.location.appending(member.name))
            for operation in item.operations {
                drafts.append(
                    try draft(
                        operation,
                        of: item,
                        schemes: schemes,
                        defaultSecurity: defaultSecurity
                    )
                )
            }
        }
        let unrouted =
            try root.object("x-unrouted-responses").map { (object) throws(ContractError) in
                try self.rules(object)
            } ?? []
        let set = try schemas.finish()
        return try assemble(drafts, unrouted: unrouted, set: set, prefixes: prefixes(of: root))
    }

    private func prefixes(of root: ContractObject) throws(ContractError) -> [String] {
        let prefixes = try root.strings("x-path-prefixes") ?? []
        for prefix in prefixes where PathTemplate(prefix)?.parameterNames.isEmpty != true {
            throw ContractError(
                .wrongValue(expected: "paths without parameters"),
                at: root.location.appending("x-path-prefixes").pointer
            )
        }
        return prefixes
    }

    /// Compiles the schemas that are asked for by name, whether or not an operation uses them.
    private mutating func compileSchemas(
        of components: ContractObject?,
        root: ContractObject
    ) throws(ContractError) {
        try components?.refuseOthers([
            "schemas", "responses", "parameters", "examples", "requestBodies", "headers",
            "securitySchemes",
        ])
        for object in [try components?.object("schemas"), try root.object("x-fixture-schemas")] {
            guard let object else { continue }
            for member in object.members {
                let location = object.location.appending(member.name)
                _ = try schemas.compile(
                    reference: "#" + location.pointer.description,
                    from: location
                )
            }
        }
    }

    // MARK: - Paths and operations

    private func pathItem(
        _ member: JSONObject.Member,
        at location: DocumentLocation
    ) throws(ContractError) -> PathItem {
        guard let template = PathTemplate(member.name) else {
            throw ContractError(.wrongValue(expected: "a path template"), at: location.pointer)
        }
        let item = try ContractObject(member.value, at: location)
        try item.refuseOthers(
            ["summary", "description", "parameters"] + Array(Self.methods.keys)
        )
        var operations: [(HTTPMethod, JSONValue, DocumentLocation)] = []
        for member in item.members {
            guard let method = Self.methods[member.name] else { continue }
            operations.append((method, member.value, location.appending(member.name)))
        }
        return PathItem(
            template: template,
            operations: operations,
            parameters: try elements("parameters", item)
        )
    }

    private func elements(
        _ name: String,
        _ object: ContractObject
    ) throws(ContractError) -> [(value: JSONValue, location: DocumentLocation)] {
        guard let value = object[name] else { return [] }
        let location = object.location.appending(name)
        guard let array = value.array else {
            throw ContractError(.wrongValue(expected: "an array"), at: location.pointer)
        }
        return array.enumerated().map { ($0.element, location.appending($0.offset)) }
    }

    private mutating func draft(
        _ entry: (method: HTTPMethod, value: JSONValue, location: DocumentLocation),
        of item: PathItem,
        schemes: Set<String>,
        defaultSecurity: Bool?
    ) throws(ContractError) -> OperationDraft {
        let object = try ContractObject(entry.value, at: entry.location)
        try object.refuseOthers([
            "operationId", "tags", "summary", "description", "parameters", "requestBody",
            "responses", "security", "deprecated", "externalDocs",
        ])
        var drafts: [ParameterDraft] = []
        for (value, location) in try elements("parameters", object) + item.parameters {
            let isOwn = location.parent?.parent === object.location
            let draft = try parameter(value, at: location)
            if drafts.contains(where: { $0.name == draft.name }) {
                // An operation may replace a parameter of its path item; anything else is a slip.
                if !isOwn { continue }
                throw ContractError(.duplicateParameter(draft.name), at: location.pointer)
            }
            drafts.append(draft)
        }
        let aliases = try object.strings("x-path-aliases") ?? []
        return OperationDraft(
            object: object,
            template: item.template,
            aliases: try aliases.map { (text) throws(ContractError) in
                try alias(text, of: item.template, at: object.location)
            },
            method: entry.method,
            parameters: try ordered(drafts, for: item.template, at: object.location),
            requestBody: try requestBody(of: object),
            responses: try object.object("responses").map { (object) throws(ContractError) in
                try self.rules(object)
            } ?? [],
            requiresToken: try security(of: object, schemes: schemes) ?? defaultSecurity ?? false,
            refusesUnknownParameters: refusesUnknownParameters
        )
    }

    private func alias(
        _ text: String,
        of template: PathTemplate,
        at location: DocumentLocation
    ) throws(ContractError) -> PathTemplate {
        guard let alias = PathTemplate(text), alias.parameterNames == template.parameterNames else {
            throw ContractError(
                .wrongValue(expected: "templates with the same parameters in the same order"),
                at: location.appending("x-path-aliases").pointer
            )
        }
        return alias
    }

    /// Path parameters in the order of the template, then the others.
    private func ordered(
        _ drafts: [ParameterDraft],
        for template: PathTemplate,
        at location: DocumentLocation
    ) throws(ContractError) -> [ParameterDraft] {
        let names = template.parameterNames
        guard names.count <= PathMatch.maximumCaptures, drafts.count <= 64 else {
            throw ContractError(.unsupported("too many parameters"), at: location.pointer)
        }
        var ordered: [ParameterDraft] = []
        for name in names {
            guard let draft = drafts.first(where: { $0.location == .path && $0.name == name }),
                !ordered.contains(where: { $0.name == name })
            else { throw ContractError(.unmatchedPathParameter(name), at: location.pointer) }
            ordered.append(draft)
        }
        for draft in drafts where draft.location == .path && !names.contains(draft.name) {
            throw ContractError(.unmatchedPathParameter(draft.name), at: location.pointer)
        }
        return ordered + drafts.filter { $0.location != .path }
    }

    /// Whether a bearer token is asked for; `nil` where the object says nothing of it.
    private func security(
        of object: ContractObject,
        schemes: Set<String>
    ) throws(ContractError) -> Bool? {
        guard object["security"] != nil else { return nil }
        let entries = try elements("security", object)
        var isRequired = !entries.isEmpty
        for (value, location) in entries {
            let entry = try ContractObject(value, at: location)
            if entry.members.isEmpty { isRequired = false }
            for member in entry.members where !schemes.contains(member.name) {
                throw ContractError(
                    .unresolvedReference(member.name),
                    at: location.pointer
                )
            }
        }
        return isRequired
    }

    // MARK: - Parameters

    private mutating func parameter(
        _ value: JSONValue,
        at location: DocumentLocation
    ) throws(ContractError) -> ParameterDraft {
        let reference = value["$ref"]?.string
        if let reference, let known = parameters[reference] { return known }
        let (value, location) = try References.follow(value, in: document, at: location)
        let draft = try ParameterDraft(value, at: location, schemas: &schemas)
        if let reference { parameters[reference] = draft }
        return draft
    }

    // MARK: - Contents

    private mutating func requestBody(of object: ContractObject) throws(ContractError)
        -> RequestBody?
    {
        guard let value = object["requestBody"] else { return nil }
        let (target, location) = try References.follow(
            value,
            in: document,
            at: object.location.appending("requestBody")
        )
        let body = try ContractObject(target, at: location)
        try body.refuseOthers(["description", "required", "content"])
        return RequestBody(
            isRequired: try body.bool("required") ?? false,
            contents: try contents(of: body)
        )
    }

    private mutating func contents(of object: ContractObject) throws(ContractError)
        -> [MediaContent]
    {
        guard let content = try object.object("content") else { return [] }
        var contents: [MediaContent] = []
        for member in content.members {
            let location = content.location.appending(member.name)
            guard let range = MediaRange(member.name) else {
                throw ContractError(.wrongValue(expected: "a media type"), at: location.pointer)
            }
            let entry = try ContractObject(member.value, at: location)
            try entry.refuseOthers(["schema", "example", "examples"])
            let schema = try entry["schema"].map { (value) throws(ContractError) in
                try schemas.compile(value, at: location.appending("schema"))
            }
            let example =
                entry["example"] ?? entry["examples"]?.object?.members.first?.value["value"]
            contents.append(MediaContent(range: range, example: example, schemaIndex: schema))
        }
        return contents
    }

    // MARK: - Responses

    private mutating func rules(_ object: ContractObject) throws(ContractError) -> [ResponseRule] {
        var rules: [ResponseRule] = []
        for member in object.members where !member.name.hasPrefix("x-") {
            let location = object.location.appending(member.name)
            guard let statuses = Self.statuses(member.name) else {
                throw ContractError(.wrongValue(expected: "a status code"), at: location.pointer)
            }
            rules.append(try rule(member.value, statuses, at: location))
        }
        return rules
    }

    private static func statuses(_ text: String) -> ResponseRule.Statuses? {
        if text == "default" { return .others }
        guard text.utf8.count == 3 else { return nil }
        if text.hasSuffix("XX"), let hundred = Int(text.prefix(1)), 1...5 ~= hundred {
            return .hundred(hundred)
        }
        guard let code = Int(text), 100...599 ~= code else { return nil }
        return .exactly(code)
    }

    private mutating func rule(
        _ value: JSONValue,
        _ statuses: ResponseRule.Statuses,
        at location: DocumentLocation
    ) throws(ContractError) -> ResponseRule {
        let reference = value["$ref"]?.string
        if let reference, let known = responses[reference] {
            return ResponseRule(
                statuses: statuses,
                headers: known.headers,
                contents: known.contents,
                documentLocation: known.documentLocation
            )
        }
        let (value, location) = try References.follow(value, in: document, at: location)
        let object = try ContractObject(value, at: location)
        try object.refuseOthers(["description", "headers", "content"])
        let rule = ResponseRule(
            statuses: statuses,
            headers: try headers(of: object),
            contents: try contents(of: object),
            documentLocation: location
        )
        if let reference { responses[reference] = rule }
        return rule
    }

    private mutating func headers(of object: ContractObject) throws(ContractError)
        -> [ResponseRule.Header]
    {
        guard let described = try object.object("headers") else { return [] }
        var headers: [ResponseRule.Header] = []
        for member in described.members {
            headers.append(
                try header(member, at: described.location.appending(member.name))
            )
        }
        return headers
    }

    private mutating func header(
        _ member: JSONObject.Member,
        at location: DocumentLocation
    ) throws(ContractError) -> ResponseRule.Header {
        let reference = member.value["$ref"]?.string
        if let reference, let known = headers[reference] { return known.named(member.name) }
        let (value, location) = try References.follow(member.value, in: document, at: location)
        let object = try ContractObject(value, at: location)
        try object.refuseOthers([
            "description", "required", "schema", "example", "examples", "deprecated",
        ])
        let schema = try schemas.compile(
            try object.required("schema"),
            at: location.appending("schema")
        )
        let header = ResponseRule.Header(
            name: member.name,
            isRequired: try object.bool("required") ?? false,
            schemaIndex: schema,
            documentLocation: location
        )
        if let reference { headers[reference] = header }
        return header
    }

    // MARK: - Putting it together

    private func assemble(
        _ drafts: [OperationDraft],
        unrouted: [ResponseRule],
        set: SchemaSet,
        prefixes: [String]
    ) throws(ContractError) -> Loaded {
        var shared: [ObjectIdentifier: Parameter] = [:]
        var operations: [Operation] = []
        var positions: [String: Int] = [:]
        var router = RouterBuilder()
        for draft in drafts {
            var parameters: [Parameter] = []
            for draft in draft.parameters {
                let key = ObjectIdentifier(draft.documentLocation)
                let parameter: Parameter
                if let known = shared[key] {
                    parameter = known
                } else {
                    parameter = try draft.finish(set: set)
                    shared[key] = parameter
                }
                parameters.append(parameter)
            }
            let operation = try draft.finish(index: operations.count, parameters: parameters)
            if positions.updateValue(operation.index, forKey: operation.id) != nil {
                throw ContractError(
                    .duplicateOperationID(operation.id),
                    at: draft.object.location.pointer
                )
            }
            for template in [draft.template] + draft.aliases {
                if !router.add(template, draft.method, operation: operation.index) {
                    throw ContractError(
                        .duplicateRoute("\(draft.method.rawValue) \(template.text)"),
                        at: draft.object.location.pointer
                    )
                }
            }
            operations.append(operation)
        }
        return Loaded(
            operations: operations,
            unroutedResponses: unrouted,
            schemas: set,
            router: router.finish(prefixes: prefixes),
            positions: positions
        )
    }
}

package import HTTPMessage
package import JSON

/// The contract: an OpenAPI 3.1 document, compiled into a router and validators.
///
/// Everything is decided when it is loaded, and what the engine could not enforce is refused then.
/// Afterwards nothing changes, so that one contract serves every worker.
package final class OpenAPIContract: Sendable {
    /// The whole document.
    package let document: JSONValue
    /// The operations in document order; each knows its `index` here.
    package let operations: [Operation]
    /// `x-unrouted-responses`: answers to requests that reach no operation (404, 405, 414, …).
    package let unroutedResponses: [ResponseRule]

    private let schemas: SchemaSet
    private let router: Router
    private let positions: [String: Int]
    private let pathSuggestions: PathSuggestions

    /// Loads a document.
    ///
    /// - Throws: `ContractError` with the pointer to the first thing that cannot be honoured.
    package init(document: JSONValue) throws(ContractError) {
        var loader = try ContractLoader(document: document)
        let loaded = try loader.load()
        self.document = document
        operations = loaded.operations
        unroutedResponses = loaded.unroutedResponses
        schemas = loaded.schemas
        router = loaded.router
        positions = loaded.positions
        pathSuggestions = PathSuggestions(
            operations: operations,
            router: router,
            schemas: schemas
        )
    }

    /// Loads a document from its JSON text.
    ///
    /// - Throws: `ContractError`, also where the text is not JSON.
    package convenience init(octets: some Collection<UInt8>) throws(ContractError) {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONParser.parse(octets)
        } catch {
            throw ContractError(.malformedJSON(error), at: error.pointer)
        }
        try self.init(document: document)
    }

    // MARK: - Operations

    /// The operation with this `operationId`, spelled exactly.
    package func operation(id: String) -> Operation? { positions[id].map { operations[$0] } }

    /// The operation with this `operationId` in any case.
    package func operation(anyCase id: String) -> Operation? {
        let wanted = id.lowercased()
        return operation(id: id) ?? operations.first { $0.id.lowercased() == wanted }
    }

    // MARK: - Routing

    /// Finds the operation for a request.
    ///
    /// `x-path-prefixes` are stripped, `x-path-aliases` honoured, HEAD matches GET. Literal
    /// segments win, and are compared after percent-decoding; trailing slashes, empty and dot
    /// segments make other paths.
    ///
    /// - Parameter path: The path of the request target, still encoded.
    package func route(method: HTTPMethod, path: [UInt8]) -> Route {
        switch router.find(method, path) {
        case .operation(let index, let match): return .matched(operations[index], match)
        case .nothing: return .notFound
        case .otherMethod(let leaf):
            var allowed: [HTTPMethod] = []
            for endpoint in leaf.endpoints {
                allowed.append(endpoint.method)
                if endpoint.method == .get { allowed.append(.head) }
            }
            return .methodNotAllowed(allowed: allowed, pathTemplate: leaf.template)
        }
    }

    /// Up to three paths that an unknown one was probably meant to be, the nearest first.
    package func nearestPaths(to path: [UInt8], method: HTTPMethod) -> [PathSuggestion] {
        let start = router.prefixLength(of: path)
        return pathSuggestions.nearest(to: path[start...], method: method)
    }

    // MARK: - Requests and responses

    /// Holds a request against its operation: every violation at once, and the typed values.
    ///
    /// - Parameters:
    ///   - operation: What `route` found, and `match` with it.
    package func validate(
        _ request: HTTPRequest,
        operation: Operation,
        match: PathMatch
    ) -> ValidatedRequest {
        RequestValidator(schemas: schemas).validate(request, operation: operation, match: match)
    }

    /// Everything wrong with our own answer to an operation: status, fields, content type, content.
    ///
    /// - Parameters:
    ///   - operation: `nil` for an answer to a request that reached none.
    ///   - method: The method of the request, which may be HEAD where the operation says GET.
    package func violations(
        of response: HTTPResponse,
        operation: Operation?,
        method: HTTPMethod
    ) -> [Violation] {
        let location =
            operation?.documentLocation.appending("responses")
            ?? DocumentLocation.root.appending("x-unrouted-responses")
        return ResponseValidator(schemas: schemas).violations(
            of: response,
            to: method,
            rules: operation?.responses ?? unroutedResponses,
            at: location
        )
    }

    // MARK: - Schemas

    /// The schema under `#/components/schemas`, such as `AppointmentSummaryResponse`.
    package func namedSchema(_ name: String) -> Schema? {
        schema(at: JSONPointer(["components", "schemas", name]))
    }

    /// The schema of the records in a fixture file, such as `appointments` (`x-fixture-schemas`).
    package func fixtureSchema(_ name: String) -> Schema? {
        schema(at: JSONPointer(["x-fixture-schemas", name]))
    }

    /// A schema by its place: named schemas, fixture schemas, and whatever else the document refers
    /// to.
    package func schema(at pointer: JSONPointer) -> Schema? {
        schemas.indices["#" + pointer.description].map { Schema(schemas: schemas, index: $0) }
    }

    /// The schema of a parameter.
    package func schema(of parameter: Parameter) -> Schema {
        Schema(schemas: schemas, index: parameter.schemaIndex)
    }

    /// The schema of a content; `nil` where none is documented.
    package func schema(of content: MediaContent) -> Schema? {
        content.schemaIndex.map { Schema(schemas: schemas, index: $0) }
    }

    /// The form of the JSON in an answer; `nil` where none is described.
    func contentForm(of status: Int, of operation: Operation?) -> ContentForm? {
        let rule = ResponseValidator.rule(
            for: status,
            among: operation?.responses ?? unroutedResponses
        )
        let content = rule?.contents.first { $0.range.isJSON }
        return content?.schemaIndex.map { ContentForm(schemas, [$0]) }
    }

    // MARK: - Provenance

    /// Everything that the documentation does not state, in document order.
    package func provenanceMarks() -> [ProvenanceMark] { ProvenanceMark.all(in: document) }
}

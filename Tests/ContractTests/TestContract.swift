import Contract
import HTTPMessage
import JSON

/// Builders of small contracts and messages.
enum TestContract {
    /// A contract with these members of `paths` and `components`, and of the root.
    static func make(
        paths: String = "",
        components: String = "",
        root: String = ""
    ) throws(ContractError) -> OpenAPIContract {
        try OpenAPIContract(octets: text(paths: paths, components: components, root: root).utf8)
    }

    static func text(paths: String = "", components: String = "", root: String = "") -> String {
        """
        {"openapi": "3.1.0", "info": {"title": "Test", "version": "v1"},
         "security": [{"Bearer": []}], "paths": {\(paths)},
         "components": {"securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer"}}
            \(components.isEmpty ? "" : ", " + components)}
         \(root.isEmpty ? "" : ", " + root)}
        """
    }

    /// A member of `paths`: GET with these parameters, each as its JSON text.
    static func get(
        _ path: String,
        id: String,
        parameters: [String] = [],
        extra: String = ""
    ) -> String {
        operation("get", path, id: id, parameters: parameters, extra: extra)
    }

    static func operation(
        _ method: String,
        _ path: String,
        id: String,
        parameters: [String] = [],
        extra: String = ""
    ) -> String {
        """
        "\(path)": {"\(method)": \(body(id: id, parameters: parameters, extra: extra))}
        """
    }

    static func body(id: String, parameters: [String] = [], extra: String = "") -> String {
        """
        {"operationId": "\(id)", "parameters": [\(parameters.joined(separator: ", "))],
         "responses": {"200": {"description": "OK"}}\(extra.isEmpty ? "" : ", " + extra)}
        """
    }

    static func path(_ name: String, _ schema: String = #"{"type": "string"}"#) -> String {
        #"{"name": "\#(name)", "in": "path", "required": true, "schema": \#(schema)}"#
    }

    static func query(_ name: String, _ schema: String, _ extra: String = "") -> String {
        #"{"name": "\#(name)", "in": "query", "schema": \#(schema)\#(extra)}"#
    }

    static func header(_ name: String, _ schema: String) -> String {
        #"{"name": "\#(name)", "in": "header", "schema": \#(schema)}"#
    }

    static func request(
        _ method: HTTPMethod = .get,
        _ target: String,
        _ fields: [(String, String)] = [],
        _ content: String = ""
    ) -> HTTPRequest {
        HTTPRequest(
            method: method,
            target: RequestTarget(target),
            fields: Fields(fields),
            content: Array(content.utf8)
        )
    }
}

extension OpenAPIContract {
    /// Routes and validates; `nil` where the request reaches no operation.
    func validated(_ request: HTTPRequest) -> ValidatedRequest? {
        guard
            case .matched(let operation, let match) = route(
                method: request.method,
                path: request.target.path
            )
        else { return nil }
        return validate(request, operation: operation, match: match)
    }
}

extension Violation {
    /// `name keyword`, as the tables of the tests write it.
    var brief: String { "\(name) \(keyword)" }
}

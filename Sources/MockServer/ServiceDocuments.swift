import Contract
import HTTPMessage
import JSON
import OAuth
import Synchronization

/// `/openapi.yaml` and `/openapi.json`: the contract as it is served, with the actual address.
enum ServiceDocuments {
    /// How a document is written.
    enum Form { case yaml, json }

    /// The methods that a document takes.
    static let methods: [HTTPMethod] = [.get, .head]

    /// The form of the document at a path; `nil` where there is no document.
    static func form(ofPath path: [UInt8]) -> Form? {
        // Both paths have 13 octets: no other request pays for the comparison.
        guard path.count == 13 else { return nil }
        return switch String(decoding: path, as: UTF8.self) {
        case "/openapi.yaml": .yaml
        case "/openapi.json": .json
        default: nil
        }
    }

    /// The document at the path of a call, as the answer to it; `nil` where there is none.
    ///
    /// - Throws: 405 for a method other than GET and HEAD.
    static func answer(to call: Call) throws(Problem) -> Answer? {
        guard let form = form(ofPath: call.request.target.path) else { return nil }
        let method = call.request.method
        guard methods.contains(method) else {
            throw Problem(methodNotAllowed: method, allowed: methods)
        }
        return answer(call.context.contract, form: form, to: call)
    }

    /// The answer to `OPTIONS *`, which asks about the server as a whole (RFC 9110 §9.3.7).
    static let serverOptions = Answer(
        status: 204,
        fields: [HTTPResponse.Field("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS")]
    )

    /// A contract, with the address of this server in `servers`.
    static func answer(
        _ contract: OpenAPIContract,
        form: Form,
        to call: Call
    ) -> Answer {
        let document = withServer(contract.document, baseURL: call.baseURL)
        switch form {
        case .json: return .json(document)
        case .yaml:
            return Answer(
                contentType: "application/yaml",
                content: Array(YAMLWriter.text(of: document).utf8)
            )
        }
    }

    /// A contract whose `servers` names the address at which it is asked for.
    static func withServer(_ document: JSONValue, baseURL: String) -> JSONValue {
        guard var object = document.object else { return document }
        object["servers"] = [["url": .string(baseURL), "description": "This qubs-mock."]]
        return .object(object)
    }
}

extension Call {
    /// The base of URLs that this call's answer may hold.
    var baseURL: String {
        BaseURL.of(
            request,
            publicURL: context.configuration.publicURL,
            fallback: context.baseURL.withLock { $0 }
        )
    }
}

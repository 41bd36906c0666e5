import Contract
import HTTPMessage

/// `/__admin/openapi.yaml` and `/__admin/openapi.json`.
enum ControlDocuments {
    static func form(of request: HTTPRequest) throws(Problem) -> ServiceDocuments.Form? {
        let form: ServiceDocuments.Form
        switch String(decoding: request.target.path, as: UTF8.self) {
        case "/__admin/openapi.yaml": form = .yaml
        case "/__admin/openapi.json": form = .json
        default: return nil
        }
        guard request.method == .get || request.method == .head else {
            throw Problem(methodNotAllowed: request.method, allowed: [.get, .head])
        }
        return form
    }

    static func answer(
        _ form: ServiceDocuments.Form,
        _ contract: OpenAPIContract,
        to call: Call
    ) -> Answer {
        ServiceDocuments.answer(contract, form: form, to: call)
    }
}

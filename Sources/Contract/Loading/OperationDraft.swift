import HTTPMessage
import JSON
import Time

/// An operation that is read but waits for its compiled parameters.
struct OperationDraft {
    let object: ContractObject
    let template: PathTemplate
    let aliases: [PathTemplate]
    let method: HTTPMethod
    /// Path parameters in the order of the template, then the others.
    let parameters: [ParameterDraft]
    let requestBody: RequestBody?
    let responses: [ResponseRule]
    let requiresToken: Bool
    let refusesUnknownParameters: Bool

    func finish(index: Int, parameters: [Parameter]) throws(ContractError) -> Operation {
        guard let id = try object.string("operationId") else {
            throw ContractError(.missingMember("operationId"), at: object.location.pointer)
        }
        if responses.isEmpty {
            throw ContractError(.missingMember("responses"), at: object.location.pointer)
        }
        return Operation(
            id: id,
            index: index,
            method: method,
            pathTemplate: template.text,
            pathAliases: aliases.map(\.text),
            tag: try object.strings("tags")?.first ?? "",
            summary: try object.string("summary") ?? "",
            parameters: parameters,
            requestBody: requestBody,
            responses: responses,
            requiresToken: requiresToken,
            refusesUnknownParameters: refusesUnknownParameters,
            requiredPermission: try object.string("x-required-permission"),
            requiredGrant: try object.string("x-required-grant"),
            siteGrantParameter: try siteGrantParameter(),
            idempotencyRetentionSeconds: try retention(),
            runsAside: try object.bool("x-runs-aside") ?? false,
            event: try object.string("x-event"),
            provenance: try object.string("x-provenance"),
            dateOrders: try dateOrders(parameters),
            documentLocation: object.location
        )
    }

    private func siteGrantParameter() throws(ContractError) -> String? {
        guard let name = try object.string("x-site-grant") else { return nil }
        guard template.parameterNames.contains(name) else {
            throw object.fault("x-site-grant", "the name of a path parameter")
        }
        return name
    }

    private func retention() throws(ContractError) -> Int? {
        guard let text = try object.string("x-idempotency-retention") else { return nil }
        guard let seconds = DurationText.wholeSeconds(parsing: text) else {
            throw object.fault("x-idempotency-retention", "a duration such as PT24H")
        }
        return Int(seconds)
    }

    private func dateOrders(
        _ parameters: [Parameter]
    ) throws(ContractError) -> [(first: Int, second: Int)] {
        var orders: [(first: Int, second: Int)] = []
        for (first, parameter) in parameters.enumerated() {
            guard let name = parameter.notAfter else { continue }
            guard let second = parameters.firstIndex(where: { $0.name == name }) else {
                throw ContractError(
                    .wrongValue(expected: "the name of a parameter of \(object.location.pointer)"),
                    at: parameter.documentLocation.appending("x-not-after").pointer
                )
            }
            orders.append((first, second))
        }
        return orders
    }
}

package import HTTPMessage
package import JSON

/// One operation of the contract: a method on a path template.
package final class Operation: Sendable {
    /// The `operationId`.
    package let id: String
    /// The position in document order, for tables of handlers: dense, from 0.
    package let index: Int
    package let method: HTTPMethod
    /// For example `/integrations/v1/{domain}/sites/{siteName}`.
    package let pathTemplate: String
    /// `x-path-aliases`: other templates that lead here, with the same parameters.
    package let pathAliases: [String]
    /// The first of its `tags`; empty where it has none.
    package let tag: String
    /// The `summary`; empty where it has none.
    package let summary: String
    /// Path parameters in the order of the template, then the others in document order.
    package let parameters: [Parameter]
    package let requestBody: RequestBody?
    package let responses: [ResponseRule]
    /// Whether a bearer token is needed (`security`, of the operation or else of the document).
    package let requiresToken: Bool
    /// `x-required-permission`.
    package let requiredPermission: String?
    /// `x-required-grant`: a claim that must hold at least one value.
    package let requiredGrant: String?
    /// `x-site-grant`: the path parameter whose site must be granted.
    package let siteGrantParameter: String?
    /// `x-idempotency-retention`, in seconds; `nil` where no idempotency key is honoured.
    package let idempotencyRetentionSeconds: Int?
    /// `x-runs-aside`: whether it may take longer than a worker should be held up.
    package let runsAside: Bool
    /// `x-event`: the kind of event that its success is for those who follow a session.
    package let event: String?
    /// `x-provenance`: `example` or `inferred`; `nil` where the operation is documented.
    package let provenance: String?

    /// Whether this is one of the operations under `/integrations/`.
    package let isPartnerOperation: Bool
    /// Where in the contract document it stands.
    package var pointer: JSONPointer { documentLocation.pointer }

    /// How many of `parameters`, from the front, stand in the path.
    let pathParameterCount: Int
    /// `x-refuse-unknown-parameters`, of the document: whether a query may hold nothing else.
    let refusesUnknownParameters: Bool
    /// The value of each parameter before anything is read.
    let defaultValues: [ParameterValue]
    /// `x-not-after`: positions of parameters whose first must not be later than the second.
    let dateOrders: [(first: Int, second: Int)]
    let requiredMask: UInt64
    let hasHeaderParameters: Bool
    let documentLocation: DocumentLocation

    init(
        id: String,
        index: Int,
        method: HTTPMethod,
        pathTemplate: String,
        pathAliases: [String],
        tag: String,
        summary: String,
        parameters: [Parameter],
        requestBody: RequestBody?,
        responses: [ResponseRule],
        requiresToken: Bool,
        refusesUnknownParameters: Bool,
        requiredPermission: String?,
        requiredGrant: String?,
        siteGrantParameter: String?,
        idempotencyRetentionSeconds: Int?,
        runsAside: Bool,
        event: String?,
        provenance: String?,
        dateOrders: [(first: Int, second: Int)],
        documentLocation: DocumentLocation
    ) {
        self.id = id
        self.index = index
        self.method = method
        self.pathTemplate = pathTemplate
        self.pathAliases = pathAliases
        self.tag = tag
        self.summary = summary
        self.parameters = parameters
        self.requestBody = requestBody
        self.responses = responses
        self.requiresToken = requiresToken
        self.refusesUnknownParameters = refusesUnknownParameters
        self.requiredPermission = requiredPermission
        self.requiredGrant = requiredGrant
        self.siteGrantParameter = siteGrantParameter
        self.idempotencyRetentionSeconds = idempotencyRetentionSeconds
        self.runsAside = runsAside
        self.event = event
        self.provenance = provenance
        self.dateOrders = dateOrders
        self.documentLocation = documentLocation
        isPartnerOperation = pathTemplate.hasPrefix("/integrations/")
        pathParameterCount = parameters.prefix { $0.location == .path }.count
        defaultValues = parameters.map(\.defaultValue)
        var requiredMask: UInt64 = 0
        for (position, parameter) in parameters.enumerated() where parameter.isRequired {
            requiredMask |= 1 << UInt64(position)
        }
        self.requiredMask = requiredMask
        hasHeaderParameters = parameters.contains { $0.location == .header }
    }

    /// The position in `parameters` of the one with this name.
    package func position(of name: StaticString) -> Int? {
        for position in parameters.indices where parameters[position].isNamed(name) {
            return position
        }
        return nil
    }

    /// The decoded value of a path parameter, unchecked, before the whole request is validated.
    ///
    /// `nil` where the path has no such parameter, or the segment is not percent-encoded UTF-8.
    package func pathValue(_ name: StaticString, in match: PathMatch) -> String? {
        guard let position = position(of: name), position < match.count else { return nil }
        return match.value(at: position)
    }
}

/// The `requestBody` of an operation.
package struct RequestBody: Sendable {
    package let isRequired: Bool
    /// What may be sent, in document order.
    package let contents: [MediaContent]
}

/// One entry of a `content` object.
package struct MediaContent: Sendable {
    package let range: MediaRange
    /// The `example`, or the first of the `examples`.
    package let example: JSONValue?
    let schemaIndex: Int?
    /// The range as nearly every client writes it.
    let usualSpelling: [UInt8]

    init(range: MediaRange, example: JSONValue?, schemaIndex: Int?) {
        self.range = range
        self.example = example
        self.schemaIndex = schemaIndex
        usualSpelling = Array(range.description.utf8)
    }
}

/// One entry of a `responses` object.
package struct ResponseRule: Sendable {
    /// Which statuses the entry is for.
    package enum Statuses: Hashable, Sendable {
        case exactly(Int)
        /// `4XX`: every status of this hundred.
        case hundred(Int)
        /// `default`: what no other entry is for.
        case others
    }

    /// A response field that the contract describes.
    package struct Header: Sendable {
        package let name: String
        package let isRequired: Bool
        let schemaIndex: Int
        let documentLocation: DocumentLocation

        /// The same description under another name.
        func named(_ name: String) -> Header {
            Header(
                name: name,
                isRequired: isRequired,
                schemaIndex: schemaIndex,
                documentLocation: documentLocation
            )
        }
    }

    package let statuses: Statuses
    package let headers: [Header]
    /// Empty where the response has no content.
    package let contents: [MediaContent]
    let documentLocation: DocumentLocation
}

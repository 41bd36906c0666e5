package import JSON

/// What the contract says about a request: everything wrong with it, or its typed values.
package struct ValidatedRequest: Sendable {
    /// Why the content could not be read.
    package enum ContentFault: Hashable, Sendable {
        /// 415: the `Content-Type` is missing, malformed, repeated or not one of these.
        case unsupportedMediaType(supported: [MediaRange])
        /// 400, and among the violations.
        case malformedJSON(JSONError)
        /// 400, and among the violations: the content is required and empty.
        case missing
    }

    /// A parameter in the query that the operation does not have.
    package struct UnknownParameter: Sendable, Equatable {
        /// The name, percent-decoded where that gives text.
        package let name: String
        /// The first value of this name, as sent; empty where there is none.
        package let encodedValue: ArraySlice<UInt8>
    }

    package let operation: Operation
    /// Everything wrong: path, query, fields, then content in the order of its text.
    package internal(set) var violations: [Violation] = []
    package internal(set) var contentFault: ContentFault?
    /// The content, where it is JSON and could be parsed.
    package internal(set) var body: JSONValue?
    /// Which of the documented media types or ranges the content has.
    package internal(set) var contentRange: MediaRange?
    /// What the query names and the operation does not have: each name once, the first 64.
    package internal(set) var unknownParameters: [UnknownParameter] = []
    /// The names of these.
    package var unknownQueryNames: [String] { unknownParameters.map(\.name) }

    var values: [ParameterValue]
    var sent: UInt64 = 0

    init(operation: Operation) {
        self.operation = operation
        values = operation.defaultValues
    }

    package var isValid: Bool { violations.isEmpty && contentFault == nil }

    /// 400 or 415 where the request must be refused.
    ///
    /// 415 goes before 400, since content of an unknown type hides what else is wrong with it.
    package var refusalStatus: Int? {
        if case .unsupportedMediaType = contentFault { return 415 }
        return isValid ? nil : 400
    }

    /// The value at a position of `operation.parameters`: sent, else its default.
    package func value(at position: Int) -> ParameterValue { values[position] }

    /// Whether the client sent the parameter at this position, valid or not.
    package func wasSent(at position: Int) -> Bool { sent & (1 << UInt64(position)) != 0 }

    /// Whether the client sent the parameter of this name, valid or not.
    package func has(_ name: StaticString) -> Bool {
        operation.position(of: name).map(wasSent(at:)) ?? false
    }

    /// The value of a parameter; `.absent` where the operation has none of this name.
    package func value(_ name: StaticString) -> ParameterValue {
        operation.position(of: name).map { values[$0] } ?? .absent
    }

    /// The text of a string parameter (enumerations, dates and identifiers included).
    package func string(_ name: StaticString) -> String? {
        if case .string(let value) = value(name) { value } else { nil }
    }

    /// The value of an integer parameter, its default applied, clamped where the contract says so.
    package func int(_ name: StaticString) -> Int? {
        if case .integer(let value) = value(name) { value } else { nil }
    }

    /// The value of a number parameter.
    package func double(_ name: StaticString) -> Double? {
        if case .number(let value) = value(name) { value } else { nil }
    }

    /// The value of a boolean parameter.
    package func bool(_ name: StaticString) -> Bool? {
        if case .boolean(let value) = value(name) { value } else { nil }
    }

    /// The values of an array parameter of strings; empty where it is absent.
    package func strings(_ name: StaticString) -> [String] {
        guard case .array(let elements) = value(name) else { return [] }
        return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}

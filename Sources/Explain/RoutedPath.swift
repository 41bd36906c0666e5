import Contract
import HTTPMessage

/// A path that leads to an operation, in which other values can stand for its parameters.
///
/// The way stays the one taken: a prefix such as `/_mock/openapi`, an alias, the encoding of what
/// is kept.
struct RoutedPath {
    let operation: Operation
    private let octets: [UInt8]
    private let match: PathMatch

    /// The way to an operation; `nil` where the contract has none for the method on this path.
    init?(_ method: HTTPMethod, _ path: String, in contract: OpenAPIContract) {
        octets = Array(path.utf8)
        guard case .matched(let operation, let match) = contract.route(method: method, path: octets)
        else { return nil }
        self.operation = operation
        self.match = match
    }

    /// The way by an operation's own template, with these values for its parameters.
    ///
    /// What has no value stands there in braces, which is a value that nothing has.
    init?(to operation: Operation, _ values: [String: String], in contract: OpenAPIContract) {
        guard let template = RoutedPath(operation.method, operation.pathTemplate, in: contract)
        else { return nil }
        self.init(operation.method, template.text(with: values), in: contract)
    }

    /// The decoded value of a parameter; `nil` where it has none that is percent-encoded UTF-8.
    subscript(name: String) -> String? {
        let position = operation.parameters.firstIndex { $0.location == .path && $0.name == name }
        return position.flatMap { $0 < match.count ? match.value(at: $0) : nil }
    }

    /// The path with these values, encoded, in place of others.
    func text(with values: [String: String]) -> String {
        var output: [UInt8] = []
        var end = 0
        for position in 0..<match.count {
            let segment = match.octets(at: position)
            output += octets[end..<segment.startIndex]
            let value = values[operation.parameters[position].name]
            if let value, match.value(at: position)?.utf8.elementsEqual(value.utf8) != true {
                output += PercentCoding.encode(value).utf8
            } else {
                output += segment
            }
            end = segment.endIndex
        }
        return String(decoding: output + octets[end...], as: UTF8.self)
    }

    /// What the contract has against the values of the parameters, by their names.
    func violations(in contract: OpenAPIContract) -> [String: Violation] {
        let request = HTTPRequest(
            method: operation.method,
            target: RequestTarget(path: octets, query: nil)
        )
        let violations = contract.validate(request, operation: operation, match: match).violations
        return Dictionary(
            violations.filter { $0.location == .path }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }
}

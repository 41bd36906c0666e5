package import JSON
import Time

extension Schema {
    /// The value with each `date-time` of the schema in UTC, with `Z` and whole seconds.
    ///
    /// An offset is converted, and a fraction of a second is dropped: so the API answers instants.
    /// What is no `date-time` stays as it is; the validator refuses it.
    package func inUTC(_ value: JSONValue) -> JSONValue { schemas.inUTC(value, schema: index) }
}

extension SchemaSet {
    fileprivate func inUTC(_ value: JSONValue, schema index: Int) -> JSONValue {
        let rules = self[index].rules
        var value = value
        for branch in rules.allOf + rules.anyOf + rules.oneOf {
            value = inUTC(value, schema: branch)
        }
        if let reference = rules.reference { value = inUTC(value, schema: reference) }
        switch value {
        case .string(let text) where rules.format == .dateTime:
            return Instant(rfc3339: text).map { .string($0.rfc3339) } ?? value
        case .array(let elements):
            guard let items = rules.items else { return value }
            return .array(elements.map { inUTC($0, schema: items) })
        case .object(var object):
            for property in rules.properties {
                if let member = object[property.name] {
                    object[property.name] = inUTC(member, schema: property.schema)
                }
            }
            return .object(object)
        default: return value
        }
    }
}

package import JSON

/// A schema of the contract, ready to hold values against.
package struct Schema: Sendable {
    let schemas: SchemaSet
    let index: Int

    /// Where it stands in the contract document.
    package var pointer: JSONPointer { schemas[index].location.pointer }

    /// The schema object as it stands there.
    package var source: JSONValue { .object(schemas[index].source) }

    /// Everything wrong with a value, in the order of its text; the names of violations are JSON
    /// pointers.
    ///
    /// At most 100 are told.
    package func violations(of value: JSONValue) -> [Violation] {
        inspect(value).violations
    }

    /// As `violations`, and counts the work: how many values were held against a schema, a value
    /// counted for each of them.
    package func inspect(_ value: JSONValue) -> (violations: [Violation], valuesChecked: Int) {
        var validator = SchemaValidator(schemas: schemas, location: .body)
        validator.check(value, against: index)
        return (validator.violations, validator.valuesChecked)
    }
}

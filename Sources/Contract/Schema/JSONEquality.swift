import JSON

/// Equality as JSON Schema has it (2020-12 §4.2.2).
enum JSONEquality {
    /// Compares numbers by value, strings by code points and objects without regard to order.
    static func areEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.string(let left), .string(let right)):
            // Not `==`, to which a precomposed letter equals its decomposed form.
            left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
        case (.number(let left), .number(let right)):
            if let left = left.int, let right = right.int {
                left == right
            } else {
                left.double == right.double
            }
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { areEqual($0, $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && left.members.allSatisfy { member in
                    right[member.name].map { areEqual(member.value, $0) } ?? false
                }
        default: false
        }
    }
}

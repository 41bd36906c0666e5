package import JSON

/// The checks that a release asked for, frozen: a client that met them meets them in later releases.
package struct Requirements: Sendable, Equatable {
    /// Such as `0.2`.
    package let release: String
    /// The ids of the checks.
    package let checks: Set<String>

    /// - Parameter value: A file of `fixtures/requirements`; `nil` where it is not one.
    package init?(_ value: JSONValue) {
        guard let release = value["release"]?.string, let items = value["checks"]?.array else {
            return nil
        }
        let ids = items.compactMap(\.string)
        guard ids.count == items.count, !ids.isEmpty else { return nil }
        self.release = release
        checks = Set(ids)
    }
}

package import JSON
import Synchronization
import Time

/// The time zones that there are, each with its rule: `fixtures/time-zones.json`.
///
/// The list is read when somebody first asks for a name. The data carry the rules they need.
package final class TimeZones: Sendable {
    private let load: @Sendable () -> JSONValue
    private let rules = Mutex<[String: String]?>(nil)

    /// - Parameter load: The list: an object from names to rules. Called once, from any thread.
    package init(_ load: @escaping @Sendable () -> JSONValue) { self.load = load }

    /// No list: any name is taken, and its clocks show UTC.
    package static let unknown = TimeZones { .null }

    /// The rule of a zone as text; `nil` where there is no such zone.
    func rule(of name: String) -> String? {
        rules.withLock { rules in
            let known = rules ?? read()
            rules = known
            return known.isEmpty ? "UTC0" : known[name]
        }
    }

    private func read() -> [String: String] {
        var known: [String: String] = [:]
        for member in load().object?.members ?? [] {
            guard let rule = member.value.string, TimeZoneRule(rule) != nil else { continue }
            known[member.name] = rule
        }
        return known
    }
}

/// Whether data change by themselves as time passes.
package enum WorldMode: String, Sendable, CaseIterable {
    case still
    case living
}

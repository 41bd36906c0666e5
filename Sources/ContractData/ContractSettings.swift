package import Contract
package import JSON
package import Store

/// What the contract says about the reporting workflow (`x-reporting`).
package struct ReportingSettings: Sendable {
    /// The status in which an appointment waits for its report.
    package let pendingStatus: String
    /// The status after a final report, where final reports change it.
    package let finalStatus: String
    /// The category of report attachments.
    package let attachmentCategory: String

    package init(contract: OpenAPIContract) {
        func text(_ name: String) -> String {
            guard let value = contract.document["x-reporting"]?[name]?.string else {
                preconditionFailure("the contract has no x-reporting/\(name)")
            }
            return value
        }
        pendingStatus = text("pendingStatus")
        finalStatus = text("finalStatus")
        attachmentCategory = text("attachmentCategory")
    }
}

extension Scatter {
    /// The order of lists for a seed; what `x-first-in-lists` names comes first.
    package init(seed: UInt64, contract: OpenAPIContract) {
        self.init(seed: seed, document: contract.document)
    }

    /// The same, of a contract that is not compiled.
    package init(seed: UInt64, document: JSONValue) {
        let pinned = document["x-first-in-lists"]?.array ?? []
        self.init(seed: seed, pinned: pinned.compactMap(\.string))
    }
}

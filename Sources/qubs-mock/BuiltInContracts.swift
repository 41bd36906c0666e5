import Contract
import Dispatch
import Embedded
import JSON

/// The contracts that a server needs, made from what was embedded.
///
/// They follow from the program alone: one thread makes one after the other, while another one reads
/// the options and lays the data out.
final class BuiltInContracts: Sendable {
    /// Those of this process, begun at the first use.
    static let shared = BuiltInContracts()

    /// `openapi.yaml`.
    let document: Aside<JSONValue>
    let contract: Aside<OpenAPIContract>
    /// That of the control API.
    let control: Aside<OpenAPIContract>

    private init() {
        let queue = DispatchQueue(label: "qubs-mock.contracts")
        let document = Aside(on: queue) { () throws(Failure) in
            try ServerComposition.document(
                EmbeddedDefaults.contractJSON(),
                name: "openapi.yaml"
            )
        }
        self.document = document
        contract = Aside(on: queue) { () throws(Failure) in
            try ServerComposition.contract(document.value(), name: "openapi.yaml")
        }
        control = Aside(on: queue) { () throws(Failure) in
            try ServerComposition.contract(
                EmbeddedDefaults.controlContractJSON(),
                name: "admin-openapi.yaml"
            )
        }
    }

    /// Begins to make them.
    static func begin() { _ = shared }
}

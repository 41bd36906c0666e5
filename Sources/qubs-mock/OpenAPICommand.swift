import ArgumentParser
import MockServer

/// `qubs-mock openapi`: the contract.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract: "Print the contract (OpenAPI 3.1, YAML)."
    )

    func run() throws {
        Output.text(ContractDocument.yaml(of: try ServerComposition.contract()))
    }
}

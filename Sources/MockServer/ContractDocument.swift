package import Contract

/// The contract as text, for the command line.
package enum ContractDocument {
    /// The contract as YAML.
    package static func yaml(of contract: OpenAPIContract) -> String {
        YAMLWriter.text(of: contract.document)
    }
}

import Contract

/// Handlers beside the operations of a contract: the same set, or the server does not start.
enum HandlerTable {
    /// The handler of each operation, in the order of the contract.
    ///
    /// - Throws: Where operations and handlers are not the same set.
    static func make<Handler>(
        _ entries: [(id: String, handler: Handler)],
        for contract: OpenAPIContract
    ) throws(StartError) -> [Handler] {
        var byID: [String: Handler] = [:]
        for entry in entries {
            guard contract.operation(id: entry.id) != nil else {
                throw StartError(
                    "the handler \(entry.id) has no operation in the contract"
                )
            }
            byID[entry.id] = entry.handler
        }
        var table: [Handler] = []
        for operation in contract.operations {
            guard let handler = byID[operation.id] else {
                throw StartError(
                    "the operation \(operation.id) of the contract has no handler"
                )
            }
            table.append(handler)
        }
        return table
    }
}

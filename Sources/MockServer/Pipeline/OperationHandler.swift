/// Carries out one operation for a valid request of a caller who may.
///
/// - Throws: The refusal; nothing has changed then.
typealias OperationHandler = @Sendable (OperationCall) throws(Problem) -> Answer

/// An `operationId` of the contract, and what carries the operation out.
typealias OperationEntry = (id: String, handler: OperationHandler)

import Contract

/// Carries out one operation for a valid request of a caller who may.
///
/// - Throws: The refusal; nothing has changed then.
typealias OperationHandler = @Sendable (OperationCall) throws(Problem) -> Answer

/// The handlers by `operationId`, one list for each tag of the contract.
enum OperationHandlers {
    typealias Entry = (id: String, handler: OperationHandler)

    private static let all: [Entry] =
        SiteHandlers.entries + AppointmentHandlers.entries + AttachmentHandlers.entries
        + CommentHandlers.entries + PatientHandlers.entries + ReportingHandlers.entries
        + OAuthHandlers.entries + TransferHandlers.entries

    /// The handler of each operation, in the order of the contract.
    ///
    /// - Throws: Where operations and handlers are not the same set.
    static func table(
        for contract: OpenAPIContract
    ) throws(Application.StartError) -> [OperationHandler] {
        try HandlerTable.make(all, for: contract)
    }
}

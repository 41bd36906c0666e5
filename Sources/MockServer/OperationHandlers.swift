import Contract

/// The handlers by `operationId`, one list for each tag of the contract.
enum OperationHandlers {
    private static let all: [OperationEntry] =
        SiteHandlers.entries + AppointmentHandlers.entries + AttachmentHandlers.entries
        + CommentHandlers.entries + PatientHandlers.entries + ReportingHandlers.entries
        + OAuthHandlers.entries + TransferHandlers.entries

    /// The handler of each operation, in the order of the contract.
    ///
    /// - Throws: Where operations and handlers are not the same set.
    static func table(
        for contract: OpenAPIContract
    ) throws(StartError) -> [OperationHandler] {
        try HandlerTable.make(all, for: contract)
    }
}

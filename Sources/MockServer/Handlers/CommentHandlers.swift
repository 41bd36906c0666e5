import QUBS
import Store

/// Tag Comments.
enum CommentHandlers {
    static let entries: [OperationEntry] = [
        ("Integrations_ListAppointmentComments", list)
    ]

    /// The comments of an appointment and of its patient.
    static func list(_ call: OperationCall) throws(Problem) -> Answer {
        try call.list(orMissing: .appointment) { reader, output throws(StoreError) in
            try reader.appendComments(
                domain: call.domain,
                appointment: call.string("appointmentId"),
                to: &output
            )
        }
    }
}

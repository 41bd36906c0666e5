import QUBS
import Store

/// Tag Patients.
enum PatientHandlers {
    static let entries: [OperationEntry] = [
        ("Integrations_GetPatient_Summary", one)
    ]

    private static func one(_ call: OperationCall) throws(Problem) -> Answer {
        try call.object(orMissing: .patient) { reader, output throws(StoreError) in
            try reader.appendPatient(
                domain: call.domain,
                id: call.string("patientId"),
                to: &output
            )
        }
    }
}

import OAuth
import QUBS
import JSON
import Journal
import Readings
import Store

/// Tag Appointments: three views, by id, by status and as offset lists, and billing.
enum AppointmentHandlers {
    static let entries: [OperationEntry] = [
        (
            "Integrations_GetAppointment_Summary",
            { call throws(Problem) in try one(call, .summary) }
        ),
        (
            "Integrations_GetAppointment_Operational",
            { call throws(Problem) in try one(call, .operational) }
        ),
        (
            "Integrations_ListAppointmentsByStatus_Summary",
            { call throws(Problem) in
                try call.page(status: call.string("status"), view: .summary, providers: nil)
            }
        ),
        (
            "Integrations_ListAppointmentsByStatus_Operational",
            { call throws(Problem) in
                try call.page(status: call.string("status"), view: .operational, providers: nil)
            }
        ),
        (
            "Integrations_ListAppointmentsByStatus_Referrer",
            { call throws(Problem) in
                try call.page(
                    status: call.string("status"),
                    view: .summary,
                    providers: providers(call)
                )
            }
        ),
        (
            "Integrations_ListAppointmentsByStatus_ReferrerOperational",
            { call throws(Problem) in
                try call.page(
                    status: call.string("status"),
                    view: .operational,
                    providers: providers(call)
                )
            }
        ),
        (
            "Integrations_ListAppointments_Summary",
            { call throws(Problem) in try call.appointmentList(view: .summary, providers: nil) }
        ),
        (
            "Integrations_ListAppointments_Operational",
            { call throws(Problem) in
                try call.appointmentList(view: .operational, providers: nil)
            }
        ),
        (
            "Integrations_ListAppointments_Referrer",
            { call throws(Problem) in
                try call.appointmentList(view: .summary, providers: providers(call))
            }
        ),
        (
            "Integrations_ListAppointments_ReferrerOperational",
            { call throws(Problem) in
                try call.appointmentList(view: .operational, providers: providers(call))
            }
        ),
        ("Integrations_GetAppointment_Billing", billing),
    ]

    private static func one(_ call: OperationCall, _ view: AppointmentView) throws(Problem)
        -> Answer
    {
        try call.object(orMissing: .appointment) { reader, output throws(StoreError) in
            try reader.appendAppointment(
                domain: call.domain,
                id: call.string("appointmentId"),
                view: view,
                to: &output
            )
        }
    }

    private static func billing(_ call: OperationCall) throws(Problem) -> Answer {
        let id = call.string("appointmentId")
        var output: [UInt8] = []
        let hasBilling = try call.reading { reader throws(StoreError) in
            try reader.appendBilling(
                domain: call.domain,
                appointment: id,
                to: &output
            )
        }
        switch hasBilling {
        case nil: throw call.missing(.appointment)
        case true?: return .json(output)
        case false?:
            if call.call.departs(to: NoBilling.notFound) {
                throw Problem(.notFound, 404, "This appointment has no billing record.")
            }
            // 404 is for unknown appointments (facts 2.16); all else of a billing is optional.
            let record = JSONObject([
                ("domain", .string(call.domain)), ("appointmentId", .string(id)),
            ])
            return .json(call.context.billingShape.octets(of: record))
        }
    }

    /// The provider numbers of the caller: from the token, never from the query (facts 2.9).
    private static func providers(_ call: OperationCall) -> [String] {
        call.principal?.providerNumbers ?? []
    }
}

/// The three views of an appointment.
package enum AppointmentView: Int, Sendable, CaseIterable {
    /// `AppointmentSummaryResponse`
    case summary
    /// `AppointmentOperationalResponse`
    case operational
    /// `TeleReportingAppointmentResponse`
    case reporting

    /// The columns that make up the view.
    var columns: String { self == .summary ? "summary" : "summary, details" }
}

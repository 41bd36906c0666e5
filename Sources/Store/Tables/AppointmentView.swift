/// The three views of an appointment.
package enum AppointmentView: Int, Sendable, CaseIterable {
    /// As `AppointmentSummaryResponse`.
    case summary
    /// As `AppointmentOperationalResponse`.
    case operational
    /// As `TeleReportingAppointmentResponse`.
    case reporting

    /// The columns that make up the view.
    var columns: String { self == .summary ? "summary" : "summary, details" }
}

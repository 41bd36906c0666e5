import Contract
import ContractData
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

/// Tag Reporting: reads and the three writes, all limited to appointments that wait for a report.
enum ReportingHandlers {
    static let entries: [OperationEntry] = [
        ("Integrations_ListPendingReportingAppointments", listPending),
        ("Integrations_GetPendingReportingAppointment", one),
        ("Integrations_ListPendingReportingAppointmentAttachments", attachments),
        ("Integrations_GetPendingReportingAppointmentAttachment", attachment),
        ("Integrations_ListPendingReportingAppointmentComments", comments),
        ("Integrations_GetPendingReportingAppointmentComment", comment),
        ("Integrations_CreatePendingReportingAppointmentComment", createComment),
        ("Integrations_CreatePendingReportingAppointmentReportAttachments", createUploads),
        ("Integrations_SubmitPendingReportingAppointmentReport", submitReport),
    ]

    // MARK: - Reads

    private static func listPending(_ call: OperationCall) throws(Problem) -> Answer {
        try call.page(
            status: call.context.reporting.pendingStatus,
            view: .reporting,
            providers: nil
        )
    }

    private static func one(_ call: OperationCall) throws(Problem) -> Answer {
        try requirePending(call)
        return try call.object(orMissing: .appointment) { reader, output throws(StoreError) in
            try reader.appendAppointment(
                domain: call.domain,
                id: call.string("appointmentId"),
                view: .reporting,
                to: &output
            )
        }
    }

    private static func attachments(_ call: OperationCall) throws(Problem) -> Answer {
        try requirePending(call)
        return try AttachmentHandlers.list(call)
    }

    private static func attachment(_ call: OperationCall) throws(Problem) -> Answer {
        try requirePending(call)
        return try AttachmentHandlers.one(call)
    }

    private static func comments(_ call: OperationCall) throws(Problem) -> Answer {
        try requirePending(call)
        return try CommentHandlers.list(call)
    }

    private static func comment(_ call: OperationCall) throws(Problem) -> Answer {
        try requirePending(call)
        return try call.object(orMissing: .comment) { reader, output throws(StoreError) in
            try reader.appendComment(
                domain: call.domain,
                appointment: call.string("appointmentId"),
                guid: call.string("commentGuid"),
                to: &output
            )
        }
    }

    /// 404 where the appointment is unknown, or does not wait for a report (facts 1.6).
    private static func requirePending(_ call: OperationCall) throws(Problem) {
        let status = try call.reading { reader throws(StoreError) in
            try reader.status(domain: call.domain, appointment: call.string("appointmentId"))
        }
        guard let status else { throw call.missing(.appointment) }
        let pending = call.context.reporting.pendingStatus
        guard status == pending else {
            throw Problem(rule: .wrongStatus(required: pending, found: status))
        }
    }

    // MARK: - Writes

    /// `Integrations_CreatePendingReportingAppointmentComment` (facts 2.27).
    private static func createComment(_ call: OperationCall) throws(Problem) -> Answer {
        let body = call.valid.body
        // An explicit type wins over a contradicting isAlert.
        let type =
            body?["commentType"]?.string ?? (body?["isAlert"]?.bool == true ? "AA" : "AC")
        let isForPatient = type.hasPrefix("P")
        let guid = call.call.worker.secureGenerator.uuid()
        let author = call.principal?.clientID ?? ""
        let time = try time("commentDateTime", of: call)
        let appointment = call.string("appointmentId")
        return try KeyedWrite(call).run { writer throws(StoreError) in
            let patient = try writer.patient(domain: call.domain, appointment: appointment)
            var members = JSONObject()
            members["guid"] = .string(guid)
            members["appointmentId"] = isForPatient ? .null : .string(appointment)
            members["patientId"] = patient.map(JSONValue.string) ?? .null
            members["commentText"] = body?["commentText"]
            members["commentType"] = .string(type)
            members["isAlert"] = .bool(type.hasSuffix("A"))
            members["commentDateTime"] = .string(time)
            members["createdBy"] = ["userId": .string(author), "name": .string(author)]
            let owner: CommentOwner
            if isForPatient {
                guard let patient else { throw .rule(.appointmentWithoutPatient) }
                owner = .patient(patient)
            } else {
                owner = .appointment(appointment)
            }
            return try writer.createComment(
                domain: call.domain,
                owner: owner,
                of: appointment,
                members: members
            )
        }
    }

    /// `Integrations_CreatePendingReportingAppointmentReportAttachments` (facts 2.28).
    private static func createUploads(_ call: OperationCall) throws(Problem) -> Answer {
        // A key is kept for as long as its URLs live.
        let lifetime = Int64(call.operation.idempotencyRetentionSeconds ?? 0)
        let expires = call.now.advanced(
            bySeconds: call.call.session.scenario.uploadURLSeconds ?? lifetime
        )
        let category = call.context.reporting.attachmentCategory
        var uploads: [NewUpload] = []
        var items: [JSONValue] = []
        for item in call.valid.body?["items"]?.array ?? [] {
            let guid = call.call.worker.secureGenerator.uuid()
            let fileName = item["fileName"]?.string ?? ""
            uploads.append(
                NewUpload(
                    guid: guid,
                    fileName: fileName,
                    category: category,
                    promisedContentType: item["contentType"]?.string,
                    expiresAt: expires
                )
            )
            let url = PresignedURL(
                guid: guid,
                expires: expires,
                session: call.call.session.name,
                purpose: .upload
            )
            items.append([
                "guid": .string(guid), "fileName": .string(fileName),
                "category": .string(category),
                "uploadUrl": .string(call.address(of: url)),
                "uploadUrlExpiresAtUtc": .string(expires.rfc3339),
            ])
        }
        let answer = JSONWriter.octets(of: ["items": .array(items)])
        return try KeyedWrite(call).run { writer throws(StoreError) in
            try writer.createUploads(
                domain: call.domain,
                appointment: call.string("appointmentId"),
                uploads,
                now: call.now
            )
            return answer
        }
    }

    /// `Integrations_SubmitPendingReportingAppointmentReport` (facts 2.29).
    private static func submitReport(_ call: OperationCall) throws(Problem) -> Answer {
        let body = call.valid.body
        let status = body?["reportStatus"]?.string?.lowercased() ?? ""
        let report = ReportRecord(
            guid: call.call.worker.secureGenerator.uuid(),
            status: status,
            reportedAt: try time("reportedAtUtc", of: call),
            text: body?["reportText"]?.string ?? "",
            clinician: body?["interpretingClinician"]
        )
        call.call.entry.details.report = JournalDetails.Report(
            status: status,
            reportedAt: (body?["reportedAtUtc"]?.string).flatMap { Instant(rfc3339: $0) }?
                .secondsSince1970
        )
        let settings = call.context.reporting
        let finalises =
            status == "final" && call.call.readings.departs(to: FinalReport.finalises)
        let answer = JSONWriter.octets(of: [
            "reportGuid": .string(report.guid), "reportStatus": .string(report.status),
            "reportedAtUtc": .string(report.reportedAt),
        ])
        return try KeyedWrite(call).run { writer throws(StoreError) in
            try writer.submitReport(
                domain: call.domain,
                appointment: call.string("appointmentId"),
                report,
                newStatus: finalises ? settings.finalStatus : nil,
                now: call.now
            )
            if finalises { call.call.note(FinalReport.finalises) }
            return answer
        }
    }

    /// Seconds since 1970 that can be written with a year of four digits.
    private static let writableTimes: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// A date-time of the client as the API writes it, UTC with second precision; else now.
    ///
    /// - Throws: 400 where the offset takes the time out of the years that can be written.
    private static func time(
        _ member: String,
        of call: OperationCall
    ) throws(Problem) -> String {
        guard let text = call.valid.body?[member]?.string else { return call.now.rfc3339 }
        guard let instant = Instant(rfc3339: text),
            writableTimes.contains(instant.secondsSince1970)
        else {
            let message = "Send a time within the years 0000 to 9999 in UTC."
            throw Problem(
                .contract,
                400,
                "/\(member): \(message)",
                errors: [("/\(member)", [message])]
            )
        }
        return instant.rfc3339
    }
}

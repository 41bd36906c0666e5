import HTTPMessage
import Time
import JSON
import OAuth
import QUBS
import Readings
import Store

/// Tag Attachments.
enum AttachmentHandlers {
    static let entries: [OperationEntry] = [
        ("Integrations_ListAppointmentAttachments", list),
        ("Integrations_GetAppointmentAttachment", one),
    ]

    /// All attachments of an appointment, each with a URL where it has content.
    static func list(_ call: OperationCall) throws(Problem) -> Answer {
        let rows = try call.reading { reader throws(StoreError) in
            try reader.attachments(domain: call.domain, appointment: call.string("appointmentId"))
        }
        guard let rows else { throw call.missing(.appointment) }
        var output: [UInt8] = [UInt8(ascii: "[")]
        for (index, row) in rows.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(row, call, to: &output)
        }
        output.append(UInt8(ascii: "]"))
        var answer = Answer.json(output)
        answer.itemCount = rows.count
        return answer
    }

    /// One attachment of an appointment.
    static func one(_ call: OperationCall) throws(Problem) -> Answer {
        let appointment = call.string("appointmentId")
        let row = try call.reading { reader throws(StoreError) in
            try reader.attachment(
                domain: call.domain,
                appointment: appointment,
                guid: call.string("attachmentGuid")
            )
        }
        guard let row else {
            let exists = try call.reading { reader throws(StoreError) in
                try reader.status(domain: call.domain, appointment: appointment) != nil
            }
            throw call.missing(exists ? .attachment : .appointment)
        }
        var output: [UInt8] = []
        append(row, call, to: &output)
        return .json(output)
    }

    private static func append(
        _ row: AttachmentRow,
        _ call: OperationCall,
        to output: inout [UInt8]
    ) {
        guard row.hasContent else {
            row.append(url: nil, expiresAt: nil, to: &output)
            return
        }
        let expires = call.now.advanced(bySeconds: Int64(call.integer("urlTtlSeconds")))
        let url = PresignedURL(
            guid: row.guid,
            expires: expires,
            session: call.call.session.name,
            purpose: .download(disposition: call.string("disposition"))
        )
        row.append(
            url: call.address(of: url),
            expiresAt: expires,
            to: &output
        )
    }
}

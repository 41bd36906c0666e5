package import JSON
import QUBS
package import Time

/// An attachment, whole but for the presigned URL that each answer makes anew.
package struct AttachmentRow: Sendable, Hashable {
    package let guid: String
    package let fileName: String
    /// Whether there are octets to download.
    package let hasContent: Bool
    /// The media type of the content, where it is known.
    package let contentType: String?
    /// The JSON object up to where the URL follows.
    let head: [UInt8]

    /// Appends the `AttachmentResponse` with this URL, or with nulls where there is none.
    package func append(
        url: String?,
        expiresAt: Instant?,
        to output: inout [UInt8]
    ) {
        output += head
        output += ",\"url\":".utf8
        if let url { JSONWriter.append(string: url, to: &output) } else { output += "null".utf8 }
        output += ",\"urlExpiresAtUtc\":".utf8
        if let expiresAt {
            JSONWriter.append(string: expiresAt.rfc3339, to: &output)
        } else {
            output += "null".utf8
        }
        output.append(UInt8(ascii: "}"))
    }

    /// The members that `append` makes.
    static let madeMembers: Set<String> = ["url", "urlExpiresAtUtc"]
}

/// The octets of an attachment.
package struct AttachmentContent: Sendable, Hashable {
    package let octets: [UInt8]
    package let contentType: String?
    package let fileName: String
}

/// What is known of an upload before its content comes.
package struct UploadState: Sendable, Hashable {
    package let fileName: String
    /// The media type that the content must have; `nil` for any.
    package let promisedContentType: String?
    package let expiresAt: Instant
    /// Whether the content is there already.
    package let isComplete: Bool
}

/// An upload with all that is known of it.
package struct StoredUpload: Sendable, Hashable {
    /// The members of the attachment that do not depend on a request.
    package let record: JSONObject
    /// As sent with the content.
    package let contentType: String?
    package let promisedContentType: String?
    package let expiresAt: Instant
    /// `nil` where none came yet.
    package let content: [UInt8]?
}

/// An upload to be announced: `Integrations_CreatePendingReportingAppointmentReportAttachments`.
package struct NewUpload: Sendable, Hashable {
    package var guid: String
    package var fileName: String
    package var category: String
    package var promisedContentType: String?
    /// The instant from which the upload URL is refused.
    package var expiresAt: Instant

    package init(
        guid: String,
        fileName: String,
        category: String,
        promisedContentType: String?,
        expiresAt: Instant
    ) {
        self.guid = guid
        self.fileName = fileName
        self.category = category
        self.promisedContentType = promisedContentType
        self.expiresAt = expiresAt
    }
}

/// Attachments and their contents.
final class AttachmentTable {
    private let database: Database
    private let list: Statement
    private let listByIdentifier: Statement
    private let find: Statement
    private let findContent: Statement
    private let findUpload: Statement
    private let findPlace: Statement
    private let listUploads: Statement
    private let insert: Statement
    private let insertContent: Statement
    private let setContent: Statement
    private let deleteAll: Statement
    private let deleteContents: Statement

    init(_ database: Database) {
        self.database = database
        let row = "SELECT guid, file_name, content IS NOT NULL, content_type, head FROM attachment"
        list = Statement(
            database,
            "\(row) WHERE domain = ?1 AND appointment = ?2 ORDER BY position, guid"
        )
        listByIdentifier = Statement(
            database,
            "\(row) WHERE domain = ?1 AND appointment = ?2 ORDER BY guid"
        )
        find = Statement(
            database,
            "\(row) WHERE guid = ?3 AND domain = ?1 AND appointment = ?2"
        )
        findContent = Statement(
            database,
            """
            SELECT content.octets, attachment.content_type, attachment.file_name
            FROM attachment JOIN content ON content.id = attachment.content
            WHERE attachment.guid = ?1
            """
        )
        findUpload = Statement(
            database,
            """
            SELECT file_name, promised_type, upload_expires_at, content IS NOT NULL
            FROM attachment WHERE guid = ?1 AND is_upload = 1
            """
        )
        findPlace = Statement(
            database,
            "SELECT domain, appointment, head FROM attachment WHERE guid = ?1"
        )
        listUploads = Statement(
            database,
            """
            SELECT attachment.guid, head, content_type, promised_type, upload_expires_at,
                content.octets
            FROM attachment LEFT JOIN content ON content.id = attachment.content
            WHERE domain = ?1 AND appointment = ?2 AND is_upload = 1 ORDER BY attachment.id
            """
        )
        insert = Statement(
            database,
            """
            INSERT INTO attachment (guid, domain, appointment, position, file_name, head, content,
                content_type, is_upload, promised_type, upload_expires_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """
        )
        insertContent = Statement(database, "INSERT INTO content (octets) VALUES (?1)")
        setContent = Statement(
            database,
            """
            UPDATE attachment SET content = ?2, content_type = ?3, head = ?4
            WHERE guid = ?1 AND is_upload = 1 AND content IS NULL
            """
        )
        // Contents may be shared: those go that nobody else holds.
        deleteContents = Statement(
            database,
            """
            DELETE FROM content WHERE id IN (
                SELECT content FROM attachment WHERE domain = ?1 AND appointment = ?2)
            AND id NOT IN (
                SELECT content FROM attachment
                WHERE content IS NOT NULL AND NOT (domain = ?1 AND appointment = ?2))
            """
        )
        deleteAll = Statement(
            database,
            "DELETE FROM attachment WHERE domain = ?1 AND appointment = ?2"
        )
    }

    /// The attachments of an appointment.
    func rows(
        domain: Int64,
        appointment: String,
        order: ListOrder
    ) throws(StoreError) -> [AttachmentRow] {
        let list = order == .scattered ? list : listByIdentifier
        try list.prepare(domain, appointment)
        defer { list.reset() }
        var rows: [AttachmentRow] = []
        while try list.step() { rows.append(Self.row(list)) }
        return rows
    }

    /// One attachment of an appointment.
    func row(
        domain: Int64,
        appointment: String,
        guid: String
    ) throws(StoreError) -> AttachmentRow? {
        try find.prepare(domain, appointment, guid)
        defer { find.reset() }
        return try find.step() ? Self.row(find) : nil
    }

    private static func row(_ statement: Statement) -> AttachmentRow {
        AttachmentRow(
            guid: statement.text(0),
            fileName: statement.text(1),
            hasContent: statement.integer(2) != 0,
            contentType: statement.optionalText(3),
            head: statement.octets(4)
        )
    }

    /// The content of an attachment, where it has any.
    func content(guid: String) throws(StoreError) -> AttachmentContent? {
        try findContent.prepare(guid)
        defer { findContent.reset() }
        guard try findContent.step() else { return nil }
        return AttachmentContent(
            octets: findContent.octets(0),
            contentType: findContent.optionalText(1),
            fileName: findContent.text(2)
        )
    }

    /// The state of an upload, where the guid is one.
    func upload(guid: String) throws(StoreError) -> UploadState? {
        try findUpload.prepare(guid)
        defer { findUpload.reset() }
        guard try findUpload.step() else { return nil }
        return UploadState(
            fileName: findUpload.text(0),
            promisedContentType: findUpload.optionalText(1),
            expiresAt: Instant(secondsSince1970: findUpload.integer(2)),
            isComplete: findUpload.integer(3) != 0
        )
    }

    /// The uploads of an appointment, in the order in which their URLs were given out.
    func uploads(domain: Int64, appointment: String) throws(StoreError) -> [StoredUpload] {
        try listUploads.prepare(domain, appointment)
        defer { listUploads.reset() }
        var uploads: [StoredUpload] = []
        while try listUploads.step() {
            let guid = listUploads.text(0)
            uploads.append(
                StoredUpload(
                    record: try RecordWriter.parse(
                        listUploads.octets(1) + [UInt8(ascii: "}")],
                        table: "attachment",
                        id: guid
                    ),
                    contentType: listUploads.optionalText(2),
                    promisedContentType: listUploads.optionalText(3),
                    expiresAt: Instant(secondsSince1970: listUploads.integer(4)),
                    content: listUploads.optionalOctets(5)
                )
            )
        }
        return uploads
    }

    /// Where an attachment belongs, and its head, by its guid alone.
    func place(
        guid: String
    ) throws(StoreError) -> (domain: Int64, appointment: String, head: [UInt8])? {
        try findPlace.prepare(guid)
        defer { findPlace.reset() }
        guard try findPlace.step() else { return nil }
        return (findPlace.integer(0), findPlace.text(1), findPlace.octets(2))
    }

    /// Adds an attachment with a new guid.
    ///
    /// - Parameter upload: What an upload has beyond a fixture's attachment.
    func insert(
        guid: String,
        domain: Int64,
        appointment: String,
        position: Int64,
        fileName: String,
        head: [UInt8],
        content: Int64?,
        contentType: String?,
        upload: NewUpload? = nil
    ) throws(StoreError) {
        try insert.run(
            guid,
            domain,
            appointment,
            position,
            fileName,
            head,
            content.map { Int($0) },
            contentType,
            upload == nil ? 0 : 1,
            upload?.promisedContentType,
            upload.map { Int($0.expiresAt.secondsSince1970) }
        )
    }

    /// Stores octets, for one or more attachments.
    func insertContent(_ octets: [UInt8]) throws(StoreError) -> Int64 {
        try insertContent.run(octets)
        return database.lastInsertedRow
    }

    /// Gives an upload its content, once; `false` where it has one or the guid is no upload.
    func setContent(
        guid: String,
        content: Int64,
        contentType: String?,
        head: [UInt8]
    ) throws(StoreError) -> Bool {
        try setContent.run(guid, Int(content), contentType, head)
        return database.changes == 1
    }

    /// Removes the attachments of an appointment.
    func deleteAll(domain: Int64, appointment: String) throws(StoreError) {
        for statement in [deleteContents, deleteAll] {
            try statement.run(domain, appointment)
        }
    }
}

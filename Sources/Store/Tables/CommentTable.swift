import QUBS

/// Whom a comment is about, and so where it is shown.
package enum CommentOwner: Sendable, Hashable {
    /// Shown on this appointment.
    case appointment(String)
    /// Shown on all appointments of this patient.
    case patient(String)

    fileprivate var isPatient: Int { if case .patient = self { 1 } else { 0 } }
    fileprivate var id: String {
        switch self {
        case .appointment(let id), .patient(let id): id
        }
    }
}

/// Comments and alerts.
final class CommentTable {
    private let list: Statement
    private let listByIdentifier: Statement
    private let find: Statement
    private let insert: Statement
    private let deleteAll: Statement

    init(_ database: Database) {
        func list(_ order: String) -> Statement {
            Statement(
                database,
                """
                SELECT position, guid, json FROM comment
                WHERE domain = ?1 AND for_patient = 0 AND owner = ?2
                UNION ALL
                SELECT position, guid, json FROM comment
                WHERE domain = ?1 AND for_patient = 1 AND owner = ?3
                ORDER BY \(order)
                """
            )
        }
        self.list = list("position, guid")
        listByIdentifier = list("guid")
        find = Statement(
            database,
            """
            SELECT json FROM comment
            WHERE domain = ?1 AND for_patient = ?2 AND owner = ?3 AND position = ?4 AND guid = ?5
            """
        )
        insert = Statement(
            database,
            """
            INSERT INTO comment (domain, for_patient, owner, position, guid, json)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """
        )
        deleteAll = Statement(
            database,
            "DELETE FROM comment WHERE domain = ?1 AND for_patient = ?2 AND owner = ?3"
        )
    }

    /// Appends the comments of an appointment and those of its patient, with commas between.
    func appendList(
        domain: Int64,
        appointment: String?,
        patient: String?,
        order: ListOrder,
        to output: inout [UInt8]
    ) throws(StoreError) -> Int {
        let list = order == .scattered ? list : listByIdentifier
        try list.prepare(domain, appointment, patient)
        defer { list.reset() }
        return try list.appendRows(2, to: &output)
    }

    /// The comments of an appointment and those of its patient, by identifier, as a JSON array.
    func array(
        domain: Int64,
        appointment: String?,
        patient: String?
    ) throws(StoreError) -> [UInt8] {
        var output = [UInt8(ascii: "[")]
        _ = try appendList(
            domain: domain,
            appointment: appointment,
            patient: patient,
            order: .byIdentifier,
            to: &output
        )
        output.append(UInt8(ascii: "]"))
        return output
    }

    /// Appends one comment; `false` where its owner has none of this guid.
    ///
    /// - Parameter position: The place that `Scatter` gives the guid.
    func append(
        domain: Int64,
        owner: CommentOwner,
        position: Int64,
        guid: String,
        to output: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try find.prepare(domain, owner.isPatient, owner.id, position, guid)
        defer { find.reset() }
        guard try find.step() else { return false }
        find.append(0, to: &output)
        return true
    }

    /// Adds a comment.
    func insert(
        domain: Int64,
        owner: CommentOwner,
        position: Int64,
        guid: String,
        json: [UInt8]
    ) throws(StoreError) {
        try insert.run(domain, owner.isPatient, owner.id, position, guid, json)
    }

    /// Removes all comments of an owner.
    func deleteAll(domain: Int64, owner: CommentOwner) throws(StoreError) {
        try deleteAll.run(domain, owner.isPatient, owner.id)
    }
}

import JSON
import QUBS
package import Store

/// Records of a session that a valid request can name.
///
/// What cannot be read is there for nobody: an explanation goes on without it.
package struct SessionRecords {
    private let reader: SessionReader
    /// The status in which an appointment waits for its report.
    let pendingStatus: String

    /// Appointments that are looked at for one that suits, and how many are read at once.
    private static let (maximum, batch) = (2_000, 100)

    package init(_ reader: SessionReader, pendingStatus: String) {
        self.reader = reader
        self.pendingStatus = pendingStatus
    }

    var domains: [String] { (try? reader.domains()) ?? [] }

    /// The active sites of a domain, of those that are allowed.
    func sites(in domain: String, allowed: [String]?) -> [String] {
        items { output throws(StoreError) in
            _ = try reader.appendSites(domain: domain, allowed: allowed, to: &output)
        }.compactMap { $0["siteName"]?.string }
    }

    func hasSite(_ name: String, in domain: String) -> Bool {
        (try? reader.hasSite(domain: domain, name: name)) == true
    }

    func hasPatient(_ id: String, in domain: String) -> Bool {
        var output: [UInt8] = []
        return (try? reader.appendPatient(domain: domain, id: id, to: &output)) == true
    }

    /// The patient of an appointment, where it has one.
    func patient(ofAppointment id: String, in domain: String) -> String? {
        (try? reader.patient(domain: domain, appointment: id)).flatMap { $0 }.flatMap { $0 }
    }

    func status(ofAppointment id: String, in domain: String) -> String? {
        (try? reader.status(domain: domain, appointment: id)).flatMap { $0 }
    }

    /// The guids of an appointment's attachments.
    func attachments(ofAppointment id: String, in domain: String) -> [String] {
        let rows = (try? reader.attachments(domain: domain, appointment: id)).flatMap { $0 }
        return rows?.map(\.guid) ?? []
    }

    func hasAttachment(_ guid: String, ofAppointment id: String, in domain: String) -> Bool {
        let row = try? reader.attachment(domain: domain, appointment: id, guid: guid)
        return row.flatMap { $0 } != nil
    }

    /// The guids of an appointment's and its patient's comments.
    func comments(ofAppointment id: String, in domain: String) -> [String] {
        items { output throws(StoreError) in
            _ = try reader.appendComments(domain: domain, appointment: id, to: &output)
        }.compactMap { $0["guid"]?.string }
    }

    /// What is known of an upload; `nil` where the guid is none.
    func upload(_ guid: String) -> UploadState? {
        (try? reader.upload(guid: guid)).flatMap { $0 }
    }

    /// How many octets an attachment has; `nil` where it has no content.
    func contentOctets(_ guid: String) -> Int? {
        (try? reader.content(guid: guid)).flatMap { $0 }?.octets.count
    }

    /// An appointment that suits: the first of those preferred, or else of the domain.
    ///
    /// - Parameter isPending: Whether it must wait for a report.
    func appointment(
        in domain: String,
        preferring preferred: [String],
        isPending: Bool,
        where suits: (String) -> Bool
    ) -> String? {
        let known = preferred.first { id in
            guard let status = status(ofAppointment: id, in: domain) else { return false }
            return (!isPending || status == pendingStatus) && suits(id)
        }
        if let known { return known }
        var cursor: PageCursor?
        for skip in stride(from: 0, to: Self.maximum, by: Self.batch) {
            var isLast = false
            let found = items { output throws(StoreError) in
                if isPending {
                    let page = try reader.appendPage(
                        domain: domain,
                        status: pendingStatus,
                        providers: nil,
                        view: .summary,
                        after: cursor,
                        limit: Self.batch,
                        to: &output
                    )
                    cursor = page.next
                    isLast = page.next == nil
                } else {
                    let count = try reader.appendList(
                        domain: domain,
                        filter: AppointmentFilter(),
                        providers: nil,
                        view: .summary,
                        skip: skip,
                        take: Self.batch,
                        to: &output
                    )
                    isLast = count < Self.batch
                }
            }
            let ids = found.compactMap { $0["appointmentId"]?.string }
            if let id = ids.first(where: suits) { return id }
            if isLast || found.isEmpty { return nil }
        }
        return nil
    }

    /// The elements that the reader appends, with commas between them.
    private func items(
        _ append: (inout [UInt8]) throws(StoreError) -> Void
    ) -> [JSONValue] {
        var output = [UInt8(ascii: "[")]
        do throws(StoreError) {
            try append(&output)
        } catch {
            return []
        }
        return (try? JSONParser.parse(output + [UInt8(ascii: "]")]))?.array ?? []
    }
}

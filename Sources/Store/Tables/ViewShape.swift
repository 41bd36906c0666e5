package import JSON

/// How the contract writes one kind of record: which members, in which order, which of them
/// nullable.
///
/// Of a record that lacks a member, a nullable one is answered as null and another left out;
/// members that the view does not have are not answered.
package struct ViewShape: Sendable, Hashable {
    /// One member of the view.
    package struct Member: Sendable, Hashable {
        package let name: String
        package let isNullable: Bool
        /// The comma, the quoted name and the colon.
        let lead: [UInt8]

        package init(name: String, isNullable: Bool) {
            self.name = name
            self.isNullable = isNullable
            var lead: [UInt8] = [UInt8(ascii: ",")]
            JSONWriter.append(string: name, to: &lead)
            lead.append(UInt8(ascii: ":"))
            self.lead = lead
        }
    }

    package let members: [Member]

    package init(members: [Member]) { self.members = members }

    /// A view of these members in this order.
    package init(_ members: [(name: String, isNullable: Bool)]) {
        self.members = members.map { Member(name: $0.name, isNullable: $0.isNullable) }
    }

    /// Whether the view has a member of this name.
    package func has(_ name: String) -> Bool {
        members.contains { $0.name == name }
    }

    /// The view of a record, as a JSON object.
    package func octets(of record: JSONObject) -> [UInt8] {
        var octets: [UInt8] = []
        Self.append(members[...], of: record, to: &octets)
        // The first comma, or nothing at all.
        if octets.isEmpty { octets = [0] }
        octets[0] = UInt8(ascii: "{")
        octets.append(UInt8(ascii: "}"))
        return octets
    }

    /// Appends members, each with a comma before it.
    static func append(
        _ members: ArraySlice<Member>,
        of record: JSONObject,
        to output: inout [UInt8]
    ) {
        for member in members {
            if let value = record[member.name] {
                output += member.lead
                JSONWriter.append(value, to: &output)
            } else if member.isNullable {
                output += member.lead
                output += Self.null
            }
        }
    }

    private static let null = Array("null".utf8)
}

/// The shapes of all the views, as the contract gives them.
package struct ViewShapes: Sendable, Hashable {
    /// The shape of `AppointmentSummaryResponse`.
    package var summary: ViewShape
    /// The shape of `AppointmentOperationalResponse`, which begins with the members of the summary.
    package var operational: ViewShape
    /// The shape of `TeleReportingAppointmentResponse`.
    package var reporting: ViewShape
    /// The shape of `PatientSummaryResponse`.
    package var patient: ViewShape
    /// The shape of `AppointmentBillingResponse`.
    package var billing: ViewShape
    /// The shape of `AttachmentResponse`.
    package var attachment: ViewShape
    /// The shape of `CommentResponse`.
    package var comment: ViewShape
    /// The elements of the list of sites.
    package var listedSite: ViewShape
    /// The shape of `SiteSettingsResponse`.
    package var siteSettings: ViewShape
    /// The shape of `ExamCodeResponse`.
    package var examCode: ViewShape
    /// The shape of `StaffSkillsResponse`.
    package var staffSkills: ViewShape

    package init(
        summary: ViewShape,
        operational: ViewShape,
        reporting: ViewShape,
        patient: ViewShape,
        billing: ViewShape,
        attachment: ViewShape,
        comment: ViewShape,
        listedSite: ViewShape,
        siteSettings: ViewShape,
        examCode: ViewShape,
        staffSkills: ViewShape
    ) {
        self.summary = summary
        self.operational = operational
        self.reporting = reporting
        self.patient = patient
        self.billing = billing
        self.attachment = attachment
        self.comment = comment
        self.listedSite = listedSite
        self.siteSettings = siteSettings
        self.examCode = examCode
        self.staffSkills = staffSkills
    }
}

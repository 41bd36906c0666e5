package import Contract
import JSON
package import Store

extension ViewShapes {
    /// Member order and nullability of every view, from the schemas of the contract.
    package init(contract: OpenAPIContract) {
        self.init(
            summary: ViewShape("AppointmentSummaryResponse", of: contract),
            operational: ViewShape("AppointmentOperationalResponse", of: contract),
            reporting: ViewShape("TeleReportingAppointmentResponse", of: contract),
            patient: ViewShape("PatientSummaryResponse", of: contract),
            billing: ViewShape("AppointmentBillingResponse", of: contract),
            attachment: ViewShape("AttachmentResponse", of: contract),
            comment: ViewShape("CommentResponse", of: contract),
            listedSite: ViewShape("SiteResponse", of: contract),
            siteSettings: ViewShape("SiteSettingsResponse", of: contract),
            examCode: ViewShape("ExamCodeResponse", of: contract),
            staffSkills: ViewShape("StaffSkillsResponse", of: contract)
        )
    }
}

extension ViewShape {
    fileprivate init(_ name: String, of contract: OpenAPIContract) {
        guard let schema = contract.namedSchema(name),
            let properties = schema.source["properties"]?.object
        else { preconditionFailure("the contract has no object schema \(name)") }
        self.init(
            members: properties.members.map { member in
                Member(
                    name: member.name,
                    isNullable: Self.acceptsNull(member.value, in: contract.document)
                )
            }
        )
    }

    /// Whether a schema says, by `type`, `oneOf` or a reference, that its value may be null.
    private static func acceptsNull(_ schema: JSONValue, in document: JSONValue) -> Bool {
        if let reference = schema["$ref"]?.string,
            let target = JSONPointer(parsing: reference)?.value(in: document)
        {
            return acceptsNull(target, in: document)
        }
        if schema["type"]?.string == "null" { return true }
        if schema["type"]?.array?.contains("null") == true { return true }
        for keyword in ["oneOf", "anyOf"] {
            if schema[keyword]?.array?.contains(where: { acceptsNull($0, in: document) }) == true {
                return true
            }
        }
        return false
    }
}

package import Contract
package import JSON
package import Store

extension ViewShapes {
    /// Member order and nullability of every view, from the schemas of the contract.
    package init(contract: OpenAPIContract) { self.init(document: contract.document) }

    /// The same, of a contract that is not compiled.
    package init(document: JSONValue) {
        self.init(
            summary: ViewShape("AppointmentSummaryResponse", in: document),
            operational: ViewShape("AppointmentOperationalResponse", in: document),
            reporting: ViewShape("TeleReportingAppointmentResponse", in: document),
            patient: ViewShape("PatientSummaryResponse", in: document),
            billing: ViewShape("AppointmentBillingResponse", in: document),
            attachment: ViewShape("AttachmentResponse", in: document),
            comment: ViewShape("CommentResponse", in: document),
            listedSite: ViewShape("SiteResponse", in: document),
            siteSettings: ViewShape("SiteSettingsResponse", in: document),
            examCode: ViewShape("ExamCodeResponse", in: document),
            staffSkills: ViewShape("StaffSkillsResponse", in: document)
        )
    }
}

extension ViewShape {
    /// The view that a schema of the contract describes.
    package init(_ name: String, in document: JSONValue) {
        guard let schema = document["components"]?["schemas"]?[name],
            let properties = schema["properties"]?.object
        else { preconditionFailure("the contract has no object schema \(name)") }
        self.init(
            members: properties.members.map { member in
                Member(
                    name: member.name,
                    isNullable: Self.acceptsNull(member.value, in: document)
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

import HTTPMessage
import JSON
import OAuth
import QUBS
import Store

/// Tags Site Settings, Exam Codes and Staff Skills.
enum SiteHandlers {
    static let entries: [OperationEntry] = [
        ("Integrations_ListSites", listSites),
        ("Integrations_GetSiteSettings_Summary", siteSettings),
        ("Integrations_ListExamCodes", examCodes),
        ("Integrations_GetStaffSkills", staffSkills),
    ]

    /// The active sites that the caller may use.
    private static func listSites(_ call: OperationCall) throws(Problem) -> Answer {
        try call.list { reader, output throws(StoreError) in
            try reader.appendSites(
                domain: call.domain,
                allowed: call.principal?.sites,
                to: &output
            )
        }
    }

    private static func siteSettings(_ call: OperationCall) throws(Problem) -> Answer {
        try call.object(orMissing: .site) { reader, output throws(StoreError) in
            try reader.appendSite(
                domain: call.domain,
                name: call.string("siteName"),
                to: &output
            )
        }
    }

    private static func examCodes(_ call: OperationCall) throws(Problem) -> Answer {
        try call.list(orMissing: .site) { reader, output throws(StoreError) in
            try reader.appendExamCodes(
                domain: call.domain,
                site: call.string("siteName"),
                to: &output
            )
        }
    }

    /// The grid of a site; an empty one where the site is known and has none.
    private static func staffSkills(_ call: OperationCall) throws(Problem) -> Answer {
        var output: [UInt8] = []
        let hasGrid = try call.reading { reader throws(StoreError) in
            try reader.appendStaffSkills(
                domain: call.domain,
                site: call.string("siteName"),
                to: &output
            )
        }
        switch hasGrid {
        case nil: throw call.missing(.site)
        case true?: return .json(output)
        case false?: return .json(["examKeys": [], "employees": []])
        }
    }
}

import JSON
import TestSupport

extension TestServer {
    /// All appointments of a domain, in the order of the list.
    func allAppointments(
        _ domain: String,
        as client: String,
        view: String = "operational",
        query: String = ""
    ) throws -> [JSONValue] {
        var items: [JSONValue] = []
        repeat {
            let page =
                try get(
                    "appointments\(view.isEmpty ? "" : "/\(view)")?take=500&skip=\(items.count)\(query)",
                    as: client,
                    domain: domain
                ).json.array ?? []
            items += page
            if page.count < 500 { return items }
        } while true
    }

    /// All pending appointments of a domain, in the order of the list.
    func allPending(_ domain: String, as client: String) throws -> [JSONValue] {
        var items: [JSONValue] = []
        var token: String?
        repeat {
            let next = token.map { "&nextToken=\($0)" } ?? ""
            let page = try get(
                "reporting/appointments/pending?pageSize=100\(next)",
                as: client,
                domain: domain
            ).json
            items += page["items"]?.array ?? []
            token = page["nextToken"]?.string
        } while token != nil
        return items
    }
}

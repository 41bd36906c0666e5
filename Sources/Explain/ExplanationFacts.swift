package import Contract
package import HTTPMessage
package import Journal
package import OAuth
import QUBS
import Store
package import Time

/// What journal, contract, clients and data know of one request, before anything is said of it.
package struct ExplanationFacts {
    let entry: JournalEntry
    let contract: OpenAPIContract
    let clients: ClientRegistry
    let sessionName: String
    let journal: RequestJournal
    let records: SessionRecords
    /// The time of the session.
    let now: Instant
    let baseURL: String
    /// Octets that an upload, and other content, may have.
    let maximumContentOctets: (upload: Int, other: Int)

    /// The way that was taken to an operation; by its template, where the path must not be repeated.
    let way: RoutedPath?
    /// For an unknown route or method, what is possible on the path, or on the nearest ones.
    let suggestions: [PathSuggestion]
    /// The methods that a path takes, and its template, where the method was wrong.
    let otherMethods: (allowed: [HTTPMethod], template: String)?
    /// The client that made the request, or that its URL was given to, as far as that is known.
    let caller: Client?

    /// - Parameters:
    ///   - entry: What the journal knows of the request.
    ///   - session: The session in whose journal it is.
    ///   - records: The data of the session.
    ///   - now: The time of the session.
    ///   - baseURL: Where the server is reached.
    ///   - serviceMethods: The methods that the path takes, where a document of the server itself is
    ///     there.
    ///   - maximumContentOctets: What an upload, and other content, may have.
    package init(
        of entry: JournalEntry,
        session: (name: String, journal: RequestJournal),
        contract: OpenAPIContract,
        clients: ClientRegistry,
        records: SessionRecords,
        now: Instant,
        baseURL: String,
        serviceMethods: [HTTPMethod]?,
        maximumContentOctets: (upload: Int, other: Int)
    ) {
        self.entry = entry
        self.contract = contract
        self.clients = clients
        self.records = records
        self.now = now
        self.baseURL = baseURL
        self.maximumContentOctets = maximumContentOctets
        (sessionName, journal) = session
        caller = entry.client.flatMap { clients[$0] }

        let method = HTTPMethod(entry.method)
        let taken = RoutedPath(method, entry.path, in: contract)
        way =
            entry.isURLWithheld
            ? taken.flatMap { RoutedPath(to: $0.operation, [:], in: contract) } : taken
        let path = Array(entry.path.utf8)
        switch contract.route(method: method, path: path) {
        case .matched:
            otherMethods = nil
            suggestions = []
        case .methodNotAllowed(let allowed, let template) where entry.refusal == .method:
            otherMethods = (allowed, template)
            let shown = entry.isURLWithheld ? template : entry.path
            suggestions = allowed.filter { $0 != .head }.compactMap { method in
                RoutedPath(method, shown, in: contract).map {
                    PathSuggestion(path: shown, operationID: $0.operation.id, method: method)
                }
            }
        case .methodNotAllowed, .notFound:
            otherMethods = serviceMethods.map { ($0, entry.path) }
            suggestions =
                entry.isURLWithheld || entry.refusal != .route
                ? [] : contract.nearestPaths(to: path, method: method)
        }
    }

    /// The operation that was asked for.
    var operation: Operation? { way?.operation }

    /// The way to what was probably meant: the operation itself, or the first suggestion.
    var goal: RoutedPath? {
        if let way { return way }
        return suggestions.first.flatMap { RoutedPath($0.method, $0.path, in: contract) }
    }

    /// What was sent for a path parameter, where it may be repeated.
    func sent(_ name: String) -> String? { entry.isURLWithheld ? nil : way?[name] }

    /// The segments of a path that leads nowhere, decoded: suggestions leave out most values.
    var segments: [String] {
        guard entry.refusal == .route, !entry.isURLWithheld else { return [] }
        return entry.path.split(separator: "/").compactMap { segment in
            PercentCoding.decode(Array(segment.utf8)[...])
                .flatMap { String(validating: $0, as: UTF8.self) }
        }
    }

    // MARK: - Who can make a request

    /// Somebody who can ask an operation for something of a domain.
    struct Asker {
        let client: Client
        let domain: String
        let token: CurlLine.Token
    }

    /// Those who can make a request to an operation, the best first: the caller, in the domain that
    /// was asked for if that is possible; then the other clients.
    func askers(for operation: Operation, domain wanted: String?, caller: Client?) -> [Asker] {
        let domains = records.domains
        func domain(of client: Client) -> String? {
            let open = client.domains.filter { name in domains.contains { $0 == name } }
            return open.first { $0 == wanted } ?? open.first
        }
        let enabled = clients.clients.filter { !$0.isDisabled }
        let able = enabled.filter { $0.isAble(to: operation) }
            .compactMap { client in domain(of: client).map { (client: client, domain: $0) } }
        let isCaller = { (client: Client) in client.id == caller?.id }
        let sorted =
            able.filter { isCaller($0.client) }
            + able.filter { !isCaller($0.client) && $0.domain == wanted }
            + able.filter { !isCaller($0.client) && $0.domain != wanted }
        return sorted.map { client, domain in
            // Who nobody is known to be may be anyone who opens the domain, if all of those can.
            let isAnyone =
                caller == nil
                && enabled.filter { $0.domains.contains(domain) }
                    .allSatisfy { $0.isAble(to: operation) }
            return Asker(
                client: client,
                domain: domain,
                token: isCaller(client) || isAnyone
                    ? .readers : .requested(at: tokenPath, clientID: clientID(of: client))
            )
        }
    }

    /// The client who can do what the caller cannot: has the permission, the grant, the domain.
    var helper: Client? {
        guard let operation else { return nil }
        let asker = askers(for: operation, domain: sent("domain"), caller: caller).first
        return asker.flatMap { $0.client.id == caller?.id ? nil : $0.client }
    }

    /// The path of the token endpoint.
    private var tokenPath: String {
        contract.operation(id: OperationID.token)?.pathTemplate ?? ""
    }

    /// The `client_id` that gets a client tokens for the session.
    func clientID(of client: Client) -> String {
        sessionName == SessionName.default ? client.id : "\(client.id)+\(sessionName)"
    }

    // MARK: - Where an attachment belongs

    /// The appointment that an attachment belongs to, and who asked for it.
    struct AttachmentPlace {
        let domain: String
        let appointment: String
        let client: Client?
    }

    /// Requests that are looked at for one that had to do with an attachment.
    private static let maximumEntries = 1_000

    /// Where an attachment belongs; `nil` where that is not known.
    func place(ofAttachment guid: String) -> AttachmentPlace? {
        // Whoever uses its URL has just read or announced it.
        let entries = journal.entries(
            matching: JournalFilter(limit: Self.maximumEntries)
        )
        for entry in entries {
            guard let domain = entry.domain, let appointment = entry.appointmentID,
                records.hasAttachment(guid, ofAppointment: appointment, in: domain)
            else { continue }
            let client = entry.client.flatMap { clients[$0] }
            return AttachmentPlace(domain: domain, appointment: appointment, client: client)
        }
        for domain in records.domains {
            let appointment = records.appointment(in: domain, preferring: [], isPending: false) {
                records.hasAttachment(guid, ofAppointment: $0, in: domain)
            }
            if let appointment {
                return AttachmentPlace(domain: domain, appointment: appointment, client: caller)
            }
        }
        return nil
    }
}

extension Client {
    /// Whether the client's tokens hold what the contract asks of all who call an operation.
    func isAble(to operation: Operation) -> Bool {
        if let permission = operation.requiredPermission, !permissions.contains(permission) {
            return false
        }
        return operation.requiredGrant == nil || !providerNumbers.isEmpty
    }
}

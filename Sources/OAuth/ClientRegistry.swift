package import JSON
import Suggestions

/// Who may ask for tokens: the clients of the fixtures.
package struct ClientRegistry: Sendable {
    /// The clients in the order of the fixtures.
    package let clients: [Client]
    /// Every domain that some client may use, in the order of first mention.
    package let domains: [String]
    private let positions: [String: Int]

    /// A registry from the value of `clients.json`: an array of objects.
    ///
    /// - Throws: every fault of the value, in document order.
    package init(_ value: JSONValue) throws(ClientRegistryError) {
        var reader = ClientReader()
        let clients = reader.clients(from: value)
        if !reader.faults.isEmpty { throw ClientRegistryError(faults: reader.faults) }
        self.init(uniqueClients: clients)
    }

    /// A registry of clients whose ids differ; of a repeated id the first counts.
    package init(uniqueClients clients: [Client]) {
        self.clients = clients
        var domains: [String] = []
        var positions: [String: Int] = [:]
        for (position, client) in clients.enumerated() {
            if positions[client.id] == nil { positions[client.id] = position }
            for domain in client.domains where !domains.contains(domain) { domains.append(domain) }
        }
        self.domains = domains
        self.positions = positions
    }

    /// The client with this id, which has no session suffix.
    package subscript(id: some StringProtocol) -> Client? {
        positions[String(id)].map { clients[$0] }
    }

    /// The client and the session that a `client_id` names.
    ///
    /// `acme-partner+s1` is client `acme-partner` in session `s1`.
    ///
    /// - Throws: `invalid_client` with status 400, which says what was probably meant.
    package func resolve(
        _ identifier: String
    ) throws(OAuthError) -> (client: Client, session: String) {
        let id = identifier.prefix { $0 != "+" }
        guard let client = self[id] else {
            throw .init(code: .invalidClient, description: hint(forUnknown: identifier))
        }
        guard id.utf8.count < identifier.utf8.count else { return (client, SessionName.default) }
        let session = identifier[id.endIndex...].dropFirst()
        guard SessionName.isValid(session) else {
            throw .init(
                code: .invalidClient,
                description: "The session after '+' in client_id must be \(SessionName.rule)."
            )
        }
        return (client, String(session))
    }

    private func hint(forUnknown identifier: String) -> String {
        // A form turns `+` into a space: what came as `acme-partner s1` was meant with a plus sign.
        let word = identifier.prefix { $0 != " " }
        if word.endIndex < identifier.endIndex, self[word] != nil {
            return "client_id has a space where a '+' was probably meant: in a form, encode the "
                + "'+' before the session name as %2B."
        }
        let id = String(identifier.prefix { $0 != "+" })
        return "No client has this client_id; \(advice(forUnknown: id))"
    }

    /// The most ids that a sentence lists.
    private static let maximumListed = 10

    /// What to do where no client has an id: the nearest one, else those that there are.
    package func advice(forUnknown id: String) -> String {
        if let nearest = nearest(to: id) { return "did you mean \(nearest)?" }
        let ids = clients.prefix(Self.maximumListed).map(\.id).joined(separator: ", ")
        return "there are \(ids)\(clients.count > Self.maximumListed ? " and others" : "")."
    }

    /// The id that is most like this one, without regard to case; `nil` when none is near.
    package func nearest(to id: String) -> String? {
        NameSuggestions.nearest(to: id, among: clients.map(\.id)).first
    }
}

/// What is wrong with a `clients.json`.
package struct ClientRegistryError: Error, Equatable, Sendable {
    /// One fault and where it stands.
    package struct Fault: Equatable, Sendable {
        /// Where it stands in `clients.json`.
        package let pointer: JSONPointer
        /// One sentence, without a secret.
        package let explanation: String

        /// A fault at a place.
        package init(pointer: JSONPointer, explanation: String) {
            self.pointer = pointer
            self.explanation = explanation
        }
    }

    /// All faults, in document order; at least one.
    package let faults: [Fault]

    /// An error of these faults.
    package init(faults: [Fault]) { self.faults = faults }
}

/// Reads `clients.json` and collects what is wrong with it.
private struct ClientReader {
    var faults: [ClientRegistryError.Fault] = []

    private static let memberNames = [
        "clientId", "clientSecret", "domains", "sites", "permissions", "providerNumbers",
        "refreshTokens", "disabled",
    ]

    mutating func clients(from value: JSONValue) -> [Client] {
        guard let elements = value.array else {
            fault(JSONPointer(), "An array of clients is expected, not \(value.typeName).")
            return []
        }
        if elements.isEmpty {
            fault(JSONPointer(), "At least one client is needed: without one nobody gets a token.")
        }
        var clients: [Client] = []
        for (index, element) in elements.enumerated() {
            let pointer = JSONPointer().appending(index)
            guard let client = client(from: element, at: pointer) else { continue }
            if clients.contains(where: { $0.id == client.id }) {
                fault(pointer.appending("clientId"), "Another client has this id already.")
            }
            clients.append(client)
        }
        return clients
    }

    private mutating func client(from value: JSONValue, at pointer: JSONPointer) -> Client? {
        guard let object = value.object else {
            fault(pointer, "A client must be an object, not \(value.typeName).")
            return nil
        }
        for member in object.members where !Self.memberNames.contains(member.name) {
            let nearest = NameSuggestions.nearest(to: member.name, among: Self.memberNames).first
            let hint = nearest.map { "; did you mean \($0)?" } ?? "."
            fault(pointer.appending(member.name), "A client has no such member\(hint)")
        }
        let id = text("clientId", of: object, at: pointer)
        if let id, !Self.isValid(id: id) {
            fault(
                pointer.appending("clientId"),
                "A client id is 1 to 128 visible ASCII characters other than "
                    + "'+', ':', '%', quotation mark and backslash."
            )
        }
        let secret = text("clientSecret", of: object, at: pointer)
        if let secret, secret.isEmpty {
            fault(pointer.appending("clientSecret"), "A client secret must not be empty.")
        }
        let domains = texts("domains", of: object, at: pointer)
        if object["domains"] == nil {
            fault(pointer.appending("domains"), "The member is required.")
        }
        let client = Client(
            id: id ?? "",
            secret: secret ?? "",
            domains: domains ?? [],
            sites: texts("sites", of: object, at: pointer),
            permissions: texts("permissions", of: object, at: pointer) ?? [],
            providerNumbers: texts("providerNumbers", of: object, at: pointer) ?? [],
            getsRefreshTokens: truth("refreshTokens", of: object, at: pointer),
            isDisabled: truth("disabled", of: object, at: pointer)
        )
        return id == nil ? nil : client
    }

    /// `+` begins the session suffix, `:` ends the id in HTTP Basic, `%` would be decoded there.
    private static func isValid(id: String) -> Bool {
        (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && !#"+:%"\"#.utf8.contains($0)
            }
    }

    private mutating func text(
        _ name: String,
        of object: JSONObject,
        at pointer: JSONPointer
    ) -> String? {
        guard let value = object[name] else {
            fault(pointer.appending(name), "The member is required.")
            return nil
        }
        guard let text = value.string else {
            fault(pointer.appending(name), "A string is expected, not \(value.typeName).")
            return nil
        }
        return text
    }

    private mutating func texts(
        _ name: String,
        of object: JSONObject,
        at pointer: JSONPointer
    ) -> [String]? {
        guard let value = object[name] else { return nil }
        guard let elements = value.array else {
            fault(
                pointer.appending(name),
                "An array of strings is expected, not \(value.typeName)."
            )
            return nil
        }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            let place = pointer.appending(name).appending(index)
            guard let text = element.string else {
                fault(place, "A string is expected, not \(element.typeName).")
                continue
            }
            if text.isEmpty { fault(place, "The text must not be empty.") }
            if texts.contains(text) { fault(place, "The text stands twice.") }
            texts.append(text)
        }
        return texts
    }

    private mutating func truth(
        _ name: String,
        of object: JSONObject,
        at pointer: JSONPointer
    ) -> Bool {
        guard let value = object[name] else { return false }
        guard let truth = value.bool else {
            fault(pointer.appending(name), "true or false is expected, not \(value.typeName).")
            return false
        }
        return truth
    }

    private mutating func fault(_ pointer: JSONPointer, _ explanation: String) {
        faults.append(.init(pointer: pointer, explanation: explanation))
    }
}

import Contract
import JSON
import Journal
import OAuth
import QUBS
import Time

// What is said of requests that were refused for who made them.

extension BrokenRules {
    // MARK: Tokens and what they open

    var token: BrokenRule {
        let own = operation?.pointer.appending("security")
        let pointer = own.flatMap { $0.value(in: contract.document) == nil ? nil : $0 }
        var rule = BrokenRule(
            location: "header",
            name: "Authorization",
            keyword: "security",
            message: "Send an access token of the token endpoint.",
            expected: "Bearer <token>",
            pointer: pointer ?? JSONPointer(["security"])
        )
        switch entry.refusal {
        case .tokenExpired:
            let expiry = entry.tokenExpiry.map { Instant(secondsSince1970: $0).rfc3339 }
            rule.message =
                "Ask for a new token: this one expired\(expiry.map { " at \($0)" } ?? ""), and it "
                + "was \(requestTime.rfc3339) in the session."
        case .tokenInvalid:
            rule.message =
                "Ask for a new token, and send it unchanged: this one is malformed, not valid yet, "
                + "or not signed here with a key that is published now."
        default:
            if entry.traits.contains(.authorization) {
                rule.message = "Send the access token with the scheme Bearer, and no other."
            }
        }
        return rule
    }

    var domain: BrokenRule {
        let domains = facts.caller?.domains ?? []
        let sent = facts.sent("domain")
        let isTokens = sent.map(domains.contains) ?? false
        return BrokenRule(
            location: "path",
            name: "domain",
            keyword: "domains",
            message: isTokens
                ? "Ask for a new token: the client may use the domain, this token cannot."
                : "Name a domain that the client may use, or use another client.",
            expected: .array(domains.map(JSONValue.string)),
            sent: sent,
            pointer: parameter("domain")
        )
    }

    var site: BrokenRule {
        let name = operation?.siteGrantParameter
        return BrokenRule(
            location: "path",
            name: name,
            keyword: "x-site-grant",
            message: "Name a site that the client may use, or use another client.",
            expected: (facts.caller?.sites).map { .array($0.map(JSONValue.string)) } ?? .null,
            sent: name.flatMap(facts.sent),
            pointer: operation?.pointer.appending("x-site-grant")
        )
    }

    var permission: BrokenRule {
        BrokenRule(
            location: "header",
            name: "Authorization",
            keyword: "x-required-permission",
            message: "Send a token with this permission\(helped).",
            expected: extensionValue("x-required-permission"),
            pointer: operation?.pointer.appending("x-required-permission")
        )
    }

    var providerNumbers: BrokenRule {
        BrokenRule(
            location: "header",
            name: "Authorization",
            keyword: "x-required-grant",
            message: "Send a token that holds at least one of these\(helped).",
            expected: extensionValue("x-required-grant"),
            pointer: operation?.pointer.appending("x-required-grant")
        )
    }

    /// Whose token would do.
    private var helped: String { facts.helper.map { ", such as one of \($0.id)" } ?? "" }

    // MARK: Token endpoint

    /// What the journal knows of a refused token request, which keeps nothing of its form.
    var grant: BrokenRule {
        func member(
            _ name: String,
            _ code: String,
            _ message: String,
            _ expected: JSONValue = .null,
            sent: String? = nil
        ) -> BrokenRule {
            BrokenRule(
                location: "body",
                name: name,
                keyword: code,
                message: message,
                expected: expected,
                sent: sent,
                pointer: bodyMember(name)
            )
        }
        let isForm = operation?.requestBody?.contents.contains {
            $0.range.description == entry.details.contentType?.lowercased()
        }
        if isForm != true { return mediaType }
        let clients = facts.clients.clients.filter { !$0.isDisabled }
        let names = JSONValue.array(clients.map { .string($0.id) })
        guard let client = facts.caller else {
            return member(
                "client_id",
                "invalid_client",
                "Send the id of one of these clients, with its secret, each once, in a form.",
                names
            )
        }
        if client.isDisabled {
            return member(
                "client_id",
                "invalid_client",
                "Use another client: this one is disabled.",
                names,
                sent: client.id
            )
        }
        if entry.details.grant == .refreshToken {
            return member(
                "refresh_token",
                "invalid_grant",
                "Send a refresh token that was issued to this client and has not expired, or ask "
                    + "with client_credentials."
            )
        }
        if entry.status == 401 {
            return member(
                "client_secret",
                "invalid_client",
                "Send the secret that belongs to the client."
            )
        }
        let grants: [JSONValue] =
            client.getsRefreshTokens
            ? ["client_credentials", "refresh_token"] : ["client_credentials"]
        return member(
            "grant_type",
            "grant",
            "Send a grant_type that the client may use, and the client's own secret, each once.",
            .array(grants)
        )
    }
}

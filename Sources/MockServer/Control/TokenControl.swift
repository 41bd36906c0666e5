import JSON
import Journal
import OAuth
import QUBS
import Time

/// Tag Tokens of the control API.
enum TokenControl {
    static let entries: [ControlEntry] = [
        ("Admin_CreateToken", create),
        ("Admin_ListKeys", listKeys),
        (rotation, rotate),
    ]

    /// The operation that makes a key, which takes long.
    static let rotation = "Admin_RotateKeys"

    private static func create(_ call: ControlCall) throws(Problem) -> Answer {
        let named: (client: Client, session: String)
        do throws(OAuthError) {
            named = try call.server.clients.resolve(call.body["clientId"]?.string ?? "")
        } catch {
            throw Problem(
                .contract,
                400,
                error.description,
                errors: [("/clientId", [error.description])]
            )
        }
        if named.client.isDisabled {
            throw Problem(
                .contract,
                400,
                "Client \(named.client.id) is disabled: it gets no tokens."
            )
        }
        // The session of the client id wins over that of the query.
        let session =
            named.session == SessionName.default
            ? try call.openSession() : try call.context.sessions.opened(named.session)
        do throws(OAuthError) {
            let response = try call.server.issuer.issue(
                to: named.client,
                session: session.name,
                now: session.clock.now().secondsSince1970,
                lifetimeSeconds: Int64(
                    call.body["expiresIn"]?.int ?? Int(TokenIssuer.defaultLifetimeSeconds)
                ),
                flaw: call.body["flaw"]?.string.flatMap(TokenFlaw.init(rawValue:)),
                using: &call.call.worker.secureGenerator
            )
            return .json(response.json)
        } catch {
            throw Problem(.unavailable, 500, error.description)
        }
    }

    private static func listKeys(_ call: ControlCall) throws(Problem) -> Answer {
        keys(of: call.server.keys)
    }

    private static func rotate(_ call: ControlCall) throws(Problem) -> Answer {
        do throws(SigningKeyError) {
            try call.server.keys.rotate(now: SigningKeys.now.secondsSince1970)
        } catch {
            throw Problem(.unavailable, 500, "No new key could be made: \(error)")
        }
        return keys(of: call.server.keys)
    }

    private static func keys(of keys: SigningKeys) -> Answer {
        let entries = keys.entries(now: SigningKeys.now.secondsSince1970)
        let items = entries.map { entry in
            var object = entry.key.publicJWK.object ?? JSONObject()
            object["signs"] = .bool(entry.retiresAt == nil)
            object["retiresAt"] = entry.retiresAt.map {
                .string(Instant(secondsSince1970: $0).rfc3339)
            }
            return JSONValue.object(object)
        }
        return .json(["items": .array(items)])
    }
}

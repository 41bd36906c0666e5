import ArgumentParser
import MockServer
import OAuth
import Time

/// `qubs-mock token`: an access token without a server.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token signed with the mock's key, without a server."
    )

    @Option(help: "Client to issue the token to; client+session chooses a session, too.")
    var clientID: String
    @Option(help: "Session that the token shall belong to.")
    var session: String?
    @Option(
        help: ArgumentHelp(
            "What shall be wrong with it: "
                + TokenFlaw.allCases.map(\.rawValue).joined(separator: ", ") + "."
        )
    )
    var flaw: TokenFlaw?
    @Option(help: "Seconds until it expires.")
    var expiresIn: Int64 = TokenIssuer.defaultLifetimeSeconds
    @Option(help: "Folder of fixture files whose clients and key to use.")
    var fixtures: String?

    func validate() throws {
        let lifetimes = TokenIssuer.lifetimesInSeconds
        _ = try OptionCheck.number(expiresIn, "expires-in", in: lifetimes, "seconds")
        if let session { _ = try OptionCheck.session(session) }
    }

    func run() throws {
        let contract = try ServerComposition.contract()
        let folder = try fixtures.map { try ServerComposition.folder($0, contract: contract) }
        let identities = try ServerComposition.identities(of: folder)
        if let folder, let path = fixtures {
            let faults = IdentityFaults.ofForm(in: folder)
            if let first = faults.first {
                throw Failure(message: FixtureFaultText.summary(first, of: faults.count, path))
            }
        }
        let clients: ClientRegistry
        let keys: SigningKeys
        do {
            clients = try ClientRegistry(identities.clients)
            keys = try SigningKeys(developmentKey: identities.signingKey)
        } catch {
            throw Failure(message: "the built-in clients or their key are not valid: \(error)")
        }
        do throws(OAuthError) {
            let named = try clients.resolve(clientID)
            var generator = SystemRandomNumberGenerator()
            let response = try TokenIssuer(keys: keys).issue(
                to: named.client,
                session: session ?? named.session,
                now: SystemTime.wall() / 1_000_000_000,
                lifetimeSeconds: expiresIn,
                flaw: flaw,
                using: &generator
            )
            Output.line(response.accessToken)
        } catch {
            throw Failure(message: error.description)
        }
    }
}

extension TokenFlaw: ExpressibleByArgument {}

import ArgumentParser
import HTTPMessage
import JSON
import MockServer
import OAuth

/// `qubs-mock env`: what a client needs in its environment to reach a server.
struct EnvCommand: ParsableCommand {
    /// What the variables are printed as.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case sh
        case dotenv
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Print the variables that a client needs, as run sets them.",
        discussion: """
            eval "$(qubs-mock env)" sets QUBS_BASE_URL, QUBS_TOKEN_URL, QUBS_DOMAIN, QUBS_CLIENT_ID \
            and QUBS_CLIENT_SECRET in a shell. No server is asked.
            """
    )

    @OptionGroup var server: ServerAddress
    @Option(help: "Client whose credentials to print; client+session chooses a session, too.")
    var client = "acme-partner"
    @Option(help: "Session that the client shall belong to.")
    var session: String?
    @Option(help: "Form of the variables: sh, dotenv or json.")
    var format = Format.sh
    @Option(help: "Folder of fixture files whose clients to use.")
    var fixtures: String?

    func validate() throws {
        if let session { _ = try OptionCheck.session(session) }
        _ = try OptionCheck.path(fixtures, "fixtures")
    }

    func run() throws {
        let variables = try variables(of: try server.base())
        switch format {
        case .sh: Output.text(variables.shell)
        case .dotenv: Output.text(variables.dotenv)
        case .json: Output.text(variables.json)
        }
    }

    private func variables(of base: HTTPURL) throws(Failure) -> ClientVariables {
        let contract = try ServerComposition.contract()
        let folder = try fixtures.map { path throws(Failure) in
            try ServerComposition.folder(path, contract: contract)
        }
        let identities = try ServerComposition.identities(of: folder)
        let registry: ClientRegistry
        do throws(ClientRegistryError) {
            registry = try ClientRegistry(identities.clients)
        } catch {
            throw Failure(message: "the clients are not valid: \(error)")
        }
        do throws(OAuthError) {
            let named = try registry.resolve(client)
            let records = identities.clients.array ?? []
            let record = records.first { $0["clientId"]?.string == named.client.id }
            return ClientVariables(
                baseURL: base.text,
                domain: named.client.domains.first ?? "",
                clientID: named.client.id,
                secret: record?["clientSecret"]?.string ?? "",
                session: session ?? named.session
            )
        } catch {
            throw Failure(message: error.description)
        }
    }
}

import Contract
import ContractData
import Journal
import OAuth
import Store
import Synchronization
import Time

/// What a request to the emulated API needs of the server: all that can be read, nothing that can be
/// started, stopped or changed.
final class ServerContext: Sendable {
    let configuration: Configuration
    let contract: OpenAPIContract
    let clients: ClientRegistry
    let keys: SigningKeys
    let issuer: TokenIssuer
    let reporting: ReportingSettings
    /// The longest that the URL of a download is given out for, in seconds.
    let longestDownloadSeconds: Int64
    /// How billing is written, for appointments that have no billing record.
    let billingShape: ViewShape
    /// The key of the journal's digests.
    let digestKey: JournalDigest.Key
    /// Where the server listens, such as `http://127.0.0.1:8080`, once it does.
    let baseURL = Mutex("")

    init(
        configuration: Configuration,
        contract: OpenAPIContract,
        clients: ClientRegistry,
        keys: SigningKeys
    ) {
        self.configuration = configuration
        self.contract = contract
        self.clients = clients
        self.keys = keys
        issuer = TokenIssuer(keys: keys)
        reporting = ReportingSettings(contract: contract)
        longestDownloadSeconds = Self.longestDownloadSeconds(contract)
        billingShape = ViewShape("AppointmentBillingResponse", in: contract.document)
        var generator = SystemRandomNumberGenerator()
        digestKey = JournalDigest.Key(generator.next(), generator.next())
    }

    /// The upper end of `urlTtlSeconds`, as the contract has it.
    private static func longestDownloadSeconds(_ contract: OpenAPIContract) -> Int64 {
        let ends = contract.operations.flatMap(\.parameters).filter { $0.name == "urlTtlSeconds" }
            .compactMap(\.clamp?.upperBound)
        guard let longest = ends.max() else {
            preconditionFailure("the contract bounds no urlTtlSeconds")
        }
        return Int64(longest)
    }
}

extension SigningKeys {
    /// The time that signing keys retire by: they belong to the server, so no session moves it.
    static var now: Instant {
        Instant(secondsSince1970: SystemTime.wall().floorDivided(by: 1_000_000_000))
    }
}

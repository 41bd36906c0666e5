import ArgumentParser
import HTTPMessage
import HTTPTransport

/// Where the server is that a subcommand asks: the options `--url`, `--host` and `--port`.
///
/// Without `--url` it is where `serve` listens with the same options and variables, so that a
/// container needs to name its port only once.
struct ServerAddress: ParsableArguments {
    private static let defaults = TransportConfiguration()

    @Option(
        help: "Base URL of the server (default: http://\(defaults.host):\(defaults.port))."
    )
    var url: String?
    @Option(help: "Address that the server listens on, without --url.")
    var host = defaults.host
    @Option(help: "Port that the server listens on, without --url.")
    var port = defaults.port

    func validate() throws { _ = try base() }

    /// The base URL of the server.
    ///
    /// - Throws: `ValidationError` where the options name no server.
    func base() throws(ValidationError) -> HTTPURL {
        guard let url else {
            _ = try OptionCheck.number(port, "port", in: 0...65_535)
            guard port > 0 else {
                throw ValidationError(
                    "--port 0 takes a free port, which nobody else knows: name the server by --url."
                )
            }
            let host = try OptionCheck.text(host, "host", "an address or a name")
            return try OptionCheck.url(
                "http://\(Authority(host: Self.reachable(host), port: port).text)",
                "host",
                "an address or a name"
            )
        }
        let what = "http://host:port without a path"
        let base = try OptionCheck.url(url, "url", what)
        guard base.scheme == .http, base.path.isEmpty else {
            throw ValidationError("--url takes \(what), not \(url).")
        }
        return base
    }

    /// An address to connect to: a server that listens on all is on loopback, too.
    static func reachable(_ host: String) -> String {
        switch Authority(host: host, port: nil).host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        case let other: other
        }
    }
}

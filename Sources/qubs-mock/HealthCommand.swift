import ArgumentParser
import HTTPMessage

/// `qubs-mock health`: exit 0 when a server is ready, for container health checks.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Exit 0 when the server is ready, else 1."
    )

    @OptionGroup var server: ServerAddress

    func run() throws {
        let base = try server.base()
        let status = try SmallHTTPClient.status(
            of: "/__admin/ready",
            at: base,
            timeoutSeconds: 5
        )
        guard status == 200 else {
            throw Failure(message: "\(base.text) answers \(status) to /__admin/ready")
        }
    }
}

import ArgumentParser
import Glibc
import HTTPMessage
import Time

/// `qubs-mock health`: exit 0 when a server is ready, for container health checks.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Exit 0 when the server is ready, else 1."
    )

    @OptionGroup var server: ServerAddress
    @Option(help: "How long to wait until it is, such as 10s (default: not at all).")
    var wait: String?

    /// How long one answer may take.
    private static let timeoutSeconds = 5
    private static let pauseMicroseconds: UInt32 = 50_000

    func validate() throws { _ = try patience() }

    func run() throws {
        let base = try server.base()
        let start = MonotonicTime.now()
        let patience = try patience()
        while true {
            do throws(Failure) {
                return try Self.check(base)
            } catch {
                guard MonotonicTime.now() - start < patience else {
                    throw Failure(message: error.message + (wait.map { " (waited \($0))" } ?? ""))
                }
            }
            usleep(Self.pauseMicroseconds)
        }
    }

    /// `--wait` in nanoseconds.
    private func patience() throws(ValidationError) -> UInt64 {
        guard let wait else { return 0 }
        do throws(DurationError) {
            let nanoseconds = try DurationText.nanoseconds(
                parsing: wait,
                maximum: 24 * 3_600_000_000_000
            )
            return UInt64(nanoseconds)
        } catch {
            throw ValidationError("--wait takes a duration, not \(wait): it \(error.explanation).")
        }
    }

    private static func check(_ base: HTTPURL) throws(Failure) {
        let status = try SmallHTTPClient.status(
            of: "/__admin/ready",
            at: base,
            timeoutSeconds: timeoutSeconds
        )
        guard status == 200 else {
            throw Failure(message: "\(base.text) answers \(status) to /__admin/ready")
        }
    }
}

import ArgumentParser
import JSON
import MockServer
import OAuth

/// `qubs-mock verdict`: what a client of a running server did right and wrong.
struct VerdictCommand: ParsableCommand {
    /// What the verdict is printed as.
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case text
        case json
        case junit
        case markdown
    }

    static let configuration = CommandConfiguration(
        commandName: "verdict",
        abstract: "Print the verdict on the client of a running server.",
        discussion: """
            Exit status: 0 every exercised check passes, 1 some check fails, 2 nothing was exercised \
            or a pass mark of the scenario was not, 3 there is no verdict.
            """
    )

    @Option(help: "Base URL of the server.")
    var url = "http://127.0.0.1:8080"
    @Option(help: "Session whose client is judged.")
    var session = SessionName.default
    @Option(help: "Form of the report: text, json, junit or markdown.")
    var format = Format.text
    @Flag(help: "Let a failed \"should\" fail the whole.")
    var strict = false
    @Option(help: "Admin token of a server that is not bound to loopback.")
    var adminToken: String?

    func validate() throws {
        try HTTPURL.validate(url)
        guard SessionName.isValid(session) else {
            throw ValidationError("--session takes \(SessionName.rule).")
        }
    }

    func run() throws {
        let status: Int32
        do throws(Failure) {
            status = try printVerdict()
        } catch {
            throw Failure(message: error.message, status: Judgement.failureStatus)
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// Prints the verdict and returns the exit status.
    private func printVerdict() throws(Failure) -> Int32 {
        // The JSON tells the exit status, whatever is printed.
        let octets = try report("json")
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(octets)
        } catch {
            throw Failure(message: "\(url) answers no verdict: \(error.explanation)")
        }
        switch format {
        case .json: Output.line(String(decoding: octets, as: UTF8.self))
        case .text:
            let colour = Output.isColourful(1) ? "&colour=true" : ""
            Output.text(String(decoding: try report("text\(colour)"), as: UTF8.self))
        case .junit, .markdown:
            Output.text(String(decoding: try report(format.rawValue), as: UTF8.self))
        }
        return Judgement.exitStatus(of: value)
    }

    /// Verdicts over long journals take a moment.
    private static let timeoutSeconds = 60

    private func report(_ format: String) throws(Failure) -> [UInt8] {
        guard let target = HTTPURL(url) else { throw Failure(message: "no URL: \(url)") }
        let (status, content) = try SmallHTTPClient.get(
            "/__admin/verdict?session=\(session)&strict=\(strict)&format=\(format)",
            at: target,
            timeoutSeconds: Self.timeoutSeconds,
            bearerToken: adminToken
        )
        if status == 200 { return content }
        let detail = (try? JSONParser.parse(content))?["detail"]?.string
        throw Failure(message: "\(url) answers \(status): \(detail ?? "no verdict")")
    }
}

/// `--scenario`, of `serve` and `run`.
enum ScenarioOption {
    /// Refuses what is neither a built-in scenario nor like the path of a file.
    static func validate(_ scenario: String) throws {
        if ServerComposition.isScenarioFile(scenario) { return }
        let names = try ServerComposition.scenarioNames()
        guard names.contains(scenario) else {
            throw ValidationError(
                "--scenario takes \(names.joined(separator: ", ")), or the path of a file, "
                    + "not \(scenario)."
            )
        }
    }
}

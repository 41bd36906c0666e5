import ArgumentParser
import HTTPMessage
import JSON
import MockServer
import OAuth
import Store

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
        abstract: "Print the verdict on the client of a running server, or of a recording.",
        discussion: """
            --har judges a recording of a client's requests (HAR 1.2), as proxies and browsers write it. \
            Checks that need what only the mock knows are not judged.

            Exit status: 0 every must that was exercised passes, 1 a must fails (with --strict: or a \
            should), 2 incomplete: nothing was exercised, or nothing that the scenario is about, 3 there \
            is no verdict, 64 wrong command line.
            """
    )

    @OptionGroup var server: ServerAddress
    @Option(help: "Session whose client is judged, or several: a,b or ci-* or *.")
    var session = SessionName.default
    @Option(help: ArgumentHelp("Recording to judge, instead of a server.", valueName: "file"))
    var har: String?
    @Option(help: "Form of the report: text, json, junit or markdown.")
    var format = Format.text
    @Flag(help: "Let a failed \"should\" fail the whole.")
    var strict = false
    @Option(help: "Admin token of a server that is not bound to loopback.")
    var adminToken: String?

    func validate() throws {
        for name in session.split(separator: ",", omittingEmptySubsequences: false) {
            _ = try OptionCheck.session(String(name.replacing("*", with: "-")))
        }
        if let adminToken { _ = try OptionCheck.secret(adminToken, "admin-token") }
    }

    func run() throws {
        if let har {
            let status = try printVerdict(ofRecording: har)
            if status != 0 { throw ExitCode(status) }
            return
        }
        let base = try server.base()
        let status: Int32
        do throws(Failure) {
            status = try printVerdict(of: base)
        } catch {
            throw Failure(message: error.message, status: Judgement.failureStatus)
        }
        if status != 0 { throw ExitCode(status) }
    }

    /// Prints the verdict and returns the exit status.
    private func printVerdict(of base: HTTPURL) throws(Failure) -> Int32 {
        // The JSON tells the exit status, whatever is printed.
        let octets = try report("json", of: base)
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(octets)
        } catch {
            throw Failure(message: "\(base.text) answers no verdict: \(error.explanation)")
        }
        switch format {
        case .json: Output.line(String(decoding: octets, as: UTF8.self))
        case .text:
            let colour = Output.isColourful(1) ? "&colour=true" : ""
            Output.text(String(decoding: try report("text\(colour)", of: base), as: UTF8.self))
        case .junit, .markdown:
            Output.text(String(decoding: try report(format.rawValue, of: base), as: UTF8.self))
        }
        return Judgement.exitStatus(of: value)
    }

    /// Octets of a recording that are read.
    private static let maximumRecording = 256 << 20

    /// Judges a recording, prints the verdict and returns the exit status.
    private func printVerdict(ofRecording path: String) throws(Failure) -> Int32 {
        func unusable(_ reason: String) -> Failure {
            Failure(message: "--har \(path): \(reason)", status: Failure.misuse)
        }
        let octets: [UInt8]?
        do throws(FileError) {
            octets = try FileSystem.contents(of: path, maximumOctets: Self.maximumRecording)
        } catch {
            throw unusable(error.explanation)
        }
        guard let octets else { throw unusable("there is no such file") }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(octets)
        } catch {
            throw unusable(error.explanation(in: octets))
        }
        let archive: HTTPArchive
        do throws(HTTPArchive.Flaw) {
            archive = try HTTPArchive(value)
        } catch {
            throw unusable(error.reason)
        }
        let verdict = RecordingVerdict(
            archive,
            contract: try ServerComposition.contract(),
            isStrict: strict
        )
        if verdict.others > 0 {
            Output.error(
                "qubs-mock: \(verdict.others) of \(archive.exchanges.count) requests are none of the "
                    + "API's, and are not judged"
            )
        }
        let judgement = verdict.judgement
        switch format {
        case .json: Output.line(String(decoding: judgement.json, as: UTF8.self))
        case .text: Output.text(judgement.text(colour: Output.isColourful(1)))
        case .junit: Output.text(judgement.junit)
        case .markdown: Output.text(judgement.markdown)
        }
        return judgement.exitStatus()
    }

    /// Verdicts over long journals take a moment.
    private static let timeoutSeconds = 60

    private func report(_ format: String, of base: HTTPURL) throws(Failure) -> [UInt8] {
        let (status, content) = try SmallHTTPClient.get(
            "/__admin/verdict?session=\(session)&strict=\(strict)&format=\(format)",
            at: base,
            timeoutSeconds: Self.timeoutSeconds,
            bearerToken: adminToken
        )
        if status == 200 { return content }
        let detail = (try? JSONParser.parse(content))?["detail"]?.string
        throw Failure(message: "\(base.text) answers \(status): \(detail ?? "no verdict")")
    }
}

/// `--scenario`, of `serve` and `run`.
enum ScenarioOption {
    /// The scenario, where it is a built-in one or looks like the path of a file.
    static func validated(_ scenario: String) throws -> String {
        if ServerComposition.isScenarioFile(scenario) { return scenario }
        let names = try ServerComposition.scenarioNames()
        guard names.contains(scenario) else {
            throw ValidationError(
                "--scenario takes \(names.joined(separator: ", ")), or the path of a file, "
                    + "not \(scenario).\(OptionCheck.meant(scenario, among: names))"
            )
        }
        return scenario
    }
}

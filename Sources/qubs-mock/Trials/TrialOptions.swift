import ArgumentParser
import Glibc
import JSON
import MockServer
import Store
import Time

/// The options of `run` and `sweep`: who the client is, what goes wrong, what is written.
struct TrialOptions: ParsableArguments {
    @Option(help: "Client whose credentials the command gets.")
    var client = "acme-partner"
    @Option(help: "Domain that the command is told (default: the first of the client).")
    var domain: String?
    @Option(
        help: ArgumentHelp(
            "Further variable of the command; {baseURL}, {tokenURL}, {domain}, {clientId}, "
                + "{clientSecret} and {session} are filled in; can be repeated.",
            valueName: "name=template"
        )
    )
    var env: [String] = []
    @Option(help: "File of fault rules for every trial.")
    var faults: String?
    @Option(
        help: ArgumentHelp(
            "Fault rule as JSON for every trial; can be repeated.",
            valueName: "json"
        )
    )
    var fault: [String] = []
    @Option(help: "Folder of fixture files to start from (default: the built-in data).")
    var fixtures: String?
    @Option(help: "Seed of whatever is drawn.")
    var seed: UInt64 = 1
    @Option(help: "Day around which the data lie, such as 2026-11-28 (default: the present one).")
    var today: String?
    @Option(help: "Whether the data change by themselves: still or living.")
    var world = WorldMode.still
    @OptionGroup var readingOptions: ReadingOptions
    @Option(help: "Seconds after which a command is ended, and has failed.")
    var timeout: Int?
    @Option(help: "Exit status that is asked of the command.")
    var expectExit: Int32 = 0
    @Option(
        help: ArgumentHelp(
            "File for the report: .json, .xml (JUnit), .md or .html; can be repeated.",
            valueName: "file"
        )
    )
    var report: [String] = []
    @Option(
        help: ArgumentHelp(
            "File for the journal, as GET /__admin/requests answers it: .json.",
            valueName: "file"
        )
    )
    var journal: String?
    @Flag(help: "Let a failed \"should\" fail the whole.")
    var strict = false
    @Option(help: "Requests that are kept for a verdict.")
    var journalSize = 100_000

    func check() throws {
        _ = try OptionCheck.text(client, "client", "the id of a client")
        if let domain { _ = try OptionCheck.text(domain, "domain", "the name of a domain") }
        for text in env { _ = try Self.variable(text) }
        _ = try OptionCheck.path(faults, "faults")
        _ = try OptionCheck.path(fixtures, "fixtures")
        _ = try rules()
        _ = try OptionCheck.number(journalSize, "journal-size", in: 1...1_000_000)
        _ = try OptionCheck.date(today, "today")
        _ = try readingOptions.settings()
        _ = try OptionCheck.number(expectExit, "expect-exit", in: 0...255)
        for path in report where ReportFile.form(of: path) == nil {
            throw ValidationError("--report takes a file that ends in \(ReportFile.endings).")
        }
        if let journal, !journal.hasSuffix(".json") {
            throw ValidationError("--journal takes a file that ends in .json.")
        }
        if let timeout { _ = try OptionCheck.number(timeout, "timeout", in: 1...86_400) }
    }

    /// Name and template of `--env`.
    static func variable(_ text: String) throws(ValidationError) -> (String, String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ValidationError("--env takes NAME=TEMPLATE, not \(text).")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// The rules of `--fault`.
    func rules() throws(ValidationError) -> [JSONValue] {
        var rules: [JSONValue] = []
        for text in fault {
            let rule: JSONValue
            let octets = Array(text.utf8)
            do throws(JSONError) {
                rule = try JSONParser.parse(octets)
            } catch {
                throw ValidationError(
                    "--fault takes a fault rule as JSON: \(error.explanation(in: octets))."
                )
            }
            guard rule.object != nil else {
                throw ValidationError("--fault takes one rule, an object, not \(rule.typeName).")
            }
            rules.append(rule)
        }
        return rules
    }

    /// Finds out before a long run whether all files can be written.
    func checkFiles() throws(Failure) {
        for path in report { try ReportFile.check(path, "--report") }
        if let journal { try ReportFile.check(journal, "--journal") }
    }

    /// The options that a line has to repeat which makes one of these trials again.
    var repeated: [String] {
        let plain = TrialOptions.defaults
        var words: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { words += ["--\(name)", value] }
        }
        if client != plain.client { add("client", client) }
        add("domain", domain)
        for text in env { add("env", text) }
        add("faults", faults)
        for text in fault { add("fault", text) }
        add("fixtures", fixtures)
        if seed != plain.seed { add("seed", String(seed)) }
        add("today", today)
        if world != plain.world { add("world", world.rawValue) }
        for text in readingOptions.reading { add("reading", text) }
        add("nasty", readingOptions.nasty)
        add("timeout", timeout.map { String($0) })
        if expectExit != plain.expectExit { add("expect-exit", String(expectExit)) }
        if strict { words.append("--strict") }
        return words
    }

    private static var defaults: (client: String, seed: UInt64, world: WorldMode, expectExit: Int32)
    { ("acme-partner", 1, .still, 0) }
}

import ArgumentParser
import HTTPMessage
import JSON
import MockServer
import OAuth
import Store

/// `qubs-mock changes`: what clients changed in the data of a running server.
struct ChangesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "Print what clients changed in the data of a running server.",
        discussion: """
            One line for each effect, oldest first, within a JSON document. With --normalised it holds \
            lasting effects of clients alone, without ids, times and requests: runs with the same effects \
            print the same.

            Exit status: 0, also where the changes are those of --expect; 1 they are others, and what \
            differs is printed; 3 there is no list; 64 misuse, or an unreadable file.
            """
    )

    @OptionGroup var server: ServerAddress
    @Option(help: "Session whose data are meant.")
    var session = SessionName.default
    @Flag(help: "Print lasting effects only, without what differs from run to run.")
    var normalised = false
    @Option(help: "File that --normalised printed; print what differs from it, and exit 1.")
    var expect: String?
    @Option(help: "Admin token of a server that is not bound to loopback.")
    var adminToken: String?

    /// The exit status where there is no list to print.
    private static let failureStatus: Int32 = 3
    /// Long lists take a moment.
    private static let timeoutSeconds = 60

    func validate() throws {
        _ = try OptionCheck.session(session)
        if let adminToken { _ = try OptionCheck.secret(adminToken, "admin-token") }
        if let expect { _ = try Self.expected(expect) }
    }

    func run() throws {
        let base = try server.base()
        let expected = try expect.map { try Self.expected($0) }
        let list: ChangeListText
        do throws(Failure) {
            list = try changes(of: base, isNormalised: normalised || expected != nil)
        } catch {
            throw Failure(message: error.message, status: Self.failureStatus)
        }
        guard let expected else { return Output.text(list.text) }
        let differences = list.differences(from: expected)
        if differences.isEmpty { return }
        Output.text(differences)
        throw ExitCode(1)
    }

    private func changes(
        of base: HTTPURL,
        isNormalised: Bool
    ) throws(Failure) -> ChangeListText {
        let (status, content) = try SmallHTTPClient.get(
            "/__admin/changes?session=\(session)&normalised=\(isNormalised)",
            at: base,
            timeoutSeconds: Self.timeoutSeconds,
            bearerToken: adminToken
        )
        if status == 200, let list = ChangeListText(content) { return list }
        let detail = (try? JSONParser.parse(content))?["detail"]?.string
        throw Failure(message: "\(base.text) answers \(status): \(detail ?? "no list of changes")")
    }

    /// The list of a file.
    private static func expected(_ path: String) throws(ValidationError) -> ChangeListText {
        let octets: [UInt8]?
        do throws(FileError) {
            octets = try FileSystem.contents(of: path)
        } catch {
            throw ValidationError("--expect \(path): \(error.explanation).")
        }
        guard let octets else { throw ValidationError("--expect \(path): there is no such file.") }
        if let list = ChangeListText(octets) { return list }
        throw ValidationError(
            "--expect takes what qubs-mock changes --normalised printed; \(path) holds no such list."
        )
    }
}

/// A list of changes, with a line for each of them.
struct ChangeListText {
    /// The items as compact JSON.
    private let items: [String]
    private let dropped: Int

    /// `nil` where the octets are no such list.
    init?(_ octets: [UInt8]) {
        guard let list = try? JSONParser.parse(octets), let items = list["items"]?.array,
            let dropped = list["dropped"]?.int
        else { return nil }
        self.items = items.map { JSONWriter.text(of: $0) }
        self.dropped = dropped
    }

    /// The list as a JSON document.
    var text: String {
        let lines = items.joined(separator: ",\n")
        return "{\"items\":[\n\(lines)\(items.isEmpty ? "" : "\n")],\"dropped\":\(dropped)}\n"
    }

    /// What is missing, with a minus before it, and what is not expected, with a plus; empty where the
    /// lists are the same.
    func differences(from expected: ChangeListText) -> String {
        var counts: [String: Int] = [:]
        for item in items { counts[item, default: 0] += 1 }
        var missing: [String] = []
        for item in expected.items {
            if let count = counts[item], count > 0 {
                counts[item] = count - 1
            } else {
                missing.append(item)
            }
        }
        var added: [String] = []
        for item in items.reversed() {
            guard let count = counts[item], count > 0 else { continue }
            counts[item] = count - 1
            added.append(item)
        }
        var lines = missing.map { "- \($0)" } + added.reversed().map { "+ \($0)" }
        if dropped != expected.dropped {
            lines += ["- dropped \(expected.dropped)", "+ dropped \(dropped)"]
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

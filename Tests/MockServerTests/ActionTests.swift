import Foundation
import JSON
import MockServer
import TestSupport
import TestTools
import Testing

/// `action.yml` and the script of its step.
@Suite("The GitHub Action")
struct ActionTests {
    /// Runs the step as a runner does.
    ///
    /// - Returns: Exit status, standard output, and the summary of the job.
    private func step(
        _ variables: [String: String],
        path: String? = nil,
        in folder: TemporaryFolder
    ) throws -> (status: Int32, output: String, summary: String) {
        let inherited = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let summary = folder.path("summary")
        let step = try ChildProcess(
            "/bin/bash",
            [Repository.path("packaging/action.sh")],
            environment: [
                "PATH": path ?? "\(ChildProcess.products):\(inherited)",
                "RUNNER_TEMP": folder.path, "GITHUB_STEP_SUMMARY": summary,
            ]
            .merging(variables) { $1 },
            in: folder
        )
        let status = try step.exitStatus()
        let text = (try? String(contentsOfFile: summary, encoding: .utf8)) ?? ""
        return (status, step.output + step.errorOutput, text)
    }

    private static let client = """
        curl -sS -o /dev/null "$QUBS_TOKEN_URL" -d grant_type=client_credentials \
          --data-urlencode "client_id=$QUBS_CLIENT_ID" -d "client_secret=$QUBS_CLIENT_SECRET" \
          -H "X-Correlation-Id: it's"
        """

    @Test("The client is judged, and the verdict stands in the summary")
    func judges() throws {
        let folder = try TemporaryFolder()
        let good = try step(["ACTION_COMMAND": Self.client], in: folder)
        #expect(good.status == 0, "\(good.output)")
        #expect(good.summary.contains("auth."), "\(good.summary)")
        let failing = try step(["ACTION_COMMAND": "exit 7"], in: folder)
        #expect(failing.status == 3, "\(failing.output)")
        let suite = try step(
            ["ACTION_COMMAND": Self.client, "ACTION_SUITE": "calm"],
            in: folder
        )
        // The client meets nothing that the scenario asks for but its token.
        #expect(suite.summary.contains("qubs-mock run --suite"), "\(suite.output)")
        let wrong = try step(["ACTION_COMMAND": "true", "ACTION_SUITE": "nosuch"], in: folder)
        #expect(wrong.status == 64, "\(wrong.output)")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left == ["summary"], "\(left)")
    }

    @Test("Wrong inputs are refused in one line that GitHub shows")
    func refuses() throws {
        let folder = try TemporaryFolder()
        let cases = [
            (["ACTION_COMMAND": ""], "command is empty"),
            (["ACTION_COMMAND": "true", "ACTION_VERSION": "0.2.0; touch pasted"], "not such as"),
            (["ACTION_COMMAND": "true", "ACTION_VERSION": "../1"], "not such as"),
            (
                [
                    "ACTION_COMMAND": "true", "ACTION_VERSION": "9.9.9",
                    "ACTION_RELEASES": "file://\(folder.path)",
                ], "there is no"
            ),
        ]
        for (variables, words) in cases {
            let refused = try step(variables, in: folder)
            #expect(refused.status == 64, "\(variables)")
            #expect(refused.output.contains("::error title=qubs-mock::"), "\(refused.output)")
            #expect(refused.output.contains(words), "\(refused.output)")
        }
        let absent = try step(["ACTION_COMMAND": "true"], path: "/usr/bin:/bin", in: folder)
        #expect(absent.status == 64 && absent.output.contains("on PATH"), "\(absent.output)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("pasted")))
    }

    @Test("A release is fetched, and used only where it is what SHA256SUMS says")
    func fetches() throws {
        let folder = try TemporaryFolder()
        let script = """
            set -eu
            mkdir -p v1.2.3 qubs-mock-1.2.3-linux-x86_64
            printf '#!/bin/sh\\necho fetched "$@"; exit 5\\n' >qubs-mock-1.2.3-linux-x86_64/qubs-mock
            chmod +x qubs-mock-1.2.3-linux-x86_64/qubs-mock
            tar czf v1.2.3/qubs-mock-1.2.3-linux-x86_64.tar.gz qubs-mock-1.2.3-linux-x86_64
            rm -r qubs-mock-1.2.3-linux-x86_64
            cd v1.2.3; sha256sum *.gz >SHA256SUMS
            """
        let made = try ChildProcess("/bin/bash", ["-c", script], in: folder)
        #expect(try made.exitStatus() == 0, "\(made.errorOutput)")
        let variables = [
            "ACTION_COMMAND": "true", "ACTION_VERSION": "1.2.3",
            "ACTION_RELEASES": "file://\(folder.path)",
        ]
        let fetched = try step(variables, in: folder)
        #expect(fetched.status == 5, "\(fetched.output)")
        #expect(fetched.output.contains("fetched run --report"), "\(fetched.output)")
        #expect(fetched.output.contains("-- bash -c true"), "\(fetched.output)")
        try "0000 qubs-mock-1.2.3-linux-x86_64.tar.gz\n"
            .write(toFile: folder.path("v1.2.3/SHA256SUMS"), atomically: true, encoding: .utf8)
        let changed = try step(variables, in: folder)
        #expect(changed.status == 64, "\(changed.output)")
        #expect(!changed.output.contains("fetched"), "\(changed.output)")
    }

    @Test("Expressions stand in the environment alone, one for each variable that the script reads")
    func expressions() throws {
        let lines = try String(contentsOfFile: Repository.path("action.yml"), encoding: .utf8)
            .split(separator: "\n")
        let variables = lines.filter { $0.contains("${{") }.compactMap { line in
            line.wholeMatch(of: /\ {8}(ACTION_[A-Z]+): \$\{\{.*\}\}.*/).map { String($0.1) }
        }
        #expect(variables.count == lines.count { $0.contains("${{") })
        let script = try String(
            contentsOfFile: Repository.path("packaging/action.sh"),
            encoding: .utf8
        )
        let read = Set(script.matches(of: /\$\{?(ACTION_[A-Z]+)/).map { String($0.1) })
        #expect(read.union(["ACTION_FOLDER"]) == Set(variables))
    }

    @Test("Images and Actions in pages and examples have the version of the program")
    func versions() throws {
        var found = 0
        for folder in ["docs", "examples/ci", "examples/team"] {
            let names = try FileManager.default.contentsOfDirectory(
                atPath: Repository.path(folder)
            )
            for name in names where !name.hasSuffix(".png") {
                let path = Repository.path("\(folder)/\(name)")
                let text = try String(contentsOfFile: path, encoding: .utf8)
                for match in text.matches(of: /qubs-mock(?::|@v)([0-9]+\.[0-9]+\.[0-9]+)/) {
                    #expect(match.1 == ProgramVersion.text, "\(folder)/\(name)")
                    found += 1
                }
            }
        }
        #expect(found >= 6)
    }
}

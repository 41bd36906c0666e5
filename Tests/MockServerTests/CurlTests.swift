import Contract
import Foundation
import HTTPMessage
import JSON
import MockServer
import OAuth
import TestSupport
import TestTools
import Testing

/// The documentation's sample commands, run by curl itself.
///
/// Each stands here as it stands there. Only hosts are replaced, and what is in angle brackets.
@Suite("The documentation's curl lines")
struct CurlTests {
    static let tokenLine = #"""
        curl -X POST "https://authenticate.qubs.io/oauth2/token" \
          -H "Content-Type: application/x-www-form-urlencoded" \
          --data-urlencode "grant_type=client_credentials" \
          --data-urlencode "client_id=<client_id>" \
          --data-urlencode "client_secret=<client_secret>"
        """#

    static let pendingLine = #"""
        curl -X GET "https://partners.qubs.io/integrations/v1/acme/reporting/appointments/pending?pageSize=1" \
          -H "Authorization: Bearer <token>"
        """#

    static let reportLine = #"""
        curl -X POST "https://partners.qubs.io/integrations/v1/acme/reporting/appointments/A123456/report" \
          -H "Authorization: Bearer <token>" \
          -H "Content-Type: application/json" \
          -d '{"reportText":"Preliminary report text","reportStatus":"preliminary","reportedAtUtc":"2025-01-10T03:04:05Z"}'
        """#

    static let reportAttachmentsLine = #"""
        curl -X POST "https://partners.qubs.io/integrations/v1/acme/reporting/appointments/A123456/report/attachments" \
          -H "Authorization: Bearer <token>" \
          -H "Content-Type: application/json" \
          -H "Idempotency-Key: <idempotency-key>" \
          -d '{"items":[{"fileName":"report.pdf","contentType":"application/pdf"}]}'
        """#

    static let uploadLine = #"""
        curl -X PUT "https://example.com/upload/report.pdf" \
          -H "Content-Type: application/pdf" \
          --data-binary "@report.pdf"
        """#

    static let keyedReportLine = #"""
        curl -X POST "https://partners.qubs.io/integrations/v1/acme/reporting/appointments/A123456/report" \
          -H "Authorization: Bearer <token>" \
          -H "Content-Type: application/json" \
          -H "Idempotency-Key: <idempotency-key>" \
          -d '{"reportText":"No acute abnormality detected.","reportStatus":"preliminary","reportedAtUtc":"2025-01-10T03:04:05Z"}'
        """#

    static let commentLine = #"""
        curl -X POST "https://partners.qubs.io/integrations/v1/acme/reporting/appointments/A123456/comments" \
          -H "Authorization: Bearer <token>" \
          -H "Content-Type: application/json" \
          -H "Idempotency-Key: <idempotency-key>" \
          -d '{"commentText":"Report sent to referrer.","commentType":"AC","isAlert":false}'
        """#

    /// A sample of the reference pages, whose URL alone differs.
    ///
    /// - Parameter url: Behind the prefix, with the quotation marks where it has them.
    static func reference(_ url: String) -> String {
        let place = "https://partnerdocs.qubs.io/_mock/openapi/integrations/v1/acme/appointments"
        let quote = url.hasSuffix("'") ? "'" : ""
        return #"""
            curl -i -X GET \
              \#(quote)\#(place)\#(url) \
              -H 'Authorization: Bearer <YOUR_JWT_HERE>' \
              -H 'X-Correlation-Id: 4b7f0a91b4f54f2a'
            """#
    }

    static let byStatusLines = [
        "/operational/by-status/NOT ARRIVED?pageSize=100&nextToken=DDB_NEXT_TOKEN'",
        "/referrer/operational/by-status/NOT ARRIVED?pageSize=100&nextToken=DDB_NEXT_TOKEN'",
        "/by-status/NOT ARRIVED?pageSize=100&nextToken=DDB_NEXT_TOKEN'",
        "/referrer/by-status/NOT ARRIVED?pageSize=100&nextToken=DDB_NEXT_TOKEN'",
    ]

    static let filters =
        "?appointmentDate=2025-01-01&startDate=2019-08-24&endDate=2019-08-24"
        + "&clientUtcOffsetMinutes=0&scheduledSite=Example+Site&skip=0&take=100'"

    static let listLines = [
        "/operational", "/referrer/operational", "", "/referrer",
    ].map { $0 + filters }

    static let appointment: JSONValue = [
        "domain": "acme", "appointmentId": "A123456", "scheduledSite": "Central Clinic",
        "status": "PENDING REPORTING", "appointmentDate": "2025-01-12",
        "startTime": "13:45:00", "endTime": "14:15:00", "modality": "CT",
        "studyDescription": "CT Chest",
    ]

    /// Reads of A123456, with what the documentation shows of it.
    static let readLines: [(url: String, documented: [JSONValue])] = [
        (
            "/operational/by-id/A123456",
            [
                appointment,
                [
                    "room": "Room 2", "priority": "Routine",
                    "arrivalDateTime": "2025-01-12T03:40:00Z",
                    "scanStartDateTime": "2025-01-12T03:45:00Z",
                    "scanEndDateTime": "2025-01-12T04:05:00Z", "waitingTotalTime": 5,
                ],
            ]
        ),
        ("/A123456", [appointment]),
        (
            "/A123456/billing",
            [
                [
                    "domain": "acme", "appointmentId": "A123456", "batchSk": "BATCH#202501",
                    "billingStatus": "active", "billingType": "bulk",
                    "invoiceNumber": "INV-1001", "invoiceSk": "INV#1001",
                    "isBillingsChecked": true, "medicareIrn": "1",
                    "medicareNumber": "1234567890", "providerNumber": "1234567A",
                    "serviceItemNumbers": "XR001",
                ]
            ]
        ),
    ]

    @Test("The getting-started lines work from the token to the comment, in their order")
    func gettingStarted() throws {
        let server = try TestServer()
        let folder = try TemporaryFolder()
        let curl = Curl(server: server, folder: folder)

        let credentials = [
            "<client_id>": "acme-partner", "<client_secret>": "acme-partner-secret",
        ]
        let token = try curl.run(Self.tokenLine, credentials)
        #expect(token.status == 200)
        #expect(token.json["token_type"] == "Bearer")
        #expect(token.json["expires_in"] == 3600)
        let access = try #require(token.json["access_token"]?.string)

        let pending = try curl.run(Self.pendingLine, ["<token>": access])
        #expect(pending.status == 200)
        #expect(pending.json["items"]?.array?.count == 1)
        let first = try #require(pending.json["items"]?.array?.first)
        #expect(first.holds(Self.appointment))
        #expect(first["patientName"] == "Jane Doe")
        #expect(pending.json["nextToken"]?.string?.isEmpty == false)

        let report = try curl.run(Self.reportLine, ["<token>": access])
        #expect(report.status == 200)
        #expect(report.json["reportStatus"] == "preliminary")
        #expect(report.json["reportedAtUtc"] == "2025-01-10T03:04:05Z")

        let key = ["<token>": access, "<idempotency-key>": "cd4a859c7a1f4b44b765a8fe17bb44c1"]
        let uploads = try curl.run(Self.reportAttachmentsLine, key)
        #expect(uploads.status == 200)
        let upload = try #require(uploads.json["items"]?.array?.first)
        #expect(upload.holds(["fileName": "report.pdf", "category": "report"]))
        #expect(upload["uploadUrlExpiresAtUtc"] == "2025-06-01T00:15:00Z")

        let content = Data([UInt8]("%PDF-1.4\n%\u{00}\u{FF}\n%%EOF\n".utf8))
        try content.write(to: URL(filePath: folder.path("report.pdf")))
        let url = try #require(upload["uploadUrl"]?.string)
        let put = ["https://example.com/upload/report.pdf": url]
        #expect(try curl.run(Self.uploadLine, put).status == 200)
        let guid = try #require(upload["guid"]?.string)
        let attachment = try server.get("reporting/appointments/A123456/attachments/\(guid)").json
        let stored = try #require(attachment["url"]?.string)
        #expect(stored.hasPrefix(server.baseURL))
        let download = try server.send("GET", String(stored.dropFirst(server.baseURL.count)))
        #expect(Data(download.response.content) == content)
        #expect(download.field("content-type") == "application/pdf")

        // Twice, since this is what the key is for.
        for attempt in 1...2 {
            let keyed = try curl.run(Self.keyedReportLine, key)
            #expect(keyed.status == 200)
            #expect(keyed.json["reportGuid"] != report.json["reportGuid"])
            #expect(keyed.field("idempotency-replayed") == (attempt == 2 ? "true" : nil))
        }

        let comment = try curl.run(Self.commentLine, key)
        #expect(comment.status == 200)
        #expect(
            comment.json.holds([
                "commentText": "Report sent to referrer.", "commentType": "AC", "isAlert": false,
                "appointmentId": "A123456",
            ])
        )
    }

    @Test("Reads of A123456 show what the documentation shows", arguments: readLines)
    func read(url: String, documented: [JSONValue]) throws {
        let server = try TestServer()
        let answer = try Curl(server: server).run(Self.reference(url))
        #expect(answer.status == 200)
        for members in documented { #expect(answer.json.holds(members), "\(answer.json)") }
        #expect(answer.field("x-correlation-id") == "4b7f0a91b4f54f2a")
    }

    @Test("Lists with every filter show the appointments of the day", arguments: listLines)
    func list(url: String) throws {
        let server = try TestServer()
        let curl = try Curl(server: server)
        let client = url.contains("referrer") ? "acme-referrer" : "acme-partner"
        let answer = try curl.run(Self.reference(url), as: client)
        #expect(answer.status == 200)
        let ids = Set((answer.json.array ?? []).compactMap { $0["appointmentId"]?.string })
        #expect(ids.isSuperset(of: ["A900100", "A900101", "A900102"]), "\(ids)")
        #expect(answer.field("x-correlation-id") == "4b7f0a91b4f54f2a")
        // The same line, asking for a day that has appointments.
        let day = url.replacing("2025-01-01", with: "2025-01-12")
            .replacing("2019-08-24", with: "2025-01-12")
            .replacing("Example+Site", with: "Central+Clinic")
        let found = try curl.run(Self.reference(day), as: client)
        #expect(found.json.array?.first?.holds(Self.appointment) == true, "\(found.json)")
        if client == "acme-referrer" {
            #expect(try curl.run(Self.reference(url), as: "acme-partner").status == 403)
        }
    }

    @Test(
        "Lists by status work once the space is escaped and the placeholder is left out",
        arguments: byStatusLines
    )
    func byStatus(url: String) throws {
        let server = try TestServer()
        let curl = try Curl(server: server)
        let client = url.contains("referrer") ? "acme-referrer" : "acme-partner"
        // curl: (3) URL using bad/illegal format, before anything is sent.
        #expect(throws: Curl.Refusal(exitStatus: 3)) {
            try curl.run(Self.reference(url), as: client)
        }
        let escaped = url.replacing("NOT ARRIVED", with: "NOT%20ARRIVED")
        let placeholder = try curl.run(Self.reference(escaped), as: client)
        #expect(placeholder.status == 400)
        #expect(placeholder.json["detail"]?.string?.contains("placeholder") == true)
        let plain = escaped.replacing("&nextToken=DDB_NEXT_TOKEN", with: "")
        let answer = try curl.run(Self.reference(plain), as: client)
        #expect(answer.status == 200)
        let items = try #require(answer.json["items"]?.array)
        #expect(!items.isEmpty)
        #expect(items.count <= 100)
        for item in items {
            #expect(item["status"] == "NOT ARRIVED")
            #expect(item["domain"] == "acme")
            if !url.contains("operational") { #expect(item["room"] == nil) }
        }
        if client == "acme-referrer" {
            #expect(try curl.run(Self.reference(plain), as: "acme-partner").status == 403)
        }
    }
}

/// README.md and the pages of docs/.
enum Page {
    static let readme = "README.md"

    /// The paths of all pages, the README first.
    static let all: [String] = {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: Repository.path("docs"))) ?? []
        return [readme] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }()

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: Repository.path(path), encoding: .utf8)
    }

    /// The blocks that can be pasted into a shell.
    static func blocks(_ path: String) throws -> [String] {
        try text(path).matches(of: /```sh\n((?s).*?)```/).map { String($0.1) }
    }

    /// The anchors of the headings, as GitHub makes them.
    static func anchors(_ path: String) throws -> Set<String> {
        let prose = try text(path).replacing(/```(?s).*?```/, with: "")
        return Set(
            prose.matches(of: /^#+ (.*)$/.anchorsMatchLineEndings()).map { heading in
                heading.1.lowercased().replacing(" ", with: "-")
                    .filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            }
        )
    }
}

/// The lines of README.md and of the pages, against the program itself.
@Suite("The README and its pages")
struct ReadmeTests {
    @Test("The README is short, and the pages have lines to paste")
    func sizes() throws {
        #expect(
            try Page.text(Page.readme).split(separator: "\n", omittingEmptySubsequences: false)
                .count <= 251
        )
        let pages = try Page.all.filter { try !Page.blocks($0).isEmpty }
        #expect(pages.count >= 6, "\(pages)")
        let refused = try Page.all.flatMap { try Page.blocks($0) }.joined()
            .matches(of: /# [45]\d\d$/.anchorsMatchLineEndings())
        #expect(refused.count > 10)
    }

    @Test("Every link leads to a file, and to a heading in it", arguments: Page.all)
    func links(page: String) throws {
        let folder = page.split(separator: "/").dropLast().joined(separator: "/")
        let prose = try Page.text(page).replacing(/```(?s).*?```/, with: "")
        for link in prose.matches(of: /\]\(([^)\s]+)\)/).map({ String($0.1) })
        where !link.contains("://") {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let target =
                parts[0].isEmpty
                ? page
                : URL(filePath: "/\(folder)/\(parts[0])").standardized.path.dropFirst().description
            #expect(
                FileManager.default.fileExists(atPath: Repository.path(target)),
                "\(page): \(link)"
            )
            guard parts.count == 2, target.hasSuffix(".md") else { continue }
            #expect(try Page.anchors(target).contains(String(parts[1])), "\(page): \(link)")
        }
    }

    @Test("Every line can be pasted, and only what says so is refused", arguments: Page.all)
    func lines(page: String) throws {
        let own = try Page.blocks(page)
        if own.isEmpty { return }
        // Pages use the variables that the README sets first.
        let preamble = page == Page.readme ? [] : Array(try Page.blocks(Page.readme).prefix(1))
        let lines = (preamble + own).joined(separator: "\n")
        let announced = lines.matches(of: /# ([45]\d\d|no answer)$/.anchorsMatchLineEndings())
            .map { String($0.1) }

        let folder = try TemporaryFolder()
        let ready = folder.path("ready")
        let server = try ChildProcess.mock(
            ["--port", "0", "--ready-file", ready, "--log", "off"]
        )
        let url = try server.awaitReady(ready)
        #expect(lines.contains("BASE=http://127.0.0.1:8080\n"))
        // What curl prints is the reader's; the status of each answer goes to a file.
        let script = """
            curl() {
              # Expanded here: in a redirection it would be the process of curl.
              local told=told-$BASHPID
              command curl -w '%{stderr}%{http_code}\\n' "$@" 2>"$told" || true
              grep -v '^curl: ' "$told" >>statuses || true
            }
            set -eu
            \(lines.replacing("http://127.0.0.1:8080", with: url))
            """
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let shell = try ChildProcess(
            "/bin/bash",
            ["-c", script],
            environment: ["PATH": "\(try ChildProcess.products):\(path)"],
            in: folder
        )
        #expect(try shell.exitStatus() == 0, "\(shell.output)\n\(shell.errorOutput)")
        let statuses = try String(contentsOfFile: folder.path("statuses"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let refused = statuses.filter { !$0.hasPrefix("2") }
            .map { $0 == "000" ? "no answer" : $0 }
        #expect(refused == announced, "\(shell.output)")
        // What stands in a file for later is no line of this shell.
        let pasted = lines.replacing(/<<'END'\n(?s).*?\nEND\n/, with: "")
        #expect(statuses.count == pasted.matches(of: /\bcurl -sS(?= )/).count)
    }
}

/// What the README and the pages say in their tables and numbers.
@Suite("The tables of the README and its pages")
struct ReadmeTableTests {
    /// The rows of the first table below a heading, as cells without quotation of code.
    private func table(below heading: String, in page: String) throws -> [[String]] {
        let text = try "\n" + Page.text(page)
        let section = try #require(text.firstRange(of: "\n\(heading)\n"))
        return text[section.upperBound...].split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        .drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
        .map { row in
            row.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces) }
        }
    }

    private func records(_ file: String) throws -> [JSONValue] {
        try #require(try JSONParser.parse(Repository.octets(of: "fixtures/\(file)")).array)
    }

    @Test("Clients are those of the data, in their order")
    func clients() throws {
        func list(_ value: JSONValue?, else absent: String) -> String {
            value?.array?.compactMap(\.string).joined(separator: ", ") ?? absent
        }
        let expected = try records("clients.json").map { client in
            [
                client["clientId"]?.string ?? "", client["clientSecret"]?.string ?? "",
                list(client["domains"], else: ""), list(client["sites"], else: "all"),
                list(client["permissions"], else: ""), list(client["providerNumbers"], else: ""),
            ]
        }
        #expect(
            try table(below: "## Clients", in: Page.readme).map { Array($0.prefix(6)) } == expected
        )
    }

    @Test("Options are those of the program, with their defaults")
    func options() throws {
        let program = try ChildProcess.mock(["serve", "--help"])
        #expect(try program.exitStatus() == 0)
        // Help wraps its lines; every option begins one.
        let entries = program.output.split(separator: "\n  --").dropFirst().map { entry in
            entry.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        let rows = try table(below: "## Options of `serve`", in: "docs/options.md")
        let names = entries.compactMap(\.first).filter { $0 != "version" }
        #expect(rows.map { $0[0] }.sorted() == names.map { "--" + $0 }.sorted())
        for row in rows where row[1].wholeMatch(of: /[\d.]+|text|scattered|keeps-status/) != nil {
            let entry = try #require(entries.first { "--" + ($0.first ?? "") == row[0] })
            let text = entry.joined(separator: " ")
            #expect(text.hasSuffix("default: \(row[1]))"), "\(text)")
        }
    }

    @Test("Every effect can be set as it stands")
    func effects() throws {
        let server = try TestServer()
        let cells = try table(below: "# Faults", in: "docs/faults.md")
        let effects = cells.flatMap { row in
            row[1].matches(of: /\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/).map { String($0.0) }
        }
        .filter { !$0.contains("operation") }
        #expect(effects.count > 15)
        for effect in effects {
            let then = try JSONParser.parse(Array(effect.utf8))
            let operation = then["token"] == nil ? "Integrations_ListSites" : "token"
            let match: JSONValue = ["operation": .string(operation)]
            let rule: JSONValue = ["match": match, "when": ["first": 1], "then": then]
            let answer = try server.control("POST", "/faults", rule)
            #expect(answer.status == 201, "\(effect): \(answer.text)")
        }
    }

    @Test("The program's version is the newest release of CHANGELOG.md, and that of the examples")
    func version() throws {
        let changes = try Page.text("CHANGELOG.md")
        let releases = changes.matches(
            of: /^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$/.anchorsMatchLineEndings()
        )
        #expect(releases.first.map { String($0.1) } == ProgramVersion.text)
        let folder = "examples/ci"
        let files = try FileManager.default.contentsOfDirectory(atPath: Repository.path(folder))
        let named = try (files.map { "\(folder)/\($0)" } + [Page.readme]).flatMap { file in
            try Page.text(file).matches(of: /qubs-mock:(\d+\.\d+\.\d+)/).map { String($0.1) }
        }
        #expect(named.count >= 5)
        #expect(Set(named) == [ProgramVersion.text])
    }

    @Test("Scenarios, flaws and numbers are those of the program")
    func numbers() throws {
        let packs = try FileManager.default
            .contentsOfDirectory(atPath: Repository.path("fixtures/scenarios"))
            .map { $0.replacing(".json", with: "") }
        let page = try Page.text("docs/verdict.md")
        let verdict = try #require(page.firstRange(of: "| scenario | what happens |"))
        let named = page[verdict.upperBound...].prefix(while: { $0 != "#" })
            .matches(of: /\n\| `([^`]+)` \|/).map { String($0.1) }
        #expect(named.sorted() == packs.sorted())

        let faults = try Page.text("docs/faults.md")
        let flaws = try #require(faults.firstRange(of: "## Flawed tokens"))
        let listed = faults[flaws.upperBound...].prefix { $0 != "(" }
            .matches(of: /`([^`]+)`/).map { String($0.1) }
        let refused = TokenFlaw.allCases.filter { ![.noDomains, .wrongDomain].contains($0) }
        #expect(listed == refused.map(\.rawValue))

        let acme = try records("acme/appointments.json")
        let globex = try records("globex/appointments.json")
        let thousands = "\(acme.count / 1000),\(String(acme.count % 1000 + 1000).dropFirst())"
        let data = try Page.text("docs/data.md")
        #expect(data.contains("`acme` has \(thousands) appointments"))
        #expect(data.contains("`globex` \(globex.count) at "))
        let checks = try TestServer().control("GET", "/verdict").json["checks"]?.array
        #expect(page.contains("Its \(checks?.count ?? 0) checks"))
    }
}

/// Runs sample commands with a shell and curl.
struct Curl {
    /// curl sent nothing, and says why by its exit status.
    struct Refusal: Error, Equatable {
        let exitStatus: Int32
    }

    /// An answer that was held against the contract.
    struct Answer {
        let status: Int
        let response: HTTPResponse

        var json: JSONValue { (try? JSONParser.parse(response.content)) ?? .null }

        /// The first value of a field, named in lower case.
        func field(_ name: String) -> String? {
            response.fields.first { $0.name.lowercased() == name }?.value
        }
    }

    let server: TestServer
    let folder: TemporaryFolder

    init(server: TestServer, folder: TemporaryFolder) {
        self.server = server
        self.folder = folder
    }

    init(server: TestServer) throws {
        self.init(server: server, folder: try TemporaryFolder())
    }

    /// Runs a line with a token of a client.
    func run(_ line: String, as client: String = "acme-partner") throws -> Answer {
        try run(line, ["<YOUR_JWT_HERE>": server.token(client)])
    }

    /// Runs a line with the texts in it replaced, and the hosts.
    ///
    /// - Throws: `Refusal` where curl itself does not take it.
    func run(_ line: String, _ replacements: [String: String]) throws -> Answer {
        var line = line
        for (placeholder, text) in replacements { line = line.replacing(placeholder, with: text) }
        for host in ["authenticate", "partners", "partnerdocs"] {
            line = line.replacing("https://\(host).qubs.io", with: server.baseURL)
        }
        let shell = try ChildProcess(
            "/bin/bash",
            [
                "-c",
                "curl() { command curl -sS -D head -o content -w '%{method} %{url}' \"$@\"; }\n"
                    + line,
            ],
            in: folder
        )
        let status = try shell.exitStatus()
        guard status == 0 else { throw Refusal(exitStatus: status) }
        return try answer(to: shell.output)
    }

    /// The answer that curl wrote.
    private func answer(to request: String) throws -> Answer {
        let head = try String(contentsOfFile: folder.path("head"), encoding: .utf8)
        // `-i` puts the head before the content, too.
        let octets = [UInt8](FileManager.default.contents(atPath: folder.path("content")) ?? Data())
        let content = octets.starts(with: head.utf8) ? Array(octets[head.utf8.count...]) : octets
        try? FileManager.default.removeItem(atPath: folder.path("content"))
        let lines = head.split(separator: "\r\n")
        let status = try #require(
            lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        )
        let response = HTTPResponse(
            status: status,
            fields: lines.dropFirst().compactMap { line in
                line.firstIndex(of: ":").map { colon in
                    HTTPResponse.Field(
                        String(line[..<colon]),
                        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                    )
                }
            },
            content: content
        )
        let words = request.split(separator: " ", maxSplits: 1)
        let method = HTTPMethod(String(try #require(words.first)))
        let path = words[1].dropFirst(server.baseURL.count).prefix { $0 != "?" }
        guard
            case .matched(let operation, _) = TestServer.contract.route(
                method: method,
                path: Array(path.utf8)
            )
        else {
            Issue.record("\(request) reaches no operation")
            return Answer(status: status, response: response)
        }
        let violations = TestServer.contract.violations(
            of: response,
            operation: operation,
            method: method
        )
        #expect(violations.isEmpty, "\(request)")
        return Answer(status: status, response: response)
    }
}

extension JSONValue {
    /// Whether these members are among its own, with the same values.
    func holds(_ members: JSONValue) -> Bool {
        members.object?.members.allSatisfy { self[$0.name] == $0.value } ?? false
    }
}

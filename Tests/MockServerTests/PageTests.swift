import Embedded
import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import OAuth
import TestSupport
import Testing
import Verdict

@Suite("The page")
struct PageTests {
    static let files = ["", "index.html", "view.js", "data.js", "page.css", "icon.svg"]

    @Test("The page is served with its policy, and its files are kept as long as they are the same")
    func files() throws {
        let server = try TestServer()
        var total = 0
        for name in Self.files {
            let answer = try server.control("GET", "/ui/\(name)")
            #expect(answer.status == 200, "\(name)")
            if !name.isEmpty { total += answer.response.content.count }
            let policy = answer.field("content-security-policy") ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            #expect(answer.field("x-content-type-options") == "nosniff")
            let tag = try #require(answer.field("etag"))
            for (sent, status) in [
                (tag, 304), ("\"x\", W/\(tag)", 304), ("*", 304), ("\"x\"", 200),
            ] {
                let again = try server.control(
                    "GET",
                    "/ui/\(name)",
                    fields: [("If-None-Match", sent)]
                )
                #expect(again.status == status, "\(name) \(sent)")
                #expect(again.field("etag") == tag)
            }
            let head = try server.control("HEAD", "/ui/\(name)")
            #expect(head.status == 200 && head.response.content.isEmpty)
        }
        #expect(total < 100_000)
        let redirect = try server.control("GET", "/ui")
        #expect(redirect.status == 307 && redirect.field("location") == "/__admin/ui/")
        #expect(try server.control("GET", "/ui/nothing.js").status == 404)
        #expect(try server.control("GET", "/ui/../clock").status >= 400)
        let wrong = try server.control("POST", "/ui/", [:])
        #expect(wrong.status == 405 && wrong.field("allow") == "GET, HEAD")
    }

    @Test("Where people look for the page they are led to it")
    func ways() throws {
        let server = try TestServer()
        for path in ["/__admin", "/__admin/", "/__admin/ui"] {
            let answer = try server.send("GET", path)
            #expect(answer.status == 307)
            #expect(answer.field("location") == "/__admin/ui/")
            #expect(try server.send("POST", path).status == 405)
        }
        #expect(try server.send("GET", "/__admin/uu").status == 404)
        let root = try server.send("GET", "/")
        #expect(root.status == 404)
        #expect(
            root.json["detail"]?.string?.contains("is /__admin/ui/, and GET /openapi.yaml") == true
        )
    }

    @Test("The page obeys what every control request obeys")
    func access() throws {
        let open = try TestServer {
            $0.transport.host = "0.0.0.0"
            $0.adminToken = "sesame"
        }
        let server = try TestServer()
        for path in ["/ui", "/ui/", "/ui/view.js"] {
            #expect(try open.control("GET", path).status == 401)
            let foreign = try server.control("GET", path, fields: [("Host", "evil.example")])
            #expect(foreign.status == 403)
        }
    }

    @Test("Nothing in its files comes from elsewhere, and no text becomes markup")
    func plainness() {
        for (name, text) in EmbeddedDefaults.pageFiles() {
            let text = "\(text)"
            for word in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                "https://", " style=", "onclick=\"",
            ] {
                #expect(!text.contains(word), "\(name): \(word)")
            }
        }
    }

    @Test("A report is one document whose policy has the digests of its one script and one style")
    func report() throws {
        let server = try TestServer()
        let token = try server.token()
        let words = "Jane Doe was told </template><script>alert(1)</script>"
        #expect(
            try server.post(TestServer.commentsPath, ["commentText": .string(words)]).status == 200
        )
        #expect(
            try server.get("sites", fields: [("X-Correlation-Id", "</template><b>&amp;")]).status
                == 200
        )
        #expect(try server.get("appointments?appointmentDate=yesterday").status == 400)
        let judgement = try server.application.judge(sessionNamed: "default", isStrict: false)
        let octets = PageReport.octets(
            server.application.pageFiles,
            headline: "One <trial>.",
            [
                PageReport.Part(
                    session: "default",
                    title: "a <test>",
                    outcome: "pass",
                    conclusion: Conclusion(.fail, "a must failed"),
                    seconds: 0.25,
                    entries: server.application.requests(ofSession: "default"),
                    verdict: judgement.report,
                    explanations: server.application.explanations(ofSession: "default", limit: 9)
                )
            ]
        )
        let text = String(decoding: octets, as: UTF8.self)
        func parts(_ begin: String, _ end: String) throws -> [String] {
            let pieces = text.components(separatedBy: begin).dropFirst()
            return pieces.map { String($0.components(separatedBy: end)[0]) }
        }
        let scripts = try parts("<script type=\"module\">", "</script>")
        let styles = try parts("<style>", "</style>")
        #expect(scripts.count == 1 && styles.count == 1)
        #expect(text.components(separatedBy: "<script").count == 2)
        for part in scripts + styles {
            #expect(text.contains("'sha256-\(Self.digest(part))'"))
            #expect(!part.contains("import {") && !part.contains("\nexport "))
        }
        #expect(!text.contains("Jane Doe was told") && !text.contains(token))
        #expect(!text.contains("TestServer.secret") && !text.contains("acme-partner-secret\""))
        #expect(text.contains("&lt;/template&gt;&lt;b&gt;&amp;amp;"))
        let data = try parts("<template id=\"report-data\">", "</template>")[0]
            .replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
        let json = try JSONParser.parse(Array(data.utf8))
        #expect(json["headline"] == "One <trial>.")
        let trial = try #require(json["trials"]?.array?.first)
        #expect(trial["session"] == "default" && trial["title"] == "a <test>")
        #expect(trial["entries"]?.array?.count == 4)
        #expect(trial["verdict"]?["checks"]?.array?.isEmpty == false)
        let explanation = trial["explanations"]?["4"]
        #expect(explanation?["rules"]?.array?.first?["name"] == "appointmentDate")
        #expect(explanation?["curl"]?.string?.contains("<baseURL>/integrations/v1/") == true)
        #expect(trial["explanations"]?["3"] == nil)
    }

    private static func digest(_ text: String) -> String {
        var encoded = Base64URL.encode(SHA256Digest.octets(of: text.utf8))
        encoded.replace("-", with: "+")
        encoded.replace("_", with: "/")
        return encoded + "="
    }
}

extension String {
    /// The pieces between the occurrences of a text.
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self[...]
        while let found = rest.firstRange(of: separator) {
            pieces.append(rest[..<found.lowerBound])
            rest = rest[found.upperBound...]
        }
        return pieces + [rest]
    }
}

extension Substring {
    /// The pieces between the occurrences of a text.
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        String(self).components(separatedBy: separator)
    }
}

import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import OAuth
import Testing
import TestSupport

@Suite("Refusals")
struct RefusalTests {
    @Test("Two Authorization fields are refused for being two", arguments: ["Bearer x", "Basic x"])
    func severalAuthorizations(second: String) throws {
        let server = try TestServer()
        let token = try server.token()
        let answer = try server.get("sites", fields: [("Authorization", second)])
        #expect(answer.status == 401)
        #expect(answer.json["detail"] == "Send one Authorization field at most.")
        let challenge = try #require(answer.field("www-authenticate"))
        #expect(challenge.contains(#"error_description="Send one Authorization field at most.""#))
        let twice = try server.get("sites", fields: [("Authorization", "Bearer \(token)")])
        #expect(twice.status == 401)
        #expect(twice.json["detail"] == "Send one Authorization field at most.")
    }

    @Test("Each flaw of a token is refused with its status and a challenge")
    func flaws() throws {
        let server = try TestServer()
        for flaw in TokenFlaw.allCases {
            let token = try server.control(
                "POST",
                "/tokens",
                ["clientId": "acme-partner", "flaw": .string(flaw.rawValue)]
            ).json["access_token"]?.string
            let answer = try server.send(
                "GET",
                "/integrations/v1/acme/sites",
                [("Authorization", "Bearer \(try #require(token))")]
            )
            #expect(answer.status == flaw.expectedStatus, "\(flaw.rawValue): \(answer.text)")
            if answer.status == 401 {
                let challenge = try #require(answer.field("www-authenticate"))
                #expect(
                    challenge.contains("Bearer") && challenge.contains("error=\"invalid_token\"")
                )
            }
        }
    }

    @Test(
        "The hint at a mistyped path mends the slip, and makes no value of a parameter of it",
        arguments: [
            ("reporting/appointments/A123456/reprot", "reporting/appointments/A123456/report"),
            ("reporting/appointments/A123456/coments", "reporting/appointments/A123456/comments"),
            ("appointments/A123456/biling", "appointments/A123456/billing"),
        ]
    )
    func mistypedPath(path: String, meant: String) throws {
        let server = try TestServer()
        for method in ["GET", "POST"] {
            let answer = try server.get(path, method: method)
            #expect(answer.status == 404)
            let detail = try #require(answer.json["detail"]?.string)
            #expect(detail.hasSuffix("Did you mean /integrations/v1/acme/\(meant)?"), "\(detail)")
        }
    }

    @Test("Refusals say where a token comes from, and which domain and host will do")
    func whatToDo() throws {
        let server = try TestServer()
        for value in ["Bearer", "Bearer {\"error\":\"invalid_client\"}", "Bearer x"] {
            let answer = try server.get("sites", as: nil, fields: [("Authorization", value)])
            #expect(answer.status == 401)
            #expect(answer.json["detail"]?.string?.contains("POST /oauth2/token gives") == true)
        }
        let domain = try server.send(
            "GET",
            "/integrations/v1/globex/sites",
            [("Authorization", "Bearer \(try server.token())")]
        )
        #expect(
            domain.json["detail"]?.string?.hasPrefix("This token is for the domain acme only:")
                == true
        )
        let host = try server.get("sites", fields: [("Host", "mock.internal:8080")])
        #expect(host.status == 403)
        #expect(
            host.json["detail"]?.string?.hasSuffix("--allow-host names, not mock.internal.") == true
        )
    }

    @Test("Without a token the challenge names no error")
    func noToken() throws {
        let server = try TestServer()
        let answer = try server.get("sites", as: nil)
        #expect(answer.status == 401)
        #expect(answer.field("www-authenticate")?.contains("error") == false)
        let other = try server.get("sites", as: nil, fields: [("Authorization", "Basic eDp5")])
        #expect(other.status == 401)
    }

    @Test(
        "Grants are checked: domain, site, permission, provider numbers",
        arguments: [
            ("sites", "acme-partner", "globex", 403), ("sites", "globex-partner", "acme", 403),
            ("sites/Central%20Clinic", "acme-north", "acme", 403),
            ("sites/North%20Clinic", "acme-north", "acme", 200),
            ("sites/Nowhere", "acme-north", "acme", 403),
            ("sites/Nowhere", "acme-partner", "acme", 404),
            ("appointments/A123456/billing", "acme-referrer", "acme", 403),
            ("appointments/NOPE/billing", "acme-referrer", "acme", 403),
            ("appointments/NOPE/billing", "acme-partner", "acme", 404),
            ("appointments/referrer", "acme-partner", "acme", 403),
            ("appointments/A123456", "acme-north", "acme", 200),
            ("sites", "group-partner", "globex", 200),
        ]
    )
    func grants(path: String, client: String, domain: String, status: Int) throws {
        let server = try TestServer()
        #expect(try server.get(path, as: client, domain: domain).status == status)
    }

    @Test("A site-limited client sees its active sites only")
    func sites() throws {
        let server = try TestServer()
        let north = try server.get("sites", as: "acme-north").json
        #expect(north == [["domain": "acme", "siteName": "North Clinic"]])
        let all = try server.get("sites").json.array ?? []
        #expect(all.count == 10)
    }

    @Test("All violations come at once, 401 before 403 before 400 before 404")
    func orderOfChecks() throws {
        let server = try TestServer()
        let wrong = "appointments?take=0&skip=-1&appointmentDate=x"
        #expect(try server.get(wrong, as: nil).status == 401)
        #expect(try server.get(wrong, domain: "globex").status == 403)
        let answer = try server.get(wrong)
        #expect(answer.status == 400)
        #expect(answer.json["errors"]?.object?.count == 3)
        #expect(answer.json["type"] == "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.1")
        #expect(answer.json["instance"] == "/integrations/v1/acme/appointments")
        #expect(answer.json["requestId"]?.string == answer.field("x-correlation-id"))
    }

    @Test("A near miss is told what was probably meant")
    func hints() throws {
        let server = try TestServer()
        func detail(_ path: String) throws -> String {
            try server.get(path).json["detail"]?.string ?? ""
        }
        #expect(try detail("appointment").contains("/integrations/v1/acme/appointments"))
        #expect(
            try detail("appointments/by-status/APPOINTMENT%20CANCELLED")
                .contains("APPPOINTMENT CANCELLED")
        )
        #expect(try detail("appointments/by-status/NOT+ARRIVED").contains("NOT ARRIVED"))
    }

    @Test("Methods that a path does not have are 405 with Allow, unknown paths 404")
    func routes() throws {
        let server = try TestServer()
        let delete = try server.get("sites", method: "DELETE")
        #expect(delete.status == 405)
        #expect(delete.field("allow") == "GET, HEAD")
        for path in ["sites/", "/integrations/v1/acme", "/nothing", "/", "reporting/appointments"] {
            #expect(try server.get(path).status == 404, "\(path)")
        }
        #expect(try server.get("/_mock/openapi/integrations/v1/acme/sites").status == 200)
        #expect(try server.get("sites/Central%20Clinic/settings").status == 200)
    }

    @Test(
        "Strange identifiers get an answer, never a row of another domain",
        arguments: [
            "appointments/A123456%2F..%2FA123457", "appointments/%00", "appointments/%FF%FE",
            "appointments/%zz", "appointments/..", "appointments/%2e%2e", "patients/'%20OR%201=1--",
            "appointments/" + String(repeating: "a", count: 7000), "sites/%F0%9F%8F%A5",
            "appointments/A123456%00", "appointments/a123456", "appointments/A123456%20",
        ]
    )
    func identifiers(path: String) throws {
        let server = try TestServer()
        let answer = try server.get(path)
        #expect([400, 404].contains(answer.status), "\(answer.status)")
    }

    @Test(
        "The correlation id comes back where the message is refused for what its fields say",
        arguments: [
            ("Expect: magic\r\n", 417), ("Transfer-Encoding: gzip, chunked\r\n", 501),
            ("Host: b\r\n", 400), ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        ]
    )
    func correlationOfRefusedMessages(lines: String, status: Int) throws {
        let server = try TestServer()
        let response = try RawClient(port: server.listener.port).exchange(
            "POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n\(lines)X-Correlation-Id: mine\r\n\r\n"
        )
        #expect(response.status == status)
        #expect(response.field("x-correlation-id") == "mine")
        #expect(response.text.contains(#""requestId":"mine""#))
        let entry = try server.control("GET", "/requests?limit=1").json["items"]?.array?.first
        #expect(entry?["requestId"] == "mine")
        #expect(entry?["path"] == "/oauth2/token")
        #expect(entry?["reason"] == "message")
    }

    @Test("The correlation id of the client comes back where it can be used")
    func correlation() throws {
        let server = try TestServer()
        for good in [
            "4b7f0a91b4f54f2a", "with  inner spaces", "~", String(repeating: "x", count: 128),
        ] {
            let kept = try server.get("sites", fields: [("X-Correlation-Id", " \(good) ")])
            #expect(kept.field("x-correlation-id") == good)
        }
        for bad in ["", " ", "a\tb", String(repeating: "x", count: 129), "é"] {
            let made = try #require(
                try server.get("sites", fields: [("X-Correlation-Id", bad)])
                    .field("x-correlation-id")
            )
            #expect(made.count == 16 && made.allSatisfy { "0123456789abcdef".contains($0) })
        }
    }

    @Test("The contract is served with the server's own address")
    func contract() throws {
        let server = try TestServer()
        let json = try server.get("/openapi.json", as: nil).json
        #expect(json["servers"]?.array?.first?["url"]?.string == server.baseURL)
        #expect(json["openapi"]?.string?.hasPrefix("3.1") == true)
        let yaml = try server.get("/openapi.yaml", as: nil)
        #expect(yaml.text.contains("url: \"\(server.baseURL)\""))
        #expect(try server.get("/openapi.json", as: nil, method: "POST").status == 405)
    }

    @Test("The token endpoint checks in its order, and answers as RFC 6749 says")
    func tokenEndpoint() throws {
        let server = try TestServer()
        func ask(
            _ form: String,
            _ fields: [(String, String)] = [],
            type: String = "application/x-www-form-urlencoded"
        ) throws -> TestServer.Answer {
            let answer = try server.postForm(form, fields: fields, type: type)
            #expect(answer.field("cache-control") == "no-store")
            return answer
        }
        let credentials = "client_id=acme-partner&client_secret=acme-partner-secret"
        let rows: [(String, Int, String)] = [
            (credentials, 400, "invalid_request"),
            ("grant_type=x&grant_type=y&\(credentials)", 400, "invalid_request"),
            ("grant_type=client_credentials", 400, "invalid_client"),
            ("grant_type=x&client_id=acme-partner&client_secret=no", 400, "invalid_client"),
            (
                "grant_type=client_credentials&client_id=acme-disabled"
                    + "&client_secret=acme-disabled-secret", 400, "invalid_client"
            ),
            ("grant_type=password&\(credentials)", 400, "unsupported_grant_type"),
            ("grant_type=refresh_token&refresh_token=x&\(credentials)", 400, "unauthorized_client"),
            (
                "grant_type=refresh_token&refresh_token=x&client_id=acme-refresh"
                    + "&client_secret=acme-refresh-secret", 400, "invalid_grant"
            ),
        ]
        for (form, status, error) in rows {
            let answer = try ask(form)
            #expect(answer.status == status, "\(form)")
            #expect(answer.json["error"]?.string == error, "\(form): \(answer.text)")
        }
        let good = try ask("grant_type=client_credentials&\(credentials)")
        #expect(good.status == 200)
        #expect(good.json["expires_in"] == 3600)
        #expect(good.json["token_type"] == "Bearer")
        #expect(good.json["refresh_token"] == nil)
        let basic = [("Authorization", "Basic YWNtZS1wYXJ0bmVyOndyb25n")]
        let refused = try ask("grant_type=client_credentials", basic)
        #expect(refused.status == 401)
        #expect(refused.field("www-authenticate")?.hasPrefix("Basic") == true)
        let refresh = try ask(
            "grant_type=client_credentials&client_id=acme-refresh&client_secret=acme-refresh-secret"
        )
        let token = try #require(refresh.json["refresh_token"]?.string)
        func exchange() throws -> TestServer.Answer {
            try ask(
                "grant_type=refresh_token&refresh_token=\(token)&client_id=acme-refresh"
                    + "&client_secret=acme-refresh-secret"
            )
        }
        let again = try exchange()
        #expect(again.status == 200 && again.json["id_token"]?.string != nil)
        server.advance(seconds: 5 * 86_400 - 1)
        #expect(try exchange().status == 200)
        server.advance(seconds: 1)
        #expect(try exchange().json["error"] == "invalid_grant")
    }

    @Test("A token ends after 3600 seconds by the session's clock, to the second")
    func expiry() throws {
        let server = try TestServer()
        _ = try server.token()
        server.advance(seconds: 3599)
        #expect(try server.get("sites").status == 200)
        server.advance(seconds: 1)
        #expect(try server.get("sites").status == 401)
    }
}

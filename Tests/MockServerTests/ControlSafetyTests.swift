import Contract
import HTTPMessage
import HTTPTransport
import JSON
import MockServer
import Testing
import TestSupport

@Suite("What every control request has to keep to")
struct ControlSafetyTests {
    /// The operations that take a content, with one that would be good.
    static let bodies: [(method: String, path: String, body: JSONValue)] = [
        ("POST", "/faults", ["id": "x", "match": ["domain": "globex"], "then": ["status": 500]]),
        ("PUT", "/faults", ["id": "x", "match": ["domain": "globex"], "then": ["status": 500]]),
        ("POST", "/tokens", ["clientId": "acme-partner"]),
        ("PUT", "/world", ["mode": "living"]),
        ("PUT", "/clock", ["mode": "frozen"]), ("POST", "/clock/advance", ["by": "PT1S"]),
        ("PUT", "/readings", ["page-end": "null"]), ("POST", "/reset", ["scope": ["faults"]]),
        (
            "PUT", "/data/acme/appointments/X",
            ["scheduledSite": "Central Clinic", "status": "ARRIVED"]
        ),
        ("PUT", "/data/acme/sites/X", ["timeZone": "Australia/Perth"]),
        ("PUT", "/data/acme/patients/X", ["dateOfBirth": "1980-01-01"]),
    ]

    @Test("Every route that takes a content refuses unknown members, with the pointer")
    func unknownMembers() throws {
        let server = try TestServer()
        var covered: Set<String> = []
        for (method, path, body) in Self.bodies {
            guard
                case .matched(let operation, _) = TestServer.controlContract.route(
                    method: HTTPMethod(method),
                    path: Array("/__admin\(path)".utf8)
                )
            else {
                Issue.record("\(method) \(path) is no route")
                continue
            }
            covered.insert(operation.id)
            var object = try #require(body.object)
            object["notAMember"] = 1
            let refused = try server.control(method, path, .object(object))
            #expect(refused.status == 400, "\(method) \(path): \(refused.text)")
            #expect(refused.json["errors"]?["/notAMember"] != nil, "\(refused.text)")
            #expect(refused.field("content-type") == "application/problem+json")
            #expect(refused.field("cache-control") == "no-store")
            let good = try server.control(method, path, body)
            #expect(good.status < 300, "\(method) \(path): \(good.text)")
            #expect(good.field("cache-control") == "no-store")
        }
        let taking = TestServer.controlContract.operations.filter { $0.requestBody != nil }
        #expect(Set(taking.map(\.id)) == covered)
    }

    @Test(
        "Every route is closed off loopback but health and readiness, and to foreign pages and hosts"
    )
    func everyRoute() throws {
        let open = try TestServer {
            $0.transport.host = "0.0.0.0"
            $0.adminToken = "open-sesame"
        }
        let server = try TestServer()
        for operation in TestServer.controlContract.operations {
            let path = operation.pathTemplate.split(separator: "/").map {
                $0.hasPrefix("{") ? "x" : String($0)
            }.joined(separator: "/")
            let method = operation.method.rawValue
            let status = try open.send(method, "/\(path)").status
            let isHealth = ["Admin_Health", "Admin_Ready"].contains(operation.id)
            #expect(status == (isHealth ? 200 : 401), "\(operation.id)")
            for field in [("Host", "evil.example"), ("Origin", "http://evil.example")] {
                let answer = try server.send(method, "/\(path)", [field])
                #expect(answer.status == 403, "\(operation.id) \(field.0)")
                #expect(answer.field("cache-control") == "no-store")
            }
        }
        // Nothing of this had an effect.
        #expect(try server.control("GET", "/sessions").json["items"]?.array?.count == 1)
        #expect(try server.control("GET", "/clock").json["mode"] == "frozen")
    }

    @Test("An admin token works on loopback, too, and opens what is foreign")
    func loopbackToken() throws {
        let server = try TestServer { $0.adminToken = "open-sesame" }
        #expect(try server.control("GET", "/clock").status == 200)
        let foreign = [("Host", "evil.example"), ("Origin", "https://evil.example")]
        #expect(try server.control("GET", "/clock", fields: foreign).status == 403)
        for (token, status) in [("open-sesame", 200), ("open-sesam", 403)] {
            let fields = foreign + [("Authorization", "Bearer \(token)")]
            #expect(try server.control("GET", "/clock", fields: fields).status == status)
        }
    }

    @Test("The control API serves its own contract, which describes every route")
    func contract() throws {
        let server = try TestServer()
        let json = try server.control("GET", "/openapi.json")
        #expect(json.status == 200 && json.field("content-type") == "application/json")
        #expect(json.field("cache-control") == "no-store")
        #expect(json.json["openapi"]?.string?.hasPrefix("3.1") == true)
        let servers = json.json["servers"]?.array?.compactMap { $0["url"]?.string } ?? []
        #expect(servers.contains { $0.hasPrefix("http://127.0.0.1:") }, "\(servers)")
        let paths = json.json["paths"]?.object?.members.map(\.name) ?? []
        #expect(Set(paths) == Set(TestServer.controlContract.operations.map(\.pathTemplate)))
        let yaml = try server.control("GET", "/openapi.yaml")
        #expect(yaml.status == 200 && yaml.text.contains("/__admin/clock/advance:"))
        #expect(try server.control("POST", "/openapi.json").status == 405)
        let head = try server.control("HEAD", "/openapi.yaml")
        #expect(head.status == 200 && head.response.content.isEmpty)
    }

    @Test("What the contract assumes is listed, in whole or in part")
    func provenance() throws {
        let answer = try TestServer().control("GET", "/provenance")
        #expect(answer.status == 200)
        let items = try #require(answer.json["items"]?.array)
        #expect(
            Set(items.compactMap { $0["provenance"]?.string }) == ["example", "partly", "inferred"]
        )
        // The note says which part.
        for item in items where item["provenance"] == "partly" {
            #expect(item["note"]?.string?.isEmpty == false, "\(item)")
        }
        // An id alone makes nothing assumed.
        #expect(!items.contains { $0["note"] == "The operation id is assumed." })
        let pointers = Set(items.compactMap { $0["pointer"]?.string })
        #expect(
            pointers.isSuperset(of: [
                "/components/schemas/TeleReportingAppointmentResponse/properties/clinicalInfo",
                "/components/schemas/AppointmentBillingResponse/properties/providerNumber",
                "/components/schemas/CreateReportAttachmentRequest/properties/contentType",
                "/components/headers/IdempotencyReplayed",
            ])
        )
        let marked = items.filter { ($0["pointer"]?.string ?? "").hasPrefix("/paths/") }
        let partner = Set(marked.compactMap { $0["operation"]?.string })
            .filter { $0.hasPrefix("Integrations_") }
        #expect(answer.json["documented"]?.int == 28 - partner.count)
    }

    @Test("The operations that a rule may name are listed, and each can be named")
    func operations() throws {
        let server = try TestServer()
        let items = try #require(try server.control("GET", "/operations").json["items"]?.array)
        let ids = items.compactMap { $0["operation"]?.string }
        #expect(ids.filter { $0.hasPrefix("Integrations_") }.count == 28)
        #expect(Set(ids).isSuperset(of: ["token", "upload", "download"]))
        for id in ids {
            let rule: JSONValue = ["match": ["operation": .string(id)], "then": ["status": 503]]
            #expect(try server.control("POST", "/faults", rule).status == 201, "\(id)")
        }
    }
}

import Contract
import HTTPMessage
import Testing

@Suite("Routing")
struct RoutingTests {
    static let contract = Result { () throws(ContractError) in
        let id = TestContract.path("id")
        let domain = TestContract.path("domain")
        return try TestContract.make(
            paths: [
                TestContract.get("/v1/{domain}/items", id: "list", parameters: [domain]),
                #""/v1/{domain}/items/{id}": {"get": "#
                    + TestContract.body(id: "read", parameters: [id, domain]) + #", "put": "#
                    + TestContract.body(id: "write", parameters: [id, domain]) + "}",
                TestContract.get(
                    "/v1/{domain}/items/{id}/notes",
                    id: "notes",
                    parameters: [domain, id]
                ),
                TestContract.get(
                    "/v1/{domain}/items/open/by-state/{state}",
                    id: "byState",
                    parameters: [
                        domain,
                        TestContract.path(
                            "state",
                            #"{"type": "string", "enum": ["NOT YET", "DONE"]}"#
                        ),
                    ]
                ),
                TestContract.get("/v1/{domain}/items/open", id: "open", parameters: [domain]),
                TestContract.get(
                    "/v1/{domain}/places/{place}",
                    id: "place",
                    parameters: [domain, TestContract.path("place")],
                    extra: #""x-path-aliases": ["/v1/{domain}/places/{place}/settings"]"#
                ),
                TestContract.operation(
                    "post",
                    "/oauth2/token",
                    id: "token",
                    extra: #""security": []"#
                ),
            ].joined(separator: ", "),
            root: #""x-path-prefixes": ["/_mock/openapi"]"#
        )
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let method: HTTPMethod
        let path: String
        let expected: String
        var testDescription: String { "\(method.rawValue) \(path)" }

        init(_ path: String, _ expected: String, _ method: HTTPMethod = .get) {
            self.path = path
            self.expected = expected
            self.method = method
        }
    }

    static let cases = [
        Case("/v1/acme/items", "list acme"),
        Case("/v1/acme/items/A1", "read acme|A1"),
        Case("/v1/acme/items/A1", "write acme|A1", .put),
        Case("/v1/acme/items/A1", "read acme|A1", .head),
        Case("/v1/acme/items/A1/notes", "notes acme|A1"),
        Case("/_mock/openapi/v1/acme/items/A1", "read acme|A1"),
        Case("/v1/acme/places/North%20Clinic/settings", "place acme|North Clinic"),
        Case("/v1/acme/places/settings", "place acme|settings"),
        // Encoded octets are data in a parameter, and compared decoded with a literal.
        Case("/v1/acme/places/a%2Fb", "place acme|a/b"),
        Case("/v1/acme/places/a+b", "place acme|a+b"),
        Case("/v1/acme/places/%E6%97%A5", "place acme|日"),
        Case("/v1/acme/places/%252F", "place acme|%2F"),
        Case("/%76%31/acme/items", "list acme"),
        Case("/v1/acme/items/o%70en", "open acme"),
        Case("/v1/acme/items/...", "read acme|..."),
        // What is malformed reaches its parameter, to be refused by name.
        Case("/v1/acme/places/%zz", "place acme|?"),
        Case("/v1/acme/places/%", "place acme|?"),
        Case("/v1/acme/places/%ff", "place acme|?"),
        // A literal sibling is never the value of a parameter, and there is no way back.
        Case("/v1/acme/items/open", "open acme"),
        Case("/v1/acme/items/open/notes", "404"),
        Case("/v1/acme/items/open/by-state", "404"),
        Case("/v1/acme/items/open/by-state/DONE", "byState acme|DONE"),
        // Other paths.
        Case("/v1/acme/items/", "404"),
        Case("/v1//items", "404"),
        Case("//v1/acme/items", "404"),
        Case("/v1/acme/items/.", "404"),
        Case("/v1/acme/items/..", "404"),
        Case("/v1/acme/items/%2e%2E", "404"),
        Case("/v1/./items", "404"),
        Case("/v1/acme/Items", "404"),
        Case("/V1/acme/items", "404"),
        Case("/v1/acme/items/A1/notes/1", "404"),
        Case("/v1/acme", "404"),
        Case("/", "404"),
        Case("", "404"),
        Case("v1/acme/items", "404"),
        Case("/_mock/openapi", "404"),
        Case("/_mock/openapi/", "404"),
        Case("/_mock/openapiv1/acme/items", "404"),
        Case("/_mock/openapi/_mock/openapi/v1/acme/items", "404"),
        // Other methods.
        Case("/v1/acme/items", "405 GET, HEAD", .post),
        Case("/v1/acme/items/A1", "405 GET, HEAD, PUT", .delete),
        Case("/v1/acme/items/A1", "405 GET, HEAD, PUT", HTTPMethod("get")),
        Case("/oauth2/token", "405 POST", .get),
        Case("/oauth2/token", "405 POST", .head),
    ]

    @Test("A method and a path lead to their operation", arguments: cases)
    func route(_ example: Case) throws {
        let contract = try Self.contract.get()
        let found: String
        switch contract.route(method: example.method, path: Array(example.path.utf8)) {
        case .matched(let operation, let match):
            let values = (0..<match.count).map { match.value(at: $0) ?? "?" }
            found = "\(operation.id) \(values.joined(separator: "|"))"
        case .methodNotAllowed(let allowed, _):
            found = "405 \(allowed.map(\.rawValue).joined(separator: ", "))"
        case .notFound: found = "404"
        }
        #expect(found == example.expected)
    }

    @Test("Path values are found by name, whatever order the parameters were described in")
    func pathValues() throws {
        let contract = try Self.contract.get()
        let path = Array("/v1/acme/items/A%201".utf8)
        guard case .matched(let operation, let match) = contract.route(method: .get, path: path)
        else {
            Issue.record("no match")
            return
        }
        #expect(operation.parameters.map(\.name) == ["domain", "id"])
        #expect(operation.pathValue("id", in: match) == "A 1")
        #expect(operation.pathValue("domain", in: match) == "acme")
        #expect(operation.pathValue("other", in: match) == nil)
    }

    @Test(
        "A path that is a slip away from a real one gets that one suggested",
        arguments: [
            ("/v1/acme/item", ["/v1/acme/items"]),
            ("/v1/acme/item/A1", ["/v1/acme/items/A1"]),
            ("/v1/acme/ITEMS", ["/v1/acme/items"]),
            ("/v1/acme/items/", ["/v1/acme/items"]),
            ("/v1/acme//items", ["/v1/acme/items"]),
            ("/_mock/openapi/v1/acme/itmes", ["/v1/acme/items"]),
            ("/v2/acme/items/A1", ["/v1/acme/items/A1"]),
            ("/acme/items/A1", ["/v1/acme/items/A1"]),
            ("/api/acme/items/A1", ["/v1/acme/items/A1"]),
            ("/v1/items", ["/v1/{domain}/items"]),
            ("/token", ["/oauth2/token"]),
            ("/oauth/token", ["/oauth2/token"]),
            ("/v1/acme/items/by-state/DONE", ["/v1/acme/items/open/by-state/DONE"]),
            ("/v1/acme/items/open/DONE", ["/v1/acme/items/open/by-state/DONE"]),
            ("/v1/acme/items/open/by-sate/WHAT", ["/v1/acme/items/open/by-state/{state}"]),
            // Only plain identifiers are repeated.
            ("/v1/acme/item/Jane%20Doe", ["/v1/acme/items/{id}"]),
            ("/v1/acme/items/A1/notes/", ["/v1/acme/items/A1/notes"]),
            ("/", []), ("/favicon.ico", []), ("/x/y/z/v/w", []), ("", []),
        ]
    )
    func suggestions(_ path: String, _ expected: [String]) throws {
        let contract = try Self.contract.get()
        let found = contract.nearestPaths(to: Array(path.utf8), method: .get).map(\.path)
        #expect(found == expected)
    }

    @Test("Of two methods on one path the suggestion takes the client's")
    func suggestedMethod() throws {
        let contract = try Self.contract.get()
        let found = contract.nearestPaths(to: Array("/v1/acme/item/A1".utf8), method: .put)
        #expect(found.map(\.operationID) == ["write"])
        #expect(found.first?.method == .put)
    }

    @Test("Operations are found by id, in any case where that is asked for")
    func operationIDs() throws {
        let contract = try Self.contract.get()
        #expect(
            contract.operation(id: "byState")?.pathTemplate
                == "/v1/{domain}/items/open/by-state/{state}"
        )
        #expect(contract.operation(id: "bystate") == nil)
        #expect(contract.operation(anyCase: "BYSTATE")?.id == "byState")
        #expect(contract.operations.enumerated().allSatisfy { $0.offset == $0.element.index })
        #expect(contract.operation(id: "token")?.requiresToken == false)
        #expect(contract.operation(id: "list")?.requiresToken == true)
    }
}

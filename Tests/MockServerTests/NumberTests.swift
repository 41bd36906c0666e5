import Embedded
import HTTPMessage
import JSON
import MockServer
import OAuth
import QUBS
import Testing
import TestSupport
import Time

/// Numbers that a client chooses, through a real socket: an answer for each, never a trap.
@Suite("Numbers that clients choose, through a server")
struct NumberTests {
    /// Clocks at both ends of what may be set, and past them.
    private static let clocks = [
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:59:59Z",
        "2000-02-29T23:59:59Z", "2025-06-01T00:00:00Z", "2100-02-28T23:59:59Z",
        "2199-12-31T23:59:59.999999999Z", "2200-01-01T00:00:00Z",
    ]

    @Test("Any clock: the same requests are answered", arguments: clocks, ["frozen", "real"])
    func anyClock(now: String, mode: String) throws {
        let server = try TestServer()
        let set = try server.control("PUT", "/clock", ["mode": .string(mode), "now": .string(now)])
        #expect(set.status == 200, "\(set.text)")
        let sites = try server.get("sites")
        #expect(sites.status == 200, "\(sites.text)")
        let list = try server.get("appointments/by-status/ARRIVED?pageSize=10")
        let next = try #require(list.json["nextToken"]?.string)
        let second = try server.get("appointments/by-status/ARRIVED?pageSize=10&nextToken=\(next)")
        #expect(second.status == 200, "\(second.text)")
        let upload = try server.post(
            TestServer.uploadsPath,
            TestServer.writes[1].body,
            key: "k1"
        )
        #expect(upload.status == 200)
        let attachments = try server.get(
            "appointments/A123456/attachments?urlTtlSeconds=3600"
        )
        #expect(attachments.status == 200)
        for item in attachments.json.array ?? [] {
            guard let url = item["url"]?.string else { continue }
            let path = String(url.dropFirst(server.baseURL.utf8.count))
            #expect(try server.send("GET", path).status == 200)
        }
        #expect(try server.post(TestServer.commentsPath, ["commentText": "x"]).status == 200)
        let rules: JSONValue = [
            "when": ["rate": ["requests": 1, "per": "P1D"]],
            "then": ["retryAfter": ["form": "date"]], "ttl": "P1D",
        ]
        #expect(try server.control("POST", "/faults", rules).status == 201)
        #expect(try server.get("sites").status == 200)
        #expect(try server.get("sites").status == 429)
        #expect(
            try server.control(
                "POST",
                "/tokens",
                [
                    "clientId": "acme-partner", "expiresIn": 31_536_000,
                ]
            ).status == 200
        )
        #expect(try server.control("POST", "/keys/rotate").status == 200)
        #expect(try server.control("GET", "/requests").status == 200)
        #expect(try server.control("GET", "/verdict").status == 200)
        #expect(try server.control("PUT", "/snapshots/s").status == 201)
        #expect(try server.control("GET", "/sessions").status == 200)
    }

    @Test("The clock's ends are named by what is refused beyond them")
    func refusedClocks() throws {
        let server = try TestServer()
        let beyond = [
            "0001-01-01T00:00:00Z", "1677-09-21T00:00:00Z", "1969-12-31T23:59:59.999999999Z",
            "2200-01-01T00:00:00.000000001Z", "2262-04-12T00:00:00Z", "9999-12-31T23:59:59Z",
        ]
        for mode in ["frozen", "real"] {
            for now in beyond {
                let answer = try server.control(
                    "PUT",
                    "/clock",
                    ["mode": .string(mode), "now": .string(now)]
                )
                #expect(answer.status == 400, "\(now)")
                #expect(answer.text.contains("1970 to 2200"), "\(answer.text)")
            }
        }
        for by in ["P100000D", "P999999999999999W", "999999999999999.999999999999999s"] {
            let answer = try server.control("POST", "/clock/advance", ["by": .string(by)])
            #expect(answer.status == 400, "\(by)")
            #expect(answer.text.contains("1970 to 2200"), "\(answer.text)")
        }
    }

    /// Durations that stopped the server, wherever a rule holds one.
    @Test(
        "A duration beyond 24 hours is 400 wherever a rule holds one",
        arguments: ["s", "ms", "W", "D", "H", "M", "S"].flatMap { unit -> [String] in
            let digits = ["999999999999999", "999999999999999.999999999999999"]
            return switch unit {
            case "s", "ms": digits.map { $0 + unit }
            case "W", "D": digits.map { "P" + $0 + unit }
            default: digits.map { "PT" + $0 + unit }
            }
        }
    )
    func ruleDurations(text: String) throws {
        let server = try TestServer()
        let duration = JSONValue.string(text)
        let rules: [JSONValue] = [
            ["then": ["delay": duration]], ["then": ["delay": ["uniform": ["1ms", duration]]]],
            ["then": ["delay": ["lognormal": ["median": duration, "sigma": 1, "max": "1s"]]]],
            ["then": ["delay": ["lognormal": ["median": "1s", "sigma": 1, "max": duration]]]],
            ["then": ["delay": ["p50": duration, "p99": "1s"]]],
            ["then": ["delay": ["p50": "1s", "p99": duration]]],
            ["then": ["status": 503], "ttl": duration],
            ["when": ["window": ["after": duration]], "then": ["status": 503]],
            ["when": ["window": ["for": duration]], "then": ["status": 503]],
            ["when": ["rate": ["requests": 1, "per": duration]]],
            ["then": ["drip": ["chunks": 2, "over": duration]]],
        ]
        for rule in rules {
            let answer = try server.control("POST", "/faults", rule)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.text.contains("at most 24 hours"), "\(answer.text)")
        }
    }

    /// Times that a sealed thing may hold.
    private static let times: [Int64] = [
        .min, .min + 1, -62_135_596_801, -1, 0, TestServer.start - 86_401, TestServer.start + 6,
        TestServer.start + 86_400 * 366, 253_402_300_799, 253_402_300_800, .max - 1, .max,
    ]

    private static let list = "appointments/by-status/ARRIVED?pageSize=10"

    /// The keys of the server, which anybody may have: they are published.
    private func publishedKey() throws -> JSONValue {
        try JSONParser.parse(EmbeddedDefaults.octets(of: EmbeddedDefaults.signingKeyJSON()))
    }

    @Test("A paging token is sealed here as the server seals it, with any time", arguments: times)
    func pagingTokens(time: Int64) throws {
        let server = try TestServer()
        let secret = try ServerSecret(developmentKey: publishedKey())
        var binding: [UInt8] = []
        for part in [
            "Integrations_ListAppointmentsByStatus_Summary", "acme", "ARRIVED", "acme-partner",
            "default",
            ListOrder.scattered.rawValue, String(Configuration().seed),
        ] {
            binding += Array(part.utf8) + [0]
        }
        func sealed(_ time: Int64) -> String {
            var payload: [UInt8] = [1]
            withUnsafeBytes(of: time.bigEndian) { payload.append(contentsOf: $0) }
            payload += PageCursor.position(0).octets
            let code = secret.signature(over: payload + binding, for: .pagingToken).prefix(16)
            return Base64URL.encode(payload + code)
        }
        // The seal is right: a good time opens.
        let good = try server.get("\(Self.list)&nextToken=\(sealed(TestServer.start))")
        #expect(good.status == 200, "\(good.text)")
        let answer = try server.get("\(Self.list)&nextToken=\(sealed(time))")
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.text.contains(time > TestServer.start ? "issued after" : "older than 24"))
    }

    @Test("A JWT with any times, signed with the published key, is 401", arguments: times)
    func tokens(time: Int64) throws {
        let server = try TestServer()
        let key = try SigningKey(jwk: publishedKey())
        func use(_ changes: [(String, Int64)]) throws -> TestServer.Answer {
            var claims = JSONObject([
                ("iss", .string(ServerMetadata.issuer)), ("client_id", "acme-partner"),
                ("token_use", "access"), ("iat", .integer(Int(TestServer.start))),
                ("exp", .integer(Int(TestServer.start) + 60)), ("jti", "j"), ("domains", ["acme"]),
            ])
            for (name, value) in changes { claims[name] = .integer(Int(value)) }
            let header: JSONValue = ["alg": "RS256", "typ": "JWT", "kid": .string(key.id)]
            let input =
                Base64URL.encode(JSONWriter.octets(of: header)) + "."
                + Base64URL.encode(JSONWriter.octets(of: .object(claims)))
            let signature = try key.signature(over: ArraySlice(input.utf8))
            let token = input + "." + Base64URL.encode(signature)
            return try server.get("sites", as: nil, fields: [("Authorization", "Bearer \(token)")])
        }
        #expect(try use([]).status == 200)
        let isPast = time < TestServer.start
        let isWritable = Instant.writableSeconds.contains(time)
        #expect(try use([("exp", time)]).status == (isPast || !isWritable ? 401 : 200))
        #expect(try use([("nbf", time)]).status == (isPast && isWritable ? 200 : 401))
        #expect(try use([("iat", time)]).status == (isPast && isWritable ? 200 : 401))
        _ = try use([("iat", time), ("nbf", time), ("exp", time)])
        // What such tokens leave behind can be read by whoever looks at it.
        #expect(try server.control("GET", "/requests").status == 200)
        #expect(try server.control("GET", "/verdict").status == 200)
        for id in 1...5 {
            #expect(try server.control("GET", "/requests/\(id)/explain").status == 200)
        }
    }

    @Test("A refresh token with any time is invalid_grant", arguments: times)
    func refreshTokens(time: Int64) throws {
        let server = try TestServer()
        let secret = try ServerSecret(developmentKey: publishedKey())
        func refresh(_ time: Int64) throws -> TestServer.Answer {
            var payload: [UInt8] = [1]
            withUnsafeBytes(of: time.bigEndian) { payload.append(contentsOf: $0) }
            payload += [UInt8](repeating: 0, count: 16) + [7] + "default".utf8 + "acme-refresh".utf8
            let token = secret.seal(payload, for: .refreshToken)
            return try server.postForm(
                "grant_type=refresh_token&refresh_token=\(token)&client_id=acme-refresh"
                    + "&client_secret=acme-refresh-secret"
            )
        }
        #expect(try refresh(TestServer.start + 5 * 86_400).status == 200)
        let answer = try refresh(time == TestServer.start + 6 ? 0 : time)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.json["error"] == "invalid_grant")
        #expect(answer.text.contains(time > TestServer.start + 6 ? "issued after" : "expired"))
    }

    @Test(
        "A presigned URL with any expiry, signed with the published key, is 403",
        arguments: times
    )
    func presignedURLs(time: Int64) throws {
        let server = try TestServer()
        let secret = try ServerSecret(developmentKey: publishedKey())
        func signature(_ message: String) -> String {
            Base64URL.encode(
                secret.signature(over: Array(message.utf8), for: .presignedURL).prefix(24)
            )
        }
        let issued = try server.post(TestServer.uploadsPath, TestServer.writes[1].body)
        let upload = try #require(issued.json["items"]?.array?.first?["guid"]?.string)
        let listed = try server.get("appointments/A123456/attachments").json.array ?? []
        let download = try #require(listed.first { $0["url"]?.string != nil }?["guid"]?.string)
        func put(_ time: Int64) throws -> Int {
            let sign = signature("upload\0\(upload)\0\(time)\0default")
            let path = "/uploads/\(upload)?expires=\(time)&session=default&signature=\(sign)"
            return try server.send(
                "PUT",
                path,
                [("Content-Type", "application/pdf")],
                Array("%PDF".utf8)
            ).status
        }
        func get(_ time: Int64) throws -> Int {
            let sign = signature("download\0inline\0\(download)\0\(time)\0default")
            let path =
                "/attachments/\(download)?expires=\(time)&disposition=inline&session=default"
                + "&signature=\(sign)"
            return try server.send("GET", path).status
        }
        #expect(try get(TestServer.start + 3600) == 200)
        let isNear = time == TestServer.start + 6
        #expect(try get(time) == (isNear ? 200 : 403))
        #expect(try put(time) == 403)
        #expect(try put(TestServer.start + 900) == 200)
        #expect(try server.control("GET", "/requests").status == 200)
        #expect(try server.control("GET", "/verdict").status == 200)
    }
}

import HTTPTransport
import JSON
import Testing
import Time
import TestSupport

/// What a client got of an answer, octet for octet, until the connection ended or fell silent.
struct WireAnswer {
    let octets: [UInt8]
    let ending: RawClient.Reading
    /// Until the first octet, or until the end where none came.
    let first: Duration
    /// Until the end.
    let total: Duration

    /// The status line and the fields, with the empty line.
    var head: String {
        String(decoding: octets[..<contentStart], as: UTF8.self)
    }

    var content: [UInt8] { Array(octets[contentStart...]) }

    var status: Int? {
        guard head.hasPrefix("HTTP/1.1 ") else { return nil }
        return Int(head.dropFirst(9).prefix(3))
    }

    /// The value of a field, its name spelled as the server does.
    func field(_ name: String) -> String? {
        head.split(separator: "\r\n").first { $0.hasPrefix("\(name): ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    private var contentStart: Int {
        let end: [UInt8] = [13, 10, 13, 10]
        guard octets.count >= 4 else { return octets.count }
        for index in 0...(octets.count - 4) where octets[index..<(index + 4)].elementsEqual(end) {
            return index + 4
        }
        return octets.count
    }
}

extension TestServer {
    static let summaryID = "Integrations_GetAppointment_Summary"
    static let summaryPath = "appointments/A123457"

    /// JSON from its text.
    static func json(_ text: String) throws -> JSONValue {
        try JSONParser.parse(Array(text.utf8))
    }

    /// Arms rules in place of all others.
    func arm(_ rules: String) throws {
        let answer = try control("PUT", "/faults", try Self.json(rules))
        try #require(answer.status == 200, "\(answer.text)")
    }

    /// Arms the rule `r` with these members for one operation, in place of all others.
    func arm(_ members: String, on operation: String) throws {
        try arm(#"{"id":"r","match":{"operation":"\#(operation)"},\#(members)}"#)
    }

    /// Waits until the rule `r` has acted on the newest request.
    func awaitStruck() throws {
        try eventually("the rule has struck") {
            try entries("?limit=1").first?["fault"]?["rule"] == "r"
        }
    }

    /// How often a rule acted and how many requests it matched.
    func counts(_ id: String = "r") throws -> [Int?] {
        let rule = try control("GET", "/faults/\(id)").json
        return [rule["hits"]?.int, rule["seen"]?.int]
    }

    /// The statuses of so many requests for a summary, one after the other.
    func statuses(_ count: Int, as client: String = "acme-partner") throws -> [Int] {
        try (0..<count).map { _ in try get(Self.summaryPath, as: client).status }
    }

    /// A request below the domain acme, ready to be sent.
    func requestText(
        _ method: String = "GET",
        _ path: String = summaryPath,
        _ fields: [(String, String)] = [],
        _ content: String? = nil
    ) throws -> String {
        let target = path.hasPrefix("/") ? path : "/integrations/v1/acme/\(path)"
        var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
        text += "Authorization: Bearer \(try token())\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if let content {
            text += "Content-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n"
        }
        return text + "\r\n" + (content ?? "")
    }

    /// Sends octets on a connection of their own and reads until it ends.
    ///
    /// - Parameter patienceSeconds: How long a silence is waited for.
    func wire(_ request: String, patienceSeconds: Double = Double(Patience.seconds)) throws
        -> WireAnswer
    {
        let client = try RawClient(port: listener.port, timeLimitSeconds: patienceSeconds)
        defer { client.close() }
        let clock = ContinuousClock()
        let start = clock.now
        try client.send(request)
        var octets: [UInt8] = []
        var first: Duration?
        while true {
            let reading = client.read()
            first = first ?? (clock.now - start)
            guard case .octets(let more) = reading else {
                return WireAnswer(
                    octets: octets,
                    ending: reading,
                    first: first ?? .zero,
                    total: clock.now - start
                )
            }
            octets += more
        }
    }

    /// A GET whose connection ends with the answer.
    func wireGet(
        _ path: String = summaryPath,
        fields: [(String, String)] = [],
        patienceSeconds: Double = Double(Patience.seconds)
    ) throws -> WireAnswer {
        try wire(
            try requestText("GET", path, fields + [("Connection", "close")]),
            patienceSeconds: patienceSeconds
        )
    }

    /// The newest entries of the journal.
    func entries(_ query: String = "") throws -> [JSONValue] {
        try #require(try control("GET", "/requests\(query)").json["items"]?.array)
    }

    /// The explanation of the newest request.
    func explainNewest() throws -> JSONValue {
        let id = try #require(try entries("?limit=1").first?["id"]?.int)
        return try control("GET", "/requests/\(id)/explain").json
    }
}

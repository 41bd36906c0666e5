import ArgumentParser
import HTTPMessage
import JSON
import MockServer
import OAuth

/// `qubs-mock journal`: the requests that a running server remembers.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract:
            "Print what a running server remembers of requests, or write it as an HTTP archive.",
        discussion: """
            An archive (HAR 1.2) opens in the network tools of browsers. It tells no more than the journal: \
            no token, no name, and contents only with serve --journal-bodies.

            Exit status: 0, 3 without a server, 64 misuse.
            """
    )

    @OptionGroup var server: ServerAddress
    @Option(help: "Session whose requests are meant.")
    var session = SessionName.default
    @Option(help: ArgumentHelp("File for an HTTP archive, .har.", valueName: "file"))
    var har: String?
    @Option(help: "Requests at most, the newest (default: all).")
    var limit: Int?
    @Option(help: "Admin token of a server that is not bound to loopback.")
    var adminToken: String?

    /// Long journals take a moment.
    private static let timeoutSeconds = 60

    func validate() throws {
        _ = try OptionCheck.session(session)
        if let limit { _ = try OptionCheck.number(limit, "limit", in: 1...10_000_000) }
        if let adminToken { _ = try OptionCheck.secret(adminToken, "admin-token") }
        if let har, !har.hasSuffix(".har") {
            throw ValidationError("--har takes a file that ends in .har.")
        }
    }

    func run() throws {
        let base = try server.base()
        do throws(Failure) {
            if let har {
                try ReportFile.check(har, "--har")
                try ReportFile.write(try archive(of: base), to: har, "--har")
            } else {
                Output.line(String(decoding: try list(of: base), as: UTF8.self))
            }
        } catch {
            throw Failure(message: error.message, status: Judgement.failureStatus)
        }
    }

    /// Requests that one answer has at most.
    private static let atOnce = 1_000

    /// The list of all requests, newest first, as the server answers it in pieces.
    private func list(of base: HTTPURL) throws(Failure) -> [UInt8] {
        var items: [JSONValue] = []
        var dropped: JSONValue?
        try pieces(of: base, "json") { answer in
            let piece = answer["items"]?.array ?? []
            items += piece
            dropped = dropped ?? answer["dropped"]
            return (piece.count, piece.last?["id"]?.int)
        }
        var object = JSONObject()
        object["items"] = .array(items)
        object["dropped"] = dropped ?? 0
        return JSONWriter.octets(of: .object(object))
    }

    /// The archive of all requests, oldest first.
    private func archive(of base: HTTPURL) throws(Failure) -> [UInt8] {
        var pieces: [[JSONValue]] = []
        var log = JSONObject()
        try self.pieces(of: base, "har") { answer in
            let piece = answer["log"]?["entries"]?.array ?? []
            // The last piece, which has the oldest, knows when the page began.
            log = answer["log"]?.object ?? log
            pieces.append(piece)
            return (piece.count, piece.first?["_mock"]?["id"]?.int)
        }
        log["_next"] = nil
        log["entries"] = .array(pieces.reversed().flatMap { $0 })
        return JSONWriter.octets(of: ["log": .object(log)]) + [UInt8(ascii: "\n")]
    }

    /// Asks for piece after piece, the newest first.
    ///
    /// - Parameter take: Takes an answer; returns how many requests it had, and the oldest one's number.
    private func pieces(
        of base: HTTPURL,
        _ format: String,
        _ take: (JSONValue) -> (count: Int, oldest: Int?)
    ) throws(Failure) {
        var left = limit ?? .max
        var before: Int?
        while left > 0 {
            let (status, content) = try SmallHTTPClient.get(
                "/__admin/requests?session=\(session)&format=\(format)"
                    + "&limit=\(min(left, Self.atOnce))"
                    + (before.map { "&before=\($0)" } ?? ""),
                at: base,
                timeoutSeconds: Self.timeoutSeconds,
                bearerToken: adminToken
            )
            let answer: JSONValue
            do throws(JSONError) {
                answer = try JSONParser.parse(content)
            } catch {
                throw Failure(message: "\(base.text) answers no journal: \(error.explanation)")
            }
            guard status == 200 else {
                throw Failure(
                    message: "\(base.text) answers \(status): "
                        + (answer["detail"]?.string ?? "no journal")
                )
            }
            let (count, oldest) = take(answer)
            guard count > 0, let oldest, oldest > 1 else { return }
            left -= count
            before = oldest
        }
    }
}

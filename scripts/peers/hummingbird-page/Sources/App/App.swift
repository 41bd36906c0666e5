// What `scripts/bench --peers` measures qubs-mock beside: Hummingbird 2 sending the same records,
// encoded by JSONEncoder for each request as its users would, and the same octets as they stand.

import Foundation
import Hummingbird
import Logging

/// A page of summaries, as the contract has it.
struct Page: Codable, ResponseEncodable {
    struct Summary: Codable {
        var domain: String
        var appointmentId: String
        var scheduledSite: String
        var status: String
        var appointmentDate: String
        var startTime: String?
        var endTime: String?
        var modality: String?
        var studyDescription: String?
    }

    var items: [Summary]
    var nextToken: String?
}

/// Takes PORT SUMMARIES.json POINT.json, and serves `/summaries` and `/point`.
@main
struct App {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let port = Int(arguments[1]) else {
            fatalError("App PORT SUMMARIES.json POINT.json")
        }
        let page = try JSONDecoder().decode(
            Page.self,
            from: Data(contentsOf: URL(fileURLWithPath: arguments[2]))
        )
        let point = try ByteBuffer(bytes: Data(contentsOf: URL(fileURLWithPath: arguments[3])))
        let router = Router()
        router.get("summaries") { _, _ in page }
        router.get("point") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: point)
            )
        }
        var logger = Logger(label: "peer")
        logger.logLevel = .error
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: logger
        )
        try await application.runService()
    }
}

import Contract
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Store
import Time

// What handlers have in common: reading octets into an answer, lists, pages.

extension OperationCall {
    /// Reads, turning what the store throws into its problem.
    func reading<Result>(
        _ body: (SessionReader) throws(StoreError) -> Result
    ) throws(Problem) -> Result {
        do throws(StoreError) {
            return try body(reader)
        } catch {
            throw Problem(store: error)
        }
    }

    /// 404 for a resource that is not there.
    func missing(_ resource: RuleError.Resource) -> Problem { Problem(rule: .notFound(resource)) }

    /// A JSON object that the store appends; 404 where it says that there is none.
    func object(
        orMissing resource: RuleError.Resource,
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Bool
    ) throws(Problem) -> Answer {
        var output: [UInt8] = []
        output.reserveCapacity(1024)
        let found = try reading { reader throws(StoreError) in try body(reader, &output) }
        guard found else { throw missing(resource) }
        return .json(output)
    }

    /// A bare array whose elements the store appends.
    func list(
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Int
    ) throws(Problem) -> Answer {
        var output: [UInt8] = [UInt8(ascii: "[")]
        let count = try reading { reader throws(StoreError) in try body(reader, &output) }
        output.append(UInt8(ascii: "]"))
        var answer = Answer.json(output)
        answer.itemCount = count
        return answer
    }

    /// A bare array; 404 where the store says that what it belongs to does not exist.
    func list(
        orMissing resource: RuleError.Resource,
        _ body: (SessionReader, inout [UInt8]) throws(StoreError) -> Int?
    ) throws(Problem) -> Answer {
        var isMissing = false
        let answer = try list { reader, output throws(StoreError) in
            guard let count = try body(reader, &output) else {
                isMissing = true
                return 0
            }
            return count
        }
        if isMissing { throw missing(resource) }
        return answer
    }

    /// A page of the appointments of a status: `items` and `nextToken`.
    ///
    /// - Parameter providers: The provider numbers to which the list is limited, if it is.
    func page(
        status: String,
        view: AppointmentView,
        providers: [String]?
    ) throws(Problem) -> Answer {
        let token = PagingToken(
            secret: application.keys.secret,
            boundTo: [
                operation.id, domain, status, principal?.clientID ?? "", call.session.name,
                application.configuration.order.rawValue, String(application.configuration.seed),
            ]
        )
        let cursor = try pageCursor(token)
        let size = integer("pageSize")
        var output: [UInt8] = []
        output.reserveCapacity(64 + min(size, 100) * 512)
        output.append(contentsOf: "{\"items\":[".utf8)
        let page = try reading { reader throws(StoreError) in
            try reader.appendPage(
                domain: domain,
                status: status,
                providers: providers,
                view: view,
                after: cursor,
                limit: size,
                to: &output
            )
        }
        output.append(contentsOf: "],\"nextToken\":".utf8)
        let next = page.next.map { token.issue($0, now: now) }
        if let next {
            JSONWriter.append(string: next, to: &output)
        } else {
            output.append(contentsOf: "null".utf8)
        }
        output.append(UInt8(ascii: "}"))
        var answer = Answer.json(output)
        answer.itemCount = page.count
        answer.nextToken = next
        return answer
    }

    private func pageCursor(_ token: PagingToken) throws(Problem) -> PageCursor? {
        guard let sent = valid.string("nextToken") else { return nil }
        let digest = call.digest(sent.utf8)
        do throws(PagingToken.Refusal) {
            let cursor = try token.open(sent, now: now)
            call.entry.details.nextTokenSent = JournalDetails.SentNextToken(
                digest: digest,
                form: .issued
            )
            return cursor
        } catch {
            call.entry.details.nextTokenSent = JournalDetails.SentNextToken(
                digest: digest,
                form: error == .expired ? .issued : sent == "null" ? .null : .foreign
            )
            throw Problem(
                .nextToken,
                400,
                "nextToken: \(error.message)",
                errors: [("nextToken", [error.message])]
            )
        }
    }

    /// A stretch of the appointments of the domain, filtered by the query.
    func appointmentList(view: AppointmentView, providers: [String]?) throws(Problem) -> Answer {
        let filter = AppointmentFilter(
            date: localDate("appointmentDate"),
            start: localDate("startDate"),
            end: localDate("endDate"),
            site: valid.string("scheduledSite")
        )
        return try list { reader, output throws(StoreError) in
            try reader.appendList(
                domain: domain,
                filter: filter,
                providers: providers,
                view: view,
                skip: integer("skip"),
                take: integer("take"),
                to: &output
            )
        }
    }

    private func localDate(_ name: StaticString) -> LocalDate? {
        valid.string(name).flatMap { LocalDate($0) }
    }
}

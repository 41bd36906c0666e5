import Contract
import Faults
import HTTPMessage
import JSON
import Journal
import OAuth
import QUBS
import Readings
import Store
import Time

// Lists of appointments: cursor pages and offset lists.

extension OperationCall {
    /// A page of the appointments of a status: `items` and `nextToken`.
    ///
    /// - Parameter providers: The provider numbers to which the list is limited, if it is.
    func page(
        status: String,
        view: AppointmentView,
        providers: [String]?
    ) throws(Problem) -> Answer {
        let token = PagingToken(
            secret: context.keys.secret,
            boundTo: [
                operation.id, domain, status, principal?.clientID ?? "", call.session.name,
                context.configuration.order.rawValue, String(context.configuration.seed),
            ]
        )
        let place = try pagePlace(token)
        let size = integer("pageSize")
        if let answer = pageWithoutItems(at: place, token) { return answer }
        let cursor: PageCursor? =
            switch place {
            case .after(let cursor): cursor
            case .emptied(let cursor): cursor
            case .end, nil: nil
            }
        let limit = pageLimit(size)
        var output: [UInt8] = []
        output.reserveCapacity(64 + min(size, 100) * view.usualOctets)
        output.append(contentsOf: Self.pageStart)
        let page = try reading { reader throws(StoreError) in
            try reader.appendPage(
                domain: domain,
                status: status,
                providers: providers,
                view: view,
                after: cursor,
                limit: limit,
                to: &output
            )
        }
        shuffleItems(of: &output, from: Self.pageStart.count)
        var next = page.next.map { PagingToken.Place.after($0) }
        if next != nil, limit < size { call.note(PageFill.short) }
        if next == nil, call.departs(to: PageFill.trailingEmpty) { next = .end }
        return finishPage(&output, count: page.count, next.map { token.issue($0, now: now) })
    }

    private static let pageStart = Array("{\"items\":[".utf8)

    /// Ends a page behind its items.
    private func finishPage(_ output: inout [UInt8], count: Int, _ next: String?) -> Answer {
        output.append(UInt8(ascii: "]"))
        if next != nil || !call.departs(to: PageEnd.omitted) {
            output.append(contentsOf: ",\"nextToken\":".utf8)
            if let next {
                JSONWriter.append(string: next, to: &output)
            } else {
                let isEmpty = call.departs(to: PageEnd.empty)
                output.append(contentsOf: (isEmpty ? "\"\"" : "null").utf8)
            }
        }
        output.append(UInt8(ascii: "}"))
        var answer = Answer.json(output)
        answer.itemCount = count
        answer.nextToken = next
        return answer
    }

    /// How many items a page gets at most.
    private func pageLimit(_ size: Int) -> Int {
        guard size > 1, call.readings.departs(to: PageFill.short) else { return size }
        var draws = call.readings.draws(for: .pageFill)
        return 1 + Int(draws.unit() * Double(size - 1))
    }

    /// A page without items, where the readings want one; `nil` elsewhere.
    private func pageWithoutItems(at place: PagingToken.Place?, _ token: PagingToken) -> Answer? {
        var output = Self.pageStart
        switch place {
        case .end: return finishPage(&output, count: 0, nil)
        case .emptied: return nil
        case .after(let cursor):
            guard call.departs(to: PageFill.emptyPages) else { return nil }
            return finishPage(&output, count: 0, token.issue(.emptied(cursor), now: now))
        case nil:
            guard call.departs(to: PageFill.emptyPages) else { return nil }
            return finishPage(&output, count: 0, token.issue(.emptied(nil), now: now))
        }
    }

    private func pagePlace(_ token: PagingToken) throws(Problem) -> PagingToken.Place? {
        guard let sent = valid.string("nextToken") else { return nil }
        let digest = call.digest(sent.utf8)
        do throws(PagingToken.Refusal) {
            let place = try token.open(sent, now: now)
            call.entry.details.nextTokenSent = JournalDetails.SentNextToken(
                digest: digest,
                form: .issued
            )
            return place
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
        var filter = AppointmentFilter(
            date: localDate("appointmentDate"),
            start: localDate("startDate"),
            end: localDate("endDate"),
            site: valid.string("scheduledSite")
        )
        if let site = filter.site { try refuseUnknown(site) }
        if let offset = valid.int("clientUtcOffsetMinutes"),
            call.readings.departs(to: UTCOffset.shifts)
        {
            filter.offsetMinutes = offset
            if filter.isShifted { call.note(UTCOffset.shifts) }
        }
        let skip = integer("skip")
        let take = integer("take")
        func stretch(_ skip: Int, _ take: Int) throws(Problem) -> Answer {
            try list { reader, output throws(StoreError) in
                try reader.appendList(
                    domain: domain,
                    filter: filter,
                    providers: providers,
                    view: view,
                    skip: skip,
                    take: take,
                    to: &output
                )
            }
        }
        guard call.readings.departs(to: ItemOrder.perRequest) else {
            return try stretch(skip, take)
        }
        let blocks = ShuffledBlocks(skip: skip, take: take, call.readings.draws(for: .listOrder))
        let answer = try stretch(blocks.first, blocks.count)
        let items = JSONElements.split(answer.content, from: 1)
        let chosen = blocks.choose(from: items.count)
        if chosen.count > 1 { call.note(ItemOrder.perRequest) }
        var reordered = Answer.json(
            [UInt8(ascii: "[")]
                + chosen.map { answer.content[items[$0]] }.joined(separator: [UInt8(ascii: ",")])
                + [UInt8(ascii: "]")]
        )
        reordered.itemCount = chosen.count
        return reordered
    }

    /// 400 or 404 for a filter by a site that does not exist, where a reading wants it.
    private func refuseUnknown(_ site: String) throws(Problem) {
        let reading = call.readings.value(of: UnknownSiteFilter.self)
        if reading == .empty { return }
        var unused: [UInt8] = []
        let isKnown = try self.reading { reader throws(StoreError) in
            try reader.appendSite(domain: domain, name: site, to: &unused)
        }
        if isKnown { return }
        call.note(reading)
        if reading == .notFound { throw missing(.site) }
        let message = "There is no such site: GET /sites lists them."
        call.entry.details.violations.append(
            JournalViolation(
                location: "query",
                name: "scheduledSite",
                keyword: "site",
                message: message,
                contractPointer: ""
            )
        )
        throw Problem(
            .contract,
            400,
            "scheduledSite: \(message)",
            errors: [("scheduledSite", [message])]
        )
    }

    /// Puts the items of a page into another order, where a reading wants it.
    ///
    /// - Parameter start: Where the items begin, which end with the output.
    private func shuffleItems(of output: inout [UInt8], from start: Int) {
        guard call.readings.departs(to: ItemOrder.perRequest) else { return }
        let items = JSONElements.split(output, from: start)
        guard items.count > 1 else { return }
        call.note(ItemOrder.perRequest)
        var draws = call.readings.draws(for: .listOrder)
        let order = ShuffledBlocks.shuffled(Array(items.indices), &draws)
        let texts = order.map { output[items[$0]] }
        output = Array(output[..<start]) + texts.joined(separator: [UInt8(ascii: ",")])
    }

    private func localDate(_ name: StaticString) -> LocalDate? {
        valid.string(name).flatMap { LocalDate($0) }
    }
}

extension AppointmentView {
    /// Octets of an appointment of the default data, and somewhat more: a page that outgrows its room
    /// is copied.
    fileprivate var usualOctets: Int {
        switch self {
        case .summary: 256
        case .operational: 768
        case .reporting: 1280
        }
    }
}

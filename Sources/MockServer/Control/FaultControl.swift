import Faults
import Time
import HTTPMessage
import JSON
import Journal

/// Tag Faults of the control API.
enum FaultControl {
    static let entries: [ControlEntry] = [
        ("Admin_ListFaults", list),
        ("Admin_AddFaults", add),
        ("Admin_ReplaceFaults", replaceAll),
        ("Admin_ClearFaults", clear),
        ("Admin_GetFault", one),
        ("Admin_RemoveFault", remove),
    ]

    private static func list(_ call: ControlCall) throws(Problem) -> Answer {
        answer(try call.existingSession().faults.listings)
    }

    private static func add(_ call: ControlCall) throws(Problem) -> Answer {
        let rules = try rules(call)
        let session = try call.openSession()
        do throws(FaultError) {
            let now = session.clock.read().nanoseconds
            return answer(try session.faults.add(rules, now: now), status: 201)
        } catch {
            throw Problem(faults: error)
        }
    }

    private static func replaceAll(_ call: ControlCall) throws(Problem) -> Answer {
        let rules = call.body.array?.isEmpty == true ? [] : try rules(call)
        let session = try call.openSession()
        do throws(FaultError) {
            let now = session.clock.read().nanoseconds
            return answer(try session.faults.replaceAll(with: rules, now: now))
        } catch {
            throw Problem(faults: error)
        }
    }

    private static func clear(_ call: ControlCall) throws(Problem) -> Answer {
        try call.openSession().faults.clear()
        return .noContent
    }

    private static func one(_ call: ControlCall) throws(Problem) -> Answer {
        guard let listing = try call.existingSession().faults.listing(id: call.string("id")) else {
            throw missing
        }
        return .json(listing.json)
    }

    private static func remove(_ call: ControlCall) throws(Problem) -> Answer {
        guard try call.existingSession().faults.remove(id: call.string("id")) else {
            throw missing
        }
        return .noContent
    }

    private static let missing = Problem(
        .notFound,
        404,
        "There is no rule with this id: GET /__admin/faults lists them."
    )

    /// The rules of the content: all of them, or nothing is armed.
    private static func rules(_ call: ControlCall) throws(Problem) -> [FaultRule] {
        do throws(FaultError) {
            return try call.context.faultRules.rules(call.body)
        } catch {
            throw Problem(faults: error)
        }
    }

    private static func answer(_ listings: [FaultPlan.Listing], status: Int = 200) -> Answer {
        .json(["items": .array(listings.map(\.json))], status: status)
    }
}

extension Problem {
    /// 400 with a pointer for each thing that is wrong with rules, or 409 for a repeated `id`.
    init(faults error: FaultError) {
        let list = error.errors
        let (reason, status): (JournalRefusal, Int)
        switch error {
        case .invalid: (reason, status) = (.contract, 400)
        case .repeatedIDs: (reason, status) = (.conflict, 409)
        case .tooMany:
            self.init(
                .conflict,
                409,
                "Nothing was armed: a session holds \(FaultPlan.maximumRules) rules. Remove those that "
                    + "are spent, one by one or all with DELETE /__admin/faults."
            )
            return
        }
        let first = list.first.map { "\($0.pointer.description): \($0.reason)" } ?? ""
        self.init(
            reason,
            status,
            list.count == 1 ? "Nothing was armed. \(first)" : "Nothing was armed: see `errors`.",
            errors: Self.grouped(list.map { ($0.pointer.description, $0.reason) })
        )
    }
}

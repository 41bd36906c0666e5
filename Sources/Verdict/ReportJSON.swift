package import JSON

extension VerdictReport {
    /// The report as `GET /__admin/verdict` answers it.
    package var json: JSONValue {
        var object = JSONObject()
        object["session"] = .string(session)
        object["result"] = .string(outcome.rawValue)
        object["summary"] = .string(headline)
        object["conclusion"] = conclusion.json
        object["strict"] = .bool(isStrict)
        object["checks"] = .array(checks.map { $0.json(word: word(for: $0)) })
        object["coverage"] = coverage.json
        object["journal"] = [
            "entries": .integer(journal.entries), "dropped": .integer(Int(journal.dropped)),
        ]
        if let scenario {
            object["scenario"] = [
                "name": .string(scenario.name), "reached": .bool(scenario.isReached),
                "notExercised": .array(scenario.missing.map { .string($0) }),
                "notAsked": .array(scenario.notAsked.map { .string($0) }),
                "notes": .array(scenarioNotes.map { .string($0) }),
            ]
        }
        return .object(object)
    }

    /// The verdict in one short line.
    package var headline: String {
        if outcome == .notExercised { return "Nothing was exercised: no request could be judged." }
        let failed = failures
        let counted = failed.count { counts($0) }
        var parts = ["\(checks(.pass).count) pass"]
        if counted > 0 { parts.append("\(counted) fail") }
        if failed.count > counted {
            parts.append(
                "\(failed.count - counted) warning\(failed.count - counted == 1 ? "" : "s")"
            )
        }
        parts.append("\(checks(.notExercised).count) not exercised")
        let unjudged = checks(.notJudged).count
        if unjudged > 0 { parts.append("\(unjudged) not judged") }
        return "\(checks.count) checks: " + parts.joined(separator: ", ") + "."
    }

    /// What a reader must know about how far the journal reaches; `nil` when it is whole.
    package var journalNote: String? {
        guard journal.dropped > 0 else { return nil }
        return "The journal overflowed: \(journal.dropped) earlier requests were dropped, and only "
            + "the last \(journal.entries) are judged. A larger --journal-size keeps more."
    }
}

extension CheckResult {
    fileprivate func json(word: String) -> JSONValue {
        var object = JSONObject()
        object["id"] = .string(check.id)
        object["level"] = .string(check.level.rawValue)
        object["result"] = .string(outcome.rawValue)
        object["word"] = .string(word)
        object["summary"] = .string(summary)
        object["rule"] = .string(check.rule)
        object["advice"] = .string(advice)
        object["basis"] = [
            "says": .string(check.basis.sentence),
            "section": check.basis.section.map { .string($0) } ?? .null,
        ]
        object["failures"] = .integer(failures)
        object["evidence"] = .array(evidence.map(\.json))
        if !remarks.isEmpty { object["remarks"] = .array(remarks.map { .string($0) }) }
        if !undecided.isEmpty { object["undecided"] = .array(undecided.map(\.json)) }
        if let toDecide { object["toDecide"] = .string(toDecide) }
        return .object(object)
    }
}

extension Evidence {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["requestId"] = requests.last.map { .string($0.requestID) } ?? .null
        object["note"] = .string(note)
        if let session { object["session"] = .string(session) }
        object["requests"] = .array(
            requests.map { request in
                var object = JSONObject()
                object["id"] = .integer(Int(request.id))
                object["requestId"] = .string(request.requestID)
                object["traceparent"] = request.traceParent.map { .string($0) }
                object["method"] = .string(request.method)
                object["path"] = .string(request.path)
                object["answer"] = .string(request.answer)
                object["offsetSeconds"] =
                    JSONNumber(Double(request.offset / 1_000_000) / 1000).map { .number($0) }
                    ?? .null
                return .object(object)
            }
        )
        for (name, value) in [
            ("gapSeconds", gap), ("limitSeconds", limit), ("toleranceSeconds", tolerance),
        ] {
            guard let value, let number = JSONNumber(Double(value / 1_000_000) / 1000) else {
                continue
            }
            object[name] = .number(number)
        }
        return .object(object)
    }
}

extension Coverage {
    fileprivate var json: JSONValue {
        [
            "called": .integer(called), "of": .integer(operations.count),
            "operations": .array(
                operations.map { operation in
                    var answers = JSONObject()
                    for (name, count) in operation.classes { answers[name] = .integer(count) }
                    return [
                        "operation": .string(operation.id),
                        "requests": .integer(operation.requests),
                        "answers": .object(answers), "faulted": .integer(operation.faulted),
                        "works": .bool(operation.works),
                    ]
                }
            ),
        ]
    }
}

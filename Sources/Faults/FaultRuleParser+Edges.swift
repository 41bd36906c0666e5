import JSON

extension FaultRuleParser {
    /// Reads `edge`, once the other effects are known: its answer has the status that stands beside it.
    mutating func edge(
        in object: JSONObject,
        at pointer: JSONPointer,
        in context: EffectContext,
        into effects: inout FaultEffects
    ) {
        let here = pointer.appending("edge")
        guard let value = object["edge"], let name = string(value, at: here) else { return }
        guard let edge = edges[name] else {
            refuse(
                here,
                edges.nearest(to: name).map { "There is no such edge: did you mean `\($0)`?" }
                    ?? "There is no such edge: GET /__admin/edges lists them."
            )
            return
        }
        if let operations = edge.operations, !operations.contains(context.operation ?? "") {
            let list = operations.map { "`\"operation\": \"\($0)\"`" }.joined(separator: " or ")
            refuse(here, "`\(name)` is met elsewhere: it needs `match` with \(list).")
        }
        // What exceeds a rate is refused with 429, where the edge knows it.
        let usual = context.isRate ? edge.answer(429) ?? edge.answer(nil) : edge.answer(nil)
        guard let answer = effects.status == nil ? usual : edge.answer(effects.status) else {
            let known = edge.answers.map { String($0.status) }.joined(separator: ", ")
            refuse(
                pointer.appending("status"),
                edge.answers.contains(where: \.isError)
                    ? "`\(name)` knows \(known): name one of these, or none."
                    : "`\(name)` always answers \(known): leave out `status`."
            )
            return
        }
        effects.edge = answer
        effects.status = answer.status
    }
}

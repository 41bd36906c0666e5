extension VerdictReport {
    /// How to read the requests that a report shows, with the first of them as the example; `nil` where
    /// it shows none.
    func legend(of requests: [Evidence.Request]) -> String? {
        guard let first = requests.first else { return nil }
        var text =
            "Read \"\(first.short)\" as: request \(first.id) of the journal (run --journal FILE, or "
            + "/__admin/requests), sent \(Seconds.text(first.offset)) after the first request, "
            + "\(first.meaning)."
        var told = [first.answer]
        for request in requests where !request.isStatus && !told.contains(request.answer) {
            told.append(request.answer)
            text += " \"\(request.answer)\": it \(request.meaning)."
        }
        return text
    }
}

extension Evidence.Request {
    /// Number, answer and time.
    var short: String { "#\(id) \(answer) at \(Seconds.text(offset))" }

    fileprivate var isStatus: Bool { answer.allSatisfy(\.isNumber) }

    /// What became of it, in words.
    fileprivate var meaning: String {
        switch answer {
        case "lost": "got no whole answer"
        case "left": "was given up by the client"
        case "awaited": "was still waiting for its answer"
        case "no answer": "got no answer"
        default: "was answered \(answer)"
        }
    }
}

import Journal

/// Which operations a client called, and which classes of answer it met.
package struct Coverage: Sendable {
    /// The operations of the contract, in its order, called or not.
    package let operations: [Operation]

    /// How many were called.
    package var called: Int { operations.count { $0.requests > 0 } }

    /// One operation.
    package struct Operation: Sendable {
        package let id: String
        package fileprivate(set) var requests = 0
        /// How many answers of each class, injected ones included.
        package fileprivate(set) var answers: [AnswerClass: Int] = [:]
        /// How many requests a fault rule acted on.
        package fileprivate(set) var faulted = 0
        /// Whether it was answered 2xx at least once, whole and without a fault.
        package fileprivate(set) var works = false

        /// The classes met, in a fixed order, with their words.
        package var classes: [(name: String, count: Int)] {
            answers.sorted { $0.key < $1.key }.map { ($0.key.name, $0.value) }
        }
    }

    /// A class of answers: successes as one, client errors by kind, server errors as one.
    package enum AnswerClass: Hashable, Sendable, Comparable {
        case success
        case clientError(UInt16)
        case serverError
        /// No whole answer.
        case lost
        case other(UInt16)

        package var name: String {
            switch self {
            case .success: "2xx"
            case .clientError(let code), .other(let code): String(code)
            case .serverError: "5xx"
            case .lost: "lost"
            }
        }

        init?(_ entry: JournalEntry) {
            if entry.delivery == .pending { return nil }
            if entry.lostAnswer {
                self = .lost
                return
            }
            switch entry.status {
            case nil: self = .lost
            case .some(let code) where 200..<300 ~= code: self = .success
            case .some(let code) where 400..<500 ~= code: self = .clientError(code)
            case .some(let code) where code >= 500: self = .serverError
            case .some(let code): self = .other(code)
            }
        }
    }

    /// What was called in several sessions.
    init(merging all: [Coverage]) {
        var operations = all.first?.operations ?? []
        for other in all.dropFirst() {
            for (place, operation) in other.operations.enumerated() {
                operations[place].requests += operation.requests
                operations[place].answers.merge(operation.answers, uniquingKeysWith: +)
                operations[place].faulted += operation.faulted
                operations[place].works = operations[place].works || operation.works
            }
        }
        self.operations = operations
    }

    init(_ time: Timeline) {
        var operations = time.context.operations.map { Operation(id: $0.id) }
        var places: [String: Int] = [:]
        for (place, operation) in operations.enumerated() { places[operation.id] = place }
        for entry in time.entries where entry.kind == .operation {
            guard let id = entry.operation, let place = places[id] else { continue }
            operations[place].requests += 1
            if let met = AnswerClass(entry) { operations[place].answers[met, default: 0] += 1 }
            if entry.details.fault != nil {
                operations[place].faulted += 1
            } else if entry.succeeded {
                operations[place].works = true
            }
        }
        self.operations = operations
    }
}

/// A regular expression of the contract (`pattern`), matched in time linear in the text.
///
/// The supported part of ECMA-262: literals, `.`, classes, `\d \D \s \S \w \W`, escapes (`\x21`,
/// `\u00e9`, `\t`, `\.`), groups, alternation, `^`, `$`, and greedy `* + ? {m} {m,} {m,n}`.
/// Anything else is refused when the contract is loaded. As JSON Schema has it, a pattern need not
/// match the whole text; characters are Unicode scalars.
///
/// Compiled to a small program whose threads all run in step over the text (Thompson 1968, as Pike
/// and Cox describe it), so that no pattern can make a request slow.
struct Pattern: Sendable {
    /// One step of the program.
    enum Instruction: Sendable {
        /// Consumes a scalar of this set, and goes on with the next instruction.
        case consume(ScalarSet)
        /// Goes on with both.
        case split(Int, Int)
        case jump(Int)
        case assertStart
        case assertEnd
        case match
    }

    /// As it stands in the contract.
    let source: String
    private let shortcut: Shortcut?
    private let program: [Instruction]

    /// The forms that most patterns have, and that need no program.
    private enum Shortcut {
        /// `\S`: some scalar of the set.
        case some(ScalarSet)
        /// `^[a-z]+$`: scalars of the set only, so many of them.
        case only(ScalarSet, least: Int, most: Int?)
        /// `^\s*\S`: any number of scalars of the one set, then one of the other.
        case begins(ScalarSet, ScalarSet)

        init?(_ node: PatternNode) {
            switch node {
            case .set(let set): self = .some(set)
            case .sequence(let nodes):
                guard nodes.count == 3, nodes[0] == .start,
                    case .repeated(.set(let set), let least, let most) = nodes[1]
                else { return nil }
                if nodes[2] == .end {
                    self = .only(set, least: least, most: most)
                } else if case .set(let other) = nodes[2], least == 0, most == nil {
                    self = .begins(set, other)
                } else {
                    return nil
                }
            default: return nil
            }
        }

        func matches(_ text: String) -> Bool {
            switch self {
            case .some(let set): return text.unicodeScalars.contains { set.contains($0) }
            case .only(let set, let least, let most):
                var count = 0
                for scalar in text.unicodeScalars {
                    guard set.contains(scalar) else { return false }
                    count += 1
                }
                return count >= least && count <= most ?? .max
            case .begins(let set, let other):
                for scalar in text.unicodeScalars {
                    if other.contains(scalar) { return true }
                    guard set.contains(scalar) else { return false }
                }
                return false
            }
        }
    }

    /// Compiles a pattern.
    ///
    /// - Throws: `PatternError` where the syntax is not supported, or the program becomes too long.
    init(_ source: String) throws(PatternError) {
        self.source = source
        var parser = PatternParser(source)
        let node = try parser.parse()
        shortcut = Shortcut(node)
        program = try PatternProgram.compile(node)
    }

    /// Whether some part of the text matches.
    func matches(_ text: String) -> Bool {
        if let shortcut { return shortcut.matches(text) }
        return search(text)
    }

    private func search(_ text: String) -> Bool {
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        var threads = Threads(count: program.count)
        var following = Threads(count: program.count)
        var pending: [Int] = []
        var isStart = true
        while true {
            // A match may begin at any scalar.
            if follow(0, isStart, next == nil, into: &threads, using: &pending) { return true }
            guard let scalar = next else { return false }
            next = scalars.next()
            isStart = false
            following.removeAll()
            for index in 0..<threads.count {
                let position = threads[index]
                guard case .consume(let set) = program[position], set.contains(scalar) else {
                    continue
                }
                if follow(position + 1, false, next == nil, into: &following, using: &pending) {
                    return true
                }
            }
            swap(&threads, &following)
        }
    }

    /// Adds a thread, and all that it leads to without consuming anything; tells whether one of
    /// them matches.
    private func follow(
        _ start: Int,
        _ isStart: Bool,
        _ isEnd: Bool,
        into threads: inout Threads,
        using pending: inout [Int]
    ) -> Bool {
        pending.removeAll(keepingCapacity: true)
        pending.append(start)
        while let position = pending.popLast() {
            guard threads.insert(position) else { continue }
            switch program[position] {
            case .consume: break
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .jump(let target): pending.append(target)
            case .assertStart: if isStart { pending.append(position + 1) }
            case .assertEnd: if isEnd { pending.append(position + 1) }
            case .match: return true
            }
        }
        return false
    }

    /// The positions in the program that are alive, each once.
    private struct Threads {
        private var positions: [Int] = []
        private var isAlive: [Bool]

        init(count: Int) { isAlive = [Bool](repeating: false, count: count) }

        var count: Int { positions.count }

        subscript(index: Int) -> Int { positions[index] }

        mutating func insert(_ position: Int) -> Bool {
            if isAlive[position] { return false }
            isAlive[position] = true
            positions.append(position)
            return true
        }

        mutating func removeAll() {
            for position in positions { isAlive[position] = false }
            positions.removeAll(keepingCapacity: true)
        }
    }
}

/// Why a pattern is refused.
struct PatternError: Error, Hashable, Sendable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

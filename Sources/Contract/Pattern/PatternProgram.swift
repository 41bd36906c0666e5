/// Turns what a pattern says into the program that looks for it.
struct PatternProgram {
    /// A bound on the memory and the time per character that a pattern may cost.
    private static let maximumInstructions = 5_000

    private var instructions: [Pattern.Instruction] = []

    /// The program of a pattern.
    static func compile(_ node: PatternNode) throws(PatternError) -> [Pattern.Instruction] {
        var program = PatternProgram()
        try program.emit(node)
        try program.append(.match)
        return program.instructions
    }

    private mutating func append(_ instruction: Pattern.Instruction) throws(PatternError) {
        guard instructions.count < Self.maximumInstructions else {
            throw PatternError("it needs more than \(Self.maximumInstructions) instructions")
        }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: PatternNode) throws(PatternError) {
        switch node {
        case .empty: break
        case .set(let set): try append(.consume(set))
        case .start: try append(.assertStart)
        case .end: try append(.assertEnd)
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .alternatives(let nodes): try emit(alternatives: nodes)
        case .repeated(let node, let least, let most):
            for _ in 0..<least { try emit(node) }
            if let most {
                for _ in least..<most { try emit(optional: node) }
            } else {
                try emit(star: node)
            }
        }
    }

    private mutating func emit(alternatives nodes: [PatternNode]) throws(PatternError) {
        var ends: [Int] = []
        for (index, node) in nodes.enumerated() {
            let split = instructions.count
            let isLast = index == nodes.count - 1
            if !isLast { try append(.jump(0)) }
            try emit(node)
            if isLast { break }
            ends.append(instructions.count)
            try append(.jump(0))
            instructions[split] = .split(split + 1, instructions.count)
        }
        for end in ends { instructions[end] = .jump(instructions.count) }
    }

    private mutating func emit(optional node: PatternNode) throws(PatternError) {
        let split = instructions.count
        try append(.jump(0))
        try emit(node)
        instructions[split] = .split(split + 1, instructions.count)
    }

    private mutating func emit(star node: PatternNode) throws(PatternError) {
        let split = instructions.count
        try append(.jump(0))
        try emit(node)
        try append(.jump(split))
        instructions[split] = .split(split + 1, instructions.count)
    }
}

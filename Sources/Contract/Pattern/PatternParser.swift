/// What a pattern says, before it becomes a program.
indirect enum PatternNode: Hashable, Sendable {
    case empty
    case set(ScalarSet)
    case start
    case end
    case sequence([PatternNode])
    case alternatives([PatternNode])
    /// `most` is `nil` where there is no upper bound.
    case repeated(PatternNode, least: Int, most: Int?)
}

/// Reads a pattern (ECMA-262 §22.2.1, a part of it).
///
/// ```
/// Disjunction = Alternative *( "|" Alternative )
/// Alternative = *( Atom [ Quantifier ] )
/// Atom        = "." / "^" / "$" / literal / escape / class / "(" [ "?:" ] Disjunction ")"
/// Quantifier  = "*" / "+" / "?" / "{" 1*DIGIT [ "," [ 1*DIGIT ] ] "}"
/// ```
struct PatternParser {
    /// Counted repetitions beyond this make programs too long to be worth it.
    private static let maximumRepetitions = 1_000
    private static let maximumDepth = 32

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    init(_ source: String) { scalars = Array(source.unicodeScalars) }

    /// Reads all of it.
    mutating func parse() throws(PatternError) -> PatternNode {
        let node = try disjunction()
        if position < scalars.count { throw PatternError("a `)` without its `(`") }
        return node
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        if next == scalar {
            position += 1
            return true
        }
        return false
    }

    private mutating func disjunction() throws(PatternError) -> PatternNode {
        var alternatives = [try alternative()]
        while take("|") { alternatives.append(try alternative()) }
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func alternative() throws(PatternError) -> PatternNode {
        var sequence: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let atom = try atom()
            sequence.append(try quantified(atom))
        }
        switch sequence.count {
        case 0: return .empty
        case 1: return sequence[0]
        default: return .sequence(sequence)
        }
    }

    private mutating func atom() throws(PatternError) -> PatternNode {
        guard let scalar = next else { throw PatternError("it ends too early") }
        position += 1
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .set(ScalarSet.lineTerminators.complement)
        case "\\": return .set(try escape(inClass: false))
        case "[": return .set(try scalarClass())
        case "(": return try group()
        case "*", "+", "?", "{": throw PatternError("`\(scalar)` repeats nothing")
        case "}", "]": throw PatternError("`\(scalar)` without its other half")
        default: return .set(ScalarSet([scalar.value...scalar.value]))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode {
        if take("?"), !take(":") { throw PatternError("only `(` and `(?:` open groups here") }
        depth += 1
        if depth > Self.maximumDepth { throw PatternError("groups are nested too deeply") }
        let node = try disjunction()
        depth -= 1
        guard take(")") else { throw PatternError("a `(` without its `)`") }
        return node
    }

    private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
        let least: Int
        let most: Int?
        switch next {
        case "*": (least, most) = (0, nil)
        case "+": (least, most) = (1, nil)
        case "?": (least, most) = (0, 1)
        case "{":
            position += 1
            least = try number()
            if take(",") {
                most = next == "}" ? nil : try number()
            } else {
                most = least
            }
            guard next == "}" else { throw PatternError("a `{` without its `}`") }
            if let most, most < least { throw PatternError("bounds in the wrong order") }
        default: return atom
        }
        position += 1
        if atom == .start || atom == .end { throw PatternError("an assertion is repeated") }
        if next == "?" { throw PatternError("lazy repetition is not supported") }
        if let scalar = next, scalar == "*" || scalar == "+" || scalar == "{" {
            throw PatternError("`\(scalar)` repeats nothing")
        }
        return .repeated(atom, least: least, most: most)
    }

    private mutating func number() throws(PatternError) -> Int {
        var value: Int?
        while let scalar = next, "0"..."9" ~= scalar {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            position += 1
            if let value, value > Self.maximumRepetitions {
                throw PatternError("more than \(Self.maximumRepetitions) repetitions")
            }
        }
        guard let value else { throw PatternError("a number is missing after `{`") }
        return value
    }

    private mutating func scalarClass() throws(PatternError) -> ScalarSet {
        let isNegated = take("^")
        var ranges: [ClosedRange<UInt32>] = []
        while !take("]") {
            let first = try classAtom()
            if next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" {
                position += 1
                let last = try classAtom()
                guard let low = first.single, let high = last.single else {
                    throw PatternError("a range needs a character at each end")
                }
                guard low <= high else { throw PatternError("a range in the wrong order") }
                ranges.append(low...high)
            } else {
                ranges += first.ranges
            }
        }
        let set = ScalarSet(ranges)
        return isNegated ? set.complement : set
    }

    private mutating func classAtom() throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError("a `[` without its `]`") }
        position += 1
        if scalar == "\\" { return try escape(inClass: true) }
        return ScalarSet([scalar.value...scalar.value])
    }

    private mutating func escape(inClass: Bool) throws(PatternError) -> ScalarSet {
        guard let scalar = next else { throw PatternError("it ends with a `\\`") }
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.complement
        case "w": return .word
        case "W": return ScalarSet.word.complement
        case "s": return .space
        case "S": return ScalarSet.space.complement
        case "t": return ScalarSet([0x09...0x09])
        case "n": return ScalarSet([0x0A...0x0A])
        case "v": return ScalarSet([0x0B...0x0B])
        case "f": return ScalarSet([0x0C...0x0C])
        case "r": return ScalarSet([0x0D...0x0D])
        case "x": return try hexEscape(digits: 2)
        case "u": return try hexEscape(digits: 4)
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/":
            return ScalarSet([scalar.value...scalar.value])
        case "-" where inClass: return ScalarSet([scalar.value...scalar.value])
        default: throw PatternError("the escape `\\\(scalar)` is not supported")
        }
    }

    private mutating func hexEscape(digits: Int) throws(PatternError) -> ScalarSet {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = next, let digit = Character(scalar).hexDigitValue else {
                throw PatternError("a hexadecimal escape is too short")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        if Unicode.Scalar(value) == nil { throw PatternError("half a surrogate pair") }
        return ScalarSet([value...value])
    }
}

extension ScalarSet {
    /// The only scalar of the set, where it has just one.
    fileprivate var single: UInt32? {
        guard ranges.count == 1, ranges[0].count == 1 else { return nil }
        return ranges[0].lowerBound
    }
}

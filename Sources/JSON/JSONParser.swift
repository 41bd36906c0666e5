/// Reads JSON (RFC 8259), strictly.
///
/// Refuses what two readers could read differently: duplicate member names, lone surrogates,
/// invalid UTF-8, numbers outside the grammar, a byte order mark. A text nested deeper than
/// `maximumDepth` is refused before the stack is at risk.
package struct JSONParser {
    /// Arrays and objects inside one another that the API accepts in a request.
    package static let defaultMaximumDepth = 64

    private let octets: UnsafeBufferPointer<UInt8>
    private let maximumDepth: Int
    private var position = 0
    private var path: [PathStep] = []

    private enum PathStep {
        case member(String)
        case element(Int)
    }

    /// Parses a whole text.
    ///
    /// - Parameters:
    ///   - octets: The text; white space around the value is allowed.
    ///   - maximumDepth: Deepest nesting of arrays and objects; a scalar has depth 0.
    package static func parse(
        _ octets: some Collection<UInt8>,
        maximumDepth: Int = defaultMaximumDepth
    ) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError>? = octets.withContiguousStorageIfAvailable {
            parseBuffer($0, maximumDepth: maximumDepth)
        }
        if let result { return try result.get() }
        return try Array(octets).withUnsafeBufferPointer {
            parseBuffer($0, maximumDepth: maximumDepth)
        }.get()
    }

    private static func parseBuffer(
        _ buffer: UnsafeBufferPointer<UInt8>,
        maximumDepth: Int
    ) -> Result<JSONValue, JSONError> {
        var parser = JSONParser(octets: buffer, maximumDepth: maximumDepth)
        do throws(JSONError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }

    private init(octets: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
        self.octets = octets
        self.maximumDepth = maximumDepth
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        if let encoding = JSONError.ForeignEncoding(of: octets) {
            throw fault(.foreignEncoding(encoding))
        }
        skipWhiteSpace()
        let value = try value(depth: 0)
        skipWhiteSpace()
        if position < octets.count { throw fault(.trailingContent) }
        return value
    }

    private func fault(_ kind: JSONError.Kind, at offset: Int? = nil) -> JSONError {
        let tokens = path.map { step in
            switch step {
            case .member(let name): JSONPointer.shownToken(name)
            case .element(let index): String(index)
            }
        }
        return JSONError(kind: kind, offset: offset ?? position, pointer: JSONPointer(tokens))
    }

    private var next: UInt8? { position < octets.count ? octets[position] : nil }

    private mutating func skipWhiteSpace() {
        while position < octets.count {
            switch octets[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func unexpected() -> JSONError {
        guard let octet = next else { return fault(.unexpectedEnd) }
        return fault(.unexpectedOctet(octet))
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard let octet = next else { throw fault(.unexpectedEnd) }
        switch octet {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try number())
        default: throw fault(.unexpectedOctet(octet))
        }
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[index] else { throw unexpected() }
            position += 1
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        if depth > maximumDepth { throw fault(.tooDeep(limit: maximumDepth)) }
        position += 1
        var object = JSONObject()
        skipWhiteSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object(object)
        }
        while true {
            guard next == UInt8(ascii: "\"") else { throw unexpected() }
            let start = position
            let name = try string()
            if object.contains(name) { throw fault(.duplicateMember, at: start) }
            skipWhiteSpace()
            guard next == UInt8(ascii: ":") else { throw unexpected() }
            position += 1
            skipWhiteSpace()
            path.append(.member(name))
            object.append(newName: name, try value(depth: depth))
            path.removeLast()
            skipWhiteSpace()
            switch next {
            case UInt8(ascii: ","):
                position += 1
                skipWhiteSpace()
            case UInt8(ascii: "}"):
                position += 1
                return .object(object)
            default: throw unexpected()
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        if depth > maximumDepth { throw fault(.tooDeep(limit: maximumDepth)) }
        position += 1
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            path.append(.element(elements.count))
            elements.append(try value(depth: depth))
            path.removeLast()
            skipWhiteSpace()
            switch next {
            case UInt8(ascii: ","):
                position += 1
                skipWhiteSpace()
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw unexpected()
            }
        }
    }

    /// Reads `number = [ minus ] int [ frac ] [ exp ]` (§6).
    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        switch next {
        case UInt8(ascii: "0"): position += 1
        case .some(UInt8(ascii: "1")...UInt8(ascii: "9")): skipDigits()
        default: throw fault(.malformedNumber, at: start)
        }
        if next == UInt8(ascii: ".") {
            position += 1
            guard skipDigits() else { throw fault(.malformedNumber, at: start) }
        }
        if let octet = next, octet | 0x20 == UInt8(ascii: "e") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() else { throw fault(.malformedNumber, at: start) }
        }
        if let octet = next, octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9") {
            throw fault(.malformedNumber, at: start)
        }
        return JSONNumber(verified: String(decoding: octets[start..<position], as: UTF8.self))
    }

    @discardableResult
    private mutating func skipDigits() -> Bool {
        let start = position
        while let octet = next, octet >= UInt8(ascii: "0"), octet <= UInt8(ascii: "9") {
            position += 1
        }
        return position > start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        // The usual string has no escape: find its end, then make the String in one go.
        var all: UInt8 = 0
        while position < octets.count {
            let octet = octets[position]
            all |= octet
            if octet == UInt8(ascii: "\"") {
                let text = try text(
                    UnsafeBufferPointer(rebasing: octets[start..<position]),
                    isASCII: all < 0x80,
                    at: start
                )
                position += 1
                return text
            }
            if octet == UInt8(ascii: "\\") { return try escapedString(from: start) }
            if octet < 0x20 { throw fault(.controlCharacter) }
            position += 1
        }
        throw fault(.unexpectedEnd)
    }

    /// The text that octets are; what is ASCII, as nearly all is, needs no validation.
    private func text(
        _ octets: UnsafeBufferPointer<UInt8>,
        isASCII: Bool,
        at offset: Int
    ) throws(JSONError) -> String {
        if isASCII { return String(decoding: octets, as: UTF8.self) }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw fault(.invalidUTF8, at: offset)
        }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text: [UInt8] = Array(octets[start..<position])
        while let octet = next {
            switch octet {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw fault(.invalidUTF8, at: start)
                }
                position += 1
                return string
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20: throw fault(.controlCharacter)
            default:
                text.append(octet)
                position += 1
            }
        }
        throw fault(.unexpectedEnd)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let octet = next else { throw fault(.unexpectedEnd) }
        position += 1
        switch octet {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(octet)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let start = position - 2
            var scalar = UInt32(try hexQuad())
            switch scalar {
            case 0xD800...0xDBFF:
                guard next == UInt8(ascii: "\\") else { throw fault(.loneSurrogate, at: start) }
                position += 1
                guard next == UInt8(ascii: "u") else { throw fault(.loneSurrogate, at: start) }
                position += 1
                let low = UInt32(try hexQuad())
                guard 0xDC00...0xDFFF ~= low else { throw fault(.loneSurrogate, at: start) }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            case 0xDC00...0xDFFF: throw fault(.loneSurrogate, at: start)
            default: break
            }
            guard let valid = Unicode.Scalar(scalar) else {
                throw fault(.loneSurrogate, at: start)
            }
            text.append(contentsOf: UTF8.encode(valid) ?? UTF8.encodedReplacementCharacter)
        default: throw fault(.invalidEscape, at: position - 2)
        }
    }

    private mutating func hexQuad() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let octet = next else { throw fault(.unexpectedEnd) }
            let digit: UInt8
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = octet - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = octet - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = octet - UInt8(ascii: "A") + 10
            default: throw fault(.invalidEscape)
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }
}

/// Field lines in the order received (RFC 9110 §5), names compared without case.
///
/// The octets of the whole section are kept once, and each line as four offsets into them: a
/// `String` is made only when somebody asks for one. Never a dictionary: order and repetition
/// carry meaning.
package struct Fields: Sendable {
    /// One field line: offsets into `octets`.
    ///
    /// The value has no white space around it.
    package struct Line: Sendable {
        package let nameStart: UInt32
        package let nameEnd: UInt32
        package let valueStart: UInt32
        package let valueEnd: UInt32

        package init(nameStart: Int, nameEnd: Int, valueStart: Int, valueEnd: Int) {
            self.nameStart = UInt32(nameStart)
            self.nameEnd = UInt32(nameEnd)
            self.valueStart = UInt32(valueStart)
            self.valueEnd = UInt32(valueEnd)
        }
    }

    /// The octets that the lines refer to; more than the field section may stand here.
    package let octets: [UInt8]
    /// The lines in order.
    package let lines: [Line]
    /// A bit for each length of a name, to spare searches for names that are not there.
    private let nameLengths: UInt64

    /// Fields that are already parsed.
    package init(octets: [UInt8], lines: [Line]) {
        self.octets = octets
        self.lines = lines
        var nameLengths: UInt64 = 0
        for line in lines { nameLengths |= Self.bit(ofLength: Int(line.nameEnd - line.nameStart)) }
        self.nameLengths = nameLengths
    }

    /// Lengths of 63 octets and more have one bit together.
    private static func bit(ofLength length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    /// Whether some line has a name of the same length: quick to ask, and seldom so without reason.
    func mayHave(_ name: StaticString) -> Bool {
        nameLengths & Self.bit(ofLength: name.utf8CodeUnitCount) != 0
    }

    /// Fields from names and values, for tests and tools.
    ///
    /// Nothing is checked.
    package init(_ pairs: [(String, String)] = []) {
        var octets: [UInt8] = []
        var lines: [Line] = []
        for (name, value) in pairs {
            let start = octets.count
            octets.append(contentsOf: name.utf8)
            let middle = octets.count
            octets.append(contentsOf: value.utf8)
            lines.append(
                Line(nameStart: start, nameEnd: middle, valueStart: middle, valueEnd: octets.count)
            )
        }
        self.init(octets: octets, lines: lines)
    }

    package var count: Int { lines.count }

    /// The name of a line, as it was spelled.
    package func name(at index: Int) -> String {
        let line = lines[index]
        return String(decoding: octets[Int(line.nameStart)..<Int(line.nameEnd)], as: UTF8.self)
    }

    /// The octets of a line's value.
    package func value(at index: Int) -> ArraySlice<UInt8> {
        let line = lines[index]
        return octets[Int(line.valueStart)..<Int(line.valueEnd)]
    }

    /// Whether a line has this name; `name` must be in lower case.
    package func isNamed(_ name: StaticString, at index: Int) -> Bool {
        let line = lines[index]
        let start = Int(line.nameStart)
        guard Int(line.nameEnd) - start == name.utf8CodeUnitCount else { return false }
        return octets.withUnsafeBufferPointer { octets in
            for position in 0..<name.utf8CodeUnitCount
            where Self.lowercased(octets[start + position]) != name.utf8Start[position] {
                return false
            }
            return true
        }
    }

    /// The value of the first line of this name; `name` must be in lower case.
    package func first(_ name: StaticString) -> ArraySlice<UInt8>? {
        guard mayHave(name) else { return nil }
        for index in lines.indices where isNamed(name, at: index) { return value(at: index) }
        return nil
    }

    /// How many lines have this name; `name` must be in lower case.
    package func count(of name: StaticString) -> Int {
        guard mayHave(name) else { return 0 }
        var count = 0
        for index in lines.indices where isNamed(name, at: index) { count += 1 }
        return count
    }

    /// The values of every line of this name, in order, whatever the case of `name`.
    package func values(named name: String) -> [ArraySlice<UInt8>] {
        let wanted = name.utf8.map(Self.lowercased)
        var values: [ArraySlice<UInt8>] = []
        for line in lines
        where Int(line.nameEnd) - Int(line.nameStart) == wanted.count
            && zip(octets[Int(line.nameStart)..<Int(line.nameEnd)], wanted).allSatisfy({
                Self.lowercased($0) == $1
            })
        {
            values.append(octets[Int(line.valueStart)..<Int(line.valueEnd)])
        }
        return values
    }

    /// The first value of this name as text (octets over 0x7F as Latin-1 would be a guess: they
    /// become U+FFFD unless they are UTF-8).
    package func text(_ name: StaticString) -> String? {
        first(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lower-case form of an ASCII letter; any other octet unchanged.
    @inline(__always)
    package static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- UInt8(ascii: "A") < 26 ? octet | 0x20 : octet
    }
}

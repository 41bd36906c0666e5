/// A piece of text cut into words, as people's names are compared.
///
/// Case, accents' spelling (composed or not), apostrophes and what stands between words make no
/// difference. Each Chinese, Japanese or Korean character is a word of its own, since their names
/// are written with and without a space.
package struct PersonalText: Sendable {
    /// A digest of each word.
    package private(set) var words: [UInt64] = []
    /// The numbers in the text, digits only: each run, and each row of runs that only a space or a
    /// hyphen parts.
    package private(set) var numbers: [[UInt8]] = []

    /// Longer texts are read so far.
    package static let maximumWords = 256

    package init(_ text: String) { self.init(Array(text.utf8)[...]) }

    /// Reads text that is UTF-8, or else taken as if invalid octets were separators.
    package init(_ octets: ArraySlice<UInt8>) {
        readNumbers(octets)
        if octets.allSatisfy({ $0 < 0x80 }) {
            readASCII(octets)
        } else {
            readScalars(String(decoding: octets, as: UTF8.self).lowercased())
        }
    }

    /// Whether there is nothing in it that could be a full name or a Medicare number.
    package var isHarmless: Bool {
        words.isEmpty && numbers.allSatisfy { $0.count < PersonalDataIndex.shortestNumber }
    }

    // MARK: Words

    private mutating func readASCII(_ octets: ArraySlice<UInt8>) {
        var digest = Self.start
        var length = 0
        for octet in octets {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                digest = Self.mix(digest, octet)
                length += 1
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                digest = Self.mix(digest, octet | 0x20)
                length += 1
            case UInt8(ascii: "'"): continue
            default:
                if length > 0 { append(digest) }
                digest = Self.start
                length = 0
            }
        }
        if length > 0 { append(digest) }
    }

    private mutating func readScalars(_ text: String) {
        var word = String.UnicodeScalarView()
        func digest(_ word: String.UnicodeScalarView) -> UInt64 {
            if word.allSatisfy(\.isASCII) {
                return word.reduce(Self.start) { Self.mix($0, UInt8(truncatingIfNeeded: $1.value)) }
            }
            // Equal for all spellings of the same characters, and different from run to run.
            var hasher = Hasher()
            hasher.combine(String(word))
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }
        func isApostrophe(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "'", "\u{2018}", "\u{2019}", "\u{02BB}", "\u{02BC}", "\u{05F3}": true
            default: false
            }
        }
        for scalar in text.unicodeScalars {
            if Self.isIdeograph(scalar) {
                if !word.isEmpty { append(digest(word)) }
                append(digest(String.UnicodeScalarView([scalar])))
                word = String.UnicodeScalarView()
            } else if isApostrophe(scalar) {
                continue
            } else if scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || scalar.properties.isDiacritic || Self.isMark(scalar)
            {
                word.append(scalar)
            } else if !word.isEmpty {
                append(digest(word))
                word = String.UnicodeScalarView()
            }
        }
        if !word.isEmpty { append(digest(word)) }
    }

    private mutating func append(_ word: UInt64) {
        if words.count < Self.maximumWords { words.append(word) }
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .format: true
        default: false
        }
    }

    /// Han, kana and Hangul syllables.
    private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0x2_0000...0x3_FFFF:
            true
        default: false
        }
    }

    // FNV-1a.
    private static let start: UInt64 = 0xCBF2_9CE4_8422_2325
    private static func mix(_ digest: UInt64, _ octet: UInt8) -> UInt64 {
        (digest ^ UInt64(octet)) &* 0x0000_0100_0000_01B3
    }

    // MARK: Numbers

    private mutating func readNumbers(_ octets: ArraySlice<UInt8>) {
        var row: [UInt8] = []
        var rowRuns = 0
        var run: [UInt8] = []
        /// Whether the run stands alone: no letter touches it.
        var isPure = true
        func isLetter(_ octet: UInt8) -> Bool {
            octet >= 0x80 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= octet | 0x20
        }
        func endRun(_ numbers: inout [[UInt8]]) {
            guard !run.isEmpty, isPure else { return endRow(&numbers) }
            if run.count >= PersonalDataIndex.shortestNumber { numbers.append(run) }
            row += run
            rowRuns += 1
        }
        func endRow(_ numbers: inout [[UInt8]]) {
            if rowRuns > 1, row.count >= PersonalDataIndex.shortestNumber { numbers.append(row) }
            row = []
            rowRuns = 0
        }
        for octet in octets {
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): run.append(octet)
            case UInt8(ascii: " "), UInt8(ascii: "-"):
                endRun(&numbers)
                run = []
                isPure = true
            default:
                if isLetter(octet) {
                    isPure = false
                    if run.isEmpty { endRow(&numbers) }
                } else {
                    endRun(&numbers)
                    endRow(&numbers)
                    run = []
                    isPure = true
                }
            }
        }
        endRun(&numbers)
        endRow(&numbers)
    }
}

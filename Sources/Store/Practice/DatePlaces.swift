/// Where in an image the dates and instants stand that move with the day.
///
/// They are looked for once, when the image is made: to lay the data is to go through this list. An
/// embedded image brings it as text, so it is kept as octets below 0x80: integers of six bits an
/// octet, the lowest first, with bit 6 where more follow.
package struct DatePlaces: Sendable {
    /// By which clocks a date moves.
    struct Clock: Hashable {
        let domain: Int64
        /// The rule of its time zone, as text.
        let rule: String
    }

    /// A text in an image.
    enum Place {
        case whole(offset: Int)
        /// It goes on at another offset, after so many octets: it lies across two pages.
        case cut(offset: Int, count: Int, rest: Int)
    }

    /// As they are embedded.
    package let octets: [UInt8]

    /// - Parameter octets: Those of another.
    package init(octets: some Sequence<UInt8>) { self.octets = Array(octets) }

    // MARK: Writing

    /// The places of dates and of instants, by their clocks.
    init(_ places: [Clock: (dates: [Place], instants: [Place])]) {
        var octets: [UInt8] = []
        func append(_ value: Int) {
            var rest = value
            while rest > 0x3F {
                octets.append(UInt8(rest & 0x3F | 0x40))
                rest >>= 6
            }
            octets.append(UInt8(rest))
        }
        func append(_ places: [Place]) {
            var offsets: [Int] = []
            var cuts: [(offset: Int, count: Int, rest: Int)] = []
            for place in places {
                switch place {
                case .whole(let offset): offsets.append(offset)
                case .cut(let offset, let count, let rest): cuts.append((offset, count, rest))
                }
            }
            append(offsets.count)
            var last = 0
            for offset in offsets.sorted() {
                append(offset - last)
                last = offset
            }
            append(cuts.count)
            for cut in cuts {
                append(cut.offset)
                append(cut.count)
                append(cut.rest)
            }
        }
        let clocks = places.keys.sorted { ($0.domain, $0.rule) < ($1.domain, $1.rule) }
        for clock in clocks {
            append(Int(clock.domain))
            append(clock.rule.utf8.count)
            octets += clock.rule.utf8
            append(places[clock]?.dates ?? [])
            append(places[clock]?.instants ?? [])
        }
        self.octets = octets
    }

    // MARK: Reading

    /// Gives the places of each clock.
    func forEachClock(_ body: (Clock, _ dates: Texts, _ instants: Texts) -> Void) {
        octets.withUnsafeBufferPointer { octets in
            var reader = Reader(octets: octets)
            while !reader.isAtEnd {
                let domain = Int64(reader.integer())
                let clock = Clock(domain: domain, rule: reader.text(reader.integer()))
                let dates = Texts(length: 10, &reader)
                let instants = Texts(length: 20, &reader)
                body(clock, dates, instants)
            }
        }
    }

    fileprivate struct Reader {
        let octets: UnsafeBufferPointer<UInt8>
        private var place = 0

        init(octets: UnsafeBufferPointer<UInt8>) { self.octets = octets }

        var isAtEnd: Bool { place >= octets.count }

        mutating func integer() -> Int {
            var value = 0
            var shift = 0
            while place < octets.count, shift < 60 {
                let octet = octets[place]
                place += 1
                value |= Int(octet & 0x3F) << shift
                if octet < 0x40 { break }
                shift += 6
            }
            return value
        }

        mutating func text(_ count: Int) -> String {
            let text = octets[place...].prefix(count)
            place = text.endIndex
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// Texts of one length.
    struct Texts {
        private let length: Int
        private let count: Int
        private let wholes: Reader
        private let cuts: [(offset: Int, count: Int, rest: Int)]

        fileprivate init(length: Int, _ reader: inout Reader) {
            self.length = length
            count = reader.integer()
            wholes = reader
            for _ in 0..<count { _ = reader.integer() }
            var cuts: [(offset: Int, count: Int, rest: Int)] = []
            for _ in 0..<reader.integer() {
                cuts.append((reader.integer(), reader.integer(), reader.integer()))
            }
            self.cuts = cuts
        }

        /// Gives each text to be changed, in one piece.
        ///
        /// - Parameter image: The octets of the image.
        func forEach(
            in image: UnsafeMutableRawBufferPointer,
            _ body: (UnsafeMutablePointer<UInt8>) -> Void
        ) {
            let image = image.assumingMemoryBound(to: UInt8.self)
            guard let start = image.baseAddress else { return }
            var reader = wholes
            var offset = 0
            for _ in 0..<count {
                offset += reader.integer()
                precondition(offset + length <= image.count, "a date lies within the image")
                body(start + offset)
            }
            for cut in cuts {
                let rest = length - cut.count
                var text = Array(image[cut.offset..<cut.offset + cut.count])
                text += image[cut.rest..<cut.rest + rest]
                text.withUnsafeMutableBufferPointer { text in
                    if let start = text.baseAddress { body(start) }
                }
                for (index, octet) in text.enumerated() {
                    image[index < cut.count ? cut.offset + index : cut.rest + index - cut.count] =
                        octet
                }
            }
        }
    }
}

import QUBS
import Time

/// Moves the dates of an image from the day of the files to another.
struct DateMover {
    private let places: DatePlaces
    private let practices: [PracticeTable.Practice]
    private let present: Present
    /// The new days.
    private let texts: DayTexts

    init(_ places: DatePlaces, _ practices: [PracticeTable.Practice], to present: Present) {
        self.places = places
        self.practices = practices
        self.present = present
        texts = DayTexts(
            around: practices.first.map { present.place(in: $0.rule).dayZero }
                ?? LocalDate(daysSince1970: 0)
        )
    }

    /// Moves what lies in an image, once; nobody has it open.
    func move(_ octets: UnsafeMutableRawBufferPointer) {
        places.forEachClock { clock, dates, instants in
            guard let practice = practices.first(where: { $0.domain == clock.domain }) else {
                return
            }
            let shift = ZoneShift(
                TimeZoneRule(clock.rule) ?? .utc,
                from: practice.written,
                to: present.place(in: practice.rule).dayZero
            )
            dates.forEach(in: octets) { DateText.moveDate($0, byDays: shift.days, texts) }
            instants.forEach(in: octets) { DateText.moveInstant($0, by: shift, texts) }
        }
    }
}

/// Moves texts where they lie; they keep their lengths.
private enum DateText {
    /// Moves the date `yyyy-MM-dd`; anything else is left alone.
    static func moveDate(
        _ text: UnsafeMutablePointer<UInt8>,
        byDays days: Int,
        _ texts: DayTexts
    ) {
        guard let day = texts.day(at: text) else { return }
        texts.write(day + days, to: text)
    }

    /// Moves the instant `yyyy-MM-ddThh:mm:ssZ`; anything else is left alone.
    static func moveInstant(
        _ text: UnsafeMutablePointer<UInt8>,
        by shift: ZoneShift,
        _ texts: DayTexts
    ) {
        guard let day = texts.day(at: text), let hour = two(text + 11),
            let minute = two(text + 14), let second = two(text + 17)
        else { return }
        let time = hour * 3600 + minute * 60 + second
        let moved = shift.moved(day * 86_400 + time)
        let newDay = Int(Int64(moved).floorDivided(by: 86_400))
        texts.write(newDay, to: text)
        let newTime = moved - newDay * 86_400
        if newTime == time { return }
        write(newTime / 3600, to: text + 11)
        write(newTime / 60 % 60, to: text + 14)
        write(newTime % 60, to: text + 17)
    }

    private static func two(_ text: UnsafeMutablePointer<UInt8>) -> Int? {
        let tens = text[0] &- UInt8(ascii: "0")
        let ones = text[1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }

    private static func write(_ value: Int, to text: UnsafeMutablePointer<UInt8>) {
        text[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
        text[1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
    }
}

/// The texts of the days around one, each written once: `yyyy-MM-dd`.
final class DayTexts {
    /// Days since 1970.
    private let first: Int
    private let texts: UnsafeMutableRawPointer
    /// Five years: the files span less than two.
    private static let count = 1826
    private static let octets = 10

    init(around day: LocalDate) {
        first = day.daysSince1970 - Self.count / 2
        texts = .allocate(byteCount: Self.count * Self.octets, alignment: 1)
        // A text that was not written yet begins with 0.
        texts.initializeMemory(as: UInt8.self, repeating: 0, count: Self.count * Self.octets)
    }

    deinit { texts.deallocate() }

    /// The day that was read last, and its text: most dates of a record are the same.
    private var lastRead: (text: (UInt64, UInt16), day: Int?) = ((0, 0), nil)

    /// Reads ten octets `yyyy-MM-dd`; `nil` where they are no date.
    func day(at octets: UnsafePointer<UInt8>) -> Int? {
        let start = UnsafeRawPointer(octets)
        let text = (
            start.loadUnaligned(as: UInt64.self),
            start.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        )
        if text != lastRead.text {
            let date = LocalDate(octets: UnsafeBufferPointer(start: octets, count: Self.octets))
            lastRead = (text, date?.daysSince1970)
        }
        return lastRead.day
    }

    /// Writes a day where ten octets have room.
    func write(_ day: Int, to target: UnsafeMutablePointer<UInt8>) {
        let place = day - first
        guard 0 <= place, place < Self.count else { return Self.spell(day, to: target) }
        let text = (texts + place * Self.octets).assumingMemoryBound(to: UInt8.self)
        if text.pointee == 0 { Self.spell(day, to: text) }
        target.update(from: text, count: Self.octets)
    }

    private static func spell(_ day: Int, to target: UnsafeMutablePointer<UInt8>) {
        let (year, month, day) = LocalDate(daysSince1970: day).parts
        func put(_ value: Int, _ place: Int) {
            target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10)
            target[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
        }
        put(year / 100 % 100, 0)
        put(year % 100, 2)
        put(month, 5)
        put(day, 8)
        target[4] = UInt8(ascii: "-")
        target[7] = UInt8(ascii: "-")
    }
}

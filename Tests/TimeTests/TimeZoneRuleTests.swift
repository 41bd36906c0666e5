import Foundation
import TestTools
import Testing
import Time

/// The rules of time zones, held against Python's zoneinfo, which reads the system's tzdata.
@Suite("Time zone rules")
struct TimeZoneRuleTests {
    static let broken = [
        "", "AE-10", "AEST", "AEST-", "AEST-25", "AEST-10AEDT", "AEST-10AEDT,M10.1.0",
        "AEST-10AEDT,M13.1.0,M4.1.0", "AEST-10AEDT,M10.6.0,M4.1.0", "AEST-10AEDT,M10.1.7,M4.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/168", "AEST-10AEDT,M10.1.0,M4.1.0x", "<+10-10", "AEST-10:60",
        "AEST-10AEDT,J0,J60", "AEST-10AEDT,366,1", "99999999999999999999-1",
        "AEST-99999999999999999999",
    ]

    @Test("A text of another form is no rule", arguments: broken)
    func malformed(text: String) {
        #expect(TimeZoneRule(text) == nil)
    }

    @Test("Days of a year are counted with and without the leap day")
    func days() throws {
        let rule = try #require(TimeZoneRule("AAA0BBB-2,J60/0,300/1:30:15"))
        let year = rule.changes(in: 2024...2024)
        #expect(year.map(\.before) == [0, 7200] && year.map(\.after) == [7200, 0])
        let texts = year.map { Instant(secondsSince1970: Int64($0.instant)).rfc3339 }
        #expect(texts == ["2024-03-01T00:00:00Z", "2024-10-26T23:30:15Z"])
    }

    /// Reads lines `at|local ZONE SECONDS OFFSET`, and prints those that zoneinfo contradicts.
    private static let script = """
        import sys
        from datetime import UTC, datetime, timedelta
        from zoneinfo import ZoneInfo
        for line in sys.stdin:
            kind, zone, seconds, offset = line.split()
            moment = datetime(1970, 1, 1) + timedelta(seconds=int(seconds))
            if kind == "at":
                there = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
            else:
                there = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
            if there.utcoffset().total_seconds() != int(offset):
                print(line.strip(), there.utcoffset().total_seconds())
        """

    @Test("Each zone's rule gives the offsets that zoneinfo gives, around every change until 2037")
    func zones() throws {
        let file = try Data(Repository.octets(of: "fixtures/time-zones.json"))
        let zones = try #require(
            try JSONSerialization.jsonObject(with: file) as? [String: String]
        )
        var lines: [String] = []
        // Their clocks follow the moon, as scripts/make-time-zones says.
        let exceptions = ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"]
        for (zone, text) in zones where !exceptions.contains(zone) {
            let rule = try #require(TimeZoneRule(text), "\(zone) \(text)")
            var instants = (0..<24).map { 1_735_700_000 + $0 * 15_000_000 }
            var locals = instants
            for change in rule.changes(in: 2025...2037) {
                instants += [-1, 0, 1].map { change.instant + $0 }
                // Within the hour that there is not, or twice.
                locals += [-3601, -3600, -1800, -1, 0, 1, 1800, 3600].map { change.local + $0 }
            }
            for instant in instants {
                let offset = rule.offset(at: Instant(secondsSince1970: Int64(instant)))
                lines.append("at \(zone) \(instant) \(offset)")
            }
            for local in locals {
                lines.append("local \(zone) \(local) \(rule.offset(atLocal: local))")
            }
        }
        #expect(zones.count > 500 && lines.count > 50_000)
        let wrong = try Python.run(["-c", Self.script], input: lines).output
        #expect(wrong.isEmpty, "\(wrong.prefix(1000))")
    }
}

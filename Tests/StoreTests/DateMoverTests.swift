import JSON
import Store
import Testing
import Time

/// Dates are moved where they lie in the image.
@Suite("Dates in an image")
struct DateMoverTests {
    /// A row of so many octets goes on in other pages; with each octet more, the instant that stands
    /// behind the long text lies otherwise across their bounds.
    @Test("An instant that lies across two pages moves like any other")
    func cut() throws {
        var acme = DomainFixtures(name: "acme")
        acme.records[.sites] = [["siteName": "Central Clinic", "timeZone": "Z"]]
        acme.practice = ["dayZero": "2025-01-13", "referenceTimeZone": "Z"]
        acme.records[.patients] = [["patientId": "1"]]
        let lengths = 4200..<4700
        acme.records[.appointments] = lengths.map { length in
            [
                "appointmentId": .string("A\(length)"), "scheduledSite": "Central Clinic",
                "status": "ARRIVED", "appointmentDate": "2025-01-13", "patientId": "1",
                "room": .string(String(repeating: "x", count: length)),
                "arrivalDateTime": "2025-01-12T23:50:00Z", "examCodes": [],
            ]
        }
        let folder = try TemporaryFolder()
        let store = try MockStore(
            StoreConfiguration(
                base: FixtureImage(try Samples.image(of: FixtureSet(domains: [acme]))),
                today: LocalDate("2025-01-23"),
                now: Samples.start,
                shapes: Samples.shapes,
                temporaryFolder: folder.path,
                scatter: Samples.scatter,
                workers: 1
            )
        )
        let reader = try #require(store.session(named: MockStore.defaultSession)).reader(worker: 0)
        for length in lengths {
            let found = try reader.appointmentRecord(domain: "acme", id: "A\(length)")
            let record = try #require(found).record
            #expect(record["appointmentDate"] == "2025-01-23")
            #expect(record["arrivalDateTime"] == "2025-01-22T23:50:00Z")
            #expect(record["room"]?.string?.utf8.count == length)
        }
    }
}

import Chance
import JSON
import QUBS
import Time

/// People who do not exist, made of the first and last names of others who do not.
struct InventedPatients {
    private let first: [JSONObject]
    private let last: [String]
    private let domainName: String
    private let prefix: String
    private let seed: UInt64
    let count: Int

    init(
        from database: Database,
        domain: Int64,
        domainName: String,
        seed: UInt64,
        count: Int
    ) throws(StoreError) {
        var first: [JSONObject] = []
        var last: [String] = []
        let all = Statement(
            database,
            "SELECT id, summary FROM patient WHERE domain = ?1 ORDER BY id"
        )
        try all.prepare(domain)
        defer { all.reset() }
        while try all.step() {
            let patient = try RecordWriter.parse(
                all.octets(1),
                table: "patient",
                id: all.text(0)
            )
            guard patient["firstName"]?.string != nil, let name = patient["lastName"]?.string
            else { continue }
            first.append(patient)
            last.append(name)
        }
        self.first = first
        self.last = last
        self.domainName = domainName
        self.seed = seed
        self.count = count
        prefix = try FixtureGenerator.freePrefix(in: database, table: "patient")
    }

    var isEmpty: Bool { first.isEmpty }

    /// The identifier of a patient, by number from 0.
    func id(_ index: Int) -> String {
        let digits = String(index + 1)
        return prefix + String(repeating: "0", count: max(0, 7 - digits.utf8.count)) + digits
    }

    /// The record of a patient, by number from 0.
    func patient(_ index: Int) -> JSONObject {
        var random = SplitMix64(seed: SplitMix64.mix(seed) ^ UInt64(index))
        let giver = first[Int(random.next() % UInt64(first.count))]
        var patient = JSONObject()
        patient["domain"] = .string(domainName)
        patient["patientId"] = .string(id(index))
        patient["firstName"] = giver["firstName"]
        patient["lastName"] = .string(last[Int(random.next() % UInt64(last.count))])
        // 1930-01-01 and 90 years on.
        let born = LocalDate(daysSince1970: -14_610 + Int(random.next() % 32_872))
        patient["dateOfBirth"] = .string(born.description)
        patient["gender"] = giver["gender"]
        return patient
    }
}

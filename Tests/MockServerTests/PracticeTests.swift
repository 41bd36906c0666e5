import Foundation
import HTTPMessage
import JSON
import Testing
import TestSupport
import TestTools

/// The built-in data: what it is to be tested against.
@Suite("Practice")
struct PracticeTests {
    @Test(
        "The files are what the script writes; every rule holds and tells an error planted for it"
    )
    func rules() throws {
        let (status, text) = try Python.run(["scripts/make-fixtures", "--check"])
        #expect(status == 0, "\(text)")
        // Each line begins with how many records its rule looked at.
        let counts = text.split(separator: "\n").compactMap {
            $0.split(separator: " ").first.flatMap { Int($0) }
        }
        #expect(counts.count == 20 && counts.allSatisfy { $0 > 0 }, "\(text)")
    }

    /// Ids that interfaces to HL7 version 2, or URLs, must escape.
    private static let escaped = [
        #"A9|00^1~20&7\1"#, "A9%2F?x=1#2;+3", "A9/0122", "A9 Ärztin 胸",
    ]

    @Test(
        "An appointment is found by its id, whatever must be percent-encoded in it",
        arguments: escaped
    )
    func escapedIDs(id: String) throws {
        let server = try TestServer()
        let encoded = PercentCoding.encode(id)
        for path in [
            "appointments/\(encoded)", "appointments/operational/by-id/\(encoded)",
            "reporting/appointments/\(encoded)",
        ] {
            #expect(try server.get(path).json["appointmentId"] == .string(id), "\(path)")
        }
        let letters = try server.get("appointments/\(encoded)/attachments").json.array ?? []
        let letter = letters.first { letter in
            letter["url"]?.string != nil
                && letter["fileName"]?.string?.hasPrefix("referral") == true
        }
        let url = try #require(letter?["url"]?.string)
        let target = String(url.dropFirst(server.baseURL.count))
        let content = String(
            decoding: try server.send("GET", target).response.content,
            as: UTF8.self
        )
        // On the page, or, where its font lacks a letter, in the title, which is UTF-16.
        let line = "(Referral, " + id.replacing(#"\"#, with: #"\\"#) + ")"
        let digits = "Referral, \(id)".utf16.map {
            let digits = String($0, radix: 16, uppercase: true)
            return String(repeating: "0", count: 4 - digits.count) + digits
        }
        #expect(content.contains(line) || content.contains("<FEFF" + digits.joined()), "\(id)")
        let commented = try server.post(
            "reporting/appointments/\(encoded)/comments",
            ["commentText": "Seen."]
        )
        #expect(commented.json["appointmentId"] == .string(id))
    }

    @Test("A patient is found by its id, whatever must be percent-encoded in it")
    func escapedPatients() throws {
        let server = try TestServer()
        for id in [#"P|22^00~00&00\31"#, "P 22/00?00#00%32+ä"] {
            let patient = try server.get("patients/\(PercentCoding.encode(id))")
            #expect(patient.json["patientId"] == .string(id), "\(patient.text)")
        }
    }

    @Test("The delimiters of HL7 stand in texts as they are")
    func delimiters() throws {
        let server = try TestServer()
        let record = try server.get("appointments/operational/by-id/A900103").json
        #expect(record["room"] == "Room 2|A^1")
        #expect(record["studyDescription"] == #"CT|Chest^with~contrast & 3\4 \.br\"#)
        #expect(record["examCodes"]?.array?.first?["examCodeId"] == #"1001|^~\&"#)
    }

    @Test("A day has a second page at one site, its week more than five hundred appointments")
    func volume() throws {
        let server = try TestServer()
        let day = "appointments?appointmentDate=2025-01-13&scheduledSite=Central%20Clinic"
        #expect(try server.get(day).json.array?.count == 100)
        #expect(try server.get("\(day)&skip=100").json.array?.isEmpty == false)
        let week = try server.get("appointments?startDate=2025-01-10&endDate=2025-01-16&take=500")
        #expect(week.json.array?.count == 500)
    }
}

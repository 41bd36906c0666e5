import Journal
import Testing

@Suite struct JournalDigestTests {
    /// The key of the SipHash reference vectors: the octets 0 to 15.
    private static let key = JournalDigest.Key(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)

    @Test(
        "Digests are those of the SipHash-2-4-128 reference: input 00 01 02 …, by length",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
        ]
    )
    func referenceVector(length: Int, digest: String) {
        let octets = (0..<length).map { UInt8($0) }
        #expect(JournalDigest(of: octets, key: Self.key).hexadecimal == digest)
    }

    @Test("Texts of every length up to 40 octets have different digests, also under another key")
    func digestsDiffer() {
        var seen: Set<JournalDigest> = []
        for length in 0...40 {
            let text = String(repeating: "a", count: length)
            seen.insert(JournalDigest(of: text, key: Self.key))
            seen.insert(JournalDigest(of: text, key: JournalDigest.Key(1, 2)))
        }
        #expect(seen.count == 82)
    }

    @Test("A text, its octets and a lazy view of them have one digest")
    func formsAgree() {
        let text = "Idempotency-Key of some length, öäü"
        let digest = JournalDigest(of: text, key: Self.key)
        #expect(JournalDigest(of: Array(text.utf8), key: Self.key) == digest)
        #expect(JournalDigest(of: Array(text.utf8).lazy.map { $0 }, key: Self.key) == digest)
    }
}

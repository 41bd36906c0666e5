import Chance
import OAuth
import Testing

@Suite("Octets, digests and codes")
struct OctetsTests {
    @Test(
        "base64url is RFC 4648 without padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"), ("\u{3}\u{ec}\u{ff}", "A8Osw78"),
            (">>>???", "Pj4-Pz8_"),
        ]
    )
    func base64URL(plain: String, encoded: String) {
        #expect(Base64URL.encode(plain.utf8) == encoded)
        #expect(Base64URL.decode(encoded.utf8) == Array(plain.utf8))
    }

    @Test(
        "base64url has one spelling only",
        arguments: ["Zg==", "Z", "Zm9vY", "Zh", "Zm9", "Zm9v\n", "Zm 9", "Pj4+", "Pz8/", "é"]
    )
    func notBase64URL(text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }

    @Test(
        "HTTP Basic wants plain base64 with padding",
        arguments: [
            ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Pj4+Pz8/", ">>>???"),
            ("Zg", nil), ("Zg=", nil), ("Zg===", nil), ("Pj4-", nil), ("Z===", nil), ("", ""),
        ] as [(String, String?)]
    )
    func base64(encoded: String, plain: String?) {
        #expect(Base64URL.decodePadded(encoded.utf8) == plain.map { Array($0.utf8) })
    }

    @Test("Hexadecimal digits are written in lower case and read in both")
    func hexadecimal() {
        #expect(Hexadecimal.encode([0x00, 0x9F, 0xA0, 0xFF]) == "009fa0ff")
        #expect(Hexadecimal.decode("009fA0Ff".utf8) == [0x00, 0x9F, 0xA0, 0xFF])
        #expect(Hexadecimal.decode("0".utf8) == nil)
        #expect(Hexadecimal.decode("0g".utf8) == nil)
    }

    @Test("Comparison in constant time is still comparison")
    func constantTime() {
        #expect(ConstantTime.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.areEqual([0, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2]))
        #expect(ConstantTime.areEqual([], []))
    }

    @Test("A UUID has version 4 and the variant of RFC 9562, and a seed repeats it")
    func uuid() throws {
        var generator = SplitMix64(seed: 1)
        var again = SplitMix64(seed: 1)
        var seen: Set<String> = []
        for _ in 0..<64 {
            let uuid = generator.uuid()
            #expect(again.uuid() == uuid)
            #expect(
                uuid.wholeMatch(
                    of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
                ) != nil
            )
            seen.insert(uuid)
        }
        #expect(seen.count == 64)
    }

    @Test("As many random octets come as were asked for", arguments: [0, 1, 7, 8, 9, 16, 33])
    func randomOctets(count: Int) {
        var generator = SplitMix64(seed: 1)
        #expect(generator.octets(count: count).count == count)
    }

    @Test("SHA-256 is that of FIPS 180-4")
    func sha256() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(SHA256Digest.hexadecimal(of: "abc".utf8) == abc)
        #expect(
            SHA256Digest.hexadecimal(of: [])
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
        var digest = SHA256Digest()
        for piece in ["a", "", "bc"] { Array(piece.utf8).withUnsafeBytes { digest.update($0) } }
        #expect(Hexadecimal.encode(digest.octets) == abc)
        // A copy goes its own way, and a digest goes on after it was asked.
        var copy = digest
        Array("d".utf8).withUnsafeBytes { copy.update($0) }
        #expect(Hexadecimal.encode(digest.octets) == abc)
        #expect(copy.octets == SHA256Digest.octets(of: "abcd".utf8))
        // The million letters of NIST's example.
        var million = SHA256Digest()
        let thousand = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { thousand.withUnsafeBytes { million.update($0) } }
        #expect(
            Hexadecimal.encode(million.octets)
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test(
        "HMAC-SHA256 is that of RFC 4231",
        arguments: [
            // Test cases 1, 2 and 6.
            (
                [UInt8](repeating: 0x0B, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            // A key of no octets is a key, too (RFC 2104 fills it up with zeros).
            ([], "a", "9615a95d4a336118c435b9cd54c5e8644ab956b573aa2926274a1280b6674713"),
        ]
    )
    func hmac(key: [UInt8], message: String, code: String) {
        #expect(Hexadecimal.encode(HMACSHA256(key: key).code(over: message.utf8)) == code)
        // The state under the key is not used up by a message.
        let keyed = HMACSHA256(key: key)
        #expect(Hexadecimal.encode(keyed.code(over: [])) != code)
        #expect(Hexadecimal.encode(keyed.code(over: Array(message.utf8))) == code)
        #expect(Hexadecimal.encode(keyed.code(over: Array(message.utf8).lazy.map { $0 })) == code)
    }

    @Test("The secure generator never gives a number twice, whoever holds it")
    func secureGenerator() {
        var generator = SecureGenerator()
        var seen = Set((0..<1000).map { _ in generator.next() })
        #expect(seen.count == 1000)
        #expect(!seen.contains(0))
        var other = SecureGenerator()
        for _ in 0..<100 { #expect(seen.insert(other.next()).inserted) }
    }
}

import Privacy
import Testing

@Suite("Names in texts")
struct PersonalDataIndexTests {
    private static let index = PersonalDataIndex(
        names: [
            (given: "Hortensia", family: "Applegarth"), (given: "Ana María", family: "de la Cruz"),
            (given: "花子", family: "山田"), (given: "Jo", family: "van der Berg"),
            (given: "", family: "Nobody"),
        ],
        medicareNumbers: ["9514 96639 0"]
    )

    @Test(
        "Both orders, and up to two middle names",
        arguments: [
            ("Hortensia Applegarth", true), ("applegarth, HORTENSIA", true),
            ("x Hortensia M. N. Applegarth y", true), ("Hortensia a b c Applegarth", false),
            ("Hortensia", false), ("Applegarth Applegarth", false), ("Nobody", false),
            ("Cruz, Ana", false), ("Ana-María de la Cruz", true), ("de la Cruz Ana María", true),
            ("山田花子", true), ("花子 山田", true), ("van der Berg Jo", true), ("Jo Berg", false),
            ("Hortensia Cruz", false), ("Hortensia de la Cruz", false), ("", false),
        ]
    )
    func names(text: String, isFound: Bool) {
        #expect(Self.index.holdsName(PersonalText(text)) == isFound)
    }

    @Test("Two values are a name together")
    func pairs() {
        func found(_ texts: [String]) -> Bool {
            Self.index.holdName(texts.map { PersonalText($0) })
        }
        #expect(found(["x", "Applegarth", "1", "hortensia"]))
        #expect(found(["de la cruz", "ana maría"]))
        #expect(!found(["Hortensia", "Hortensia"]) && !found(["Hortensia"]) && !found([]))
    }

    @Test("A name of many words is found by the first eight of each part")
    func longNames() {
        let given = (0..<256).map { "g\($0)" }
        let family = (0..<256).map { "f\($0)" }
        let index = PersonalDataIndex(
            names: [(given.joined(separator: " "), family.joined(separator: " "))],
            medicareNumbers: []
        )
        let text = (given.prefix(8) + family.prefix(8)).joined(separator: "-")
        #expect(index.holdsName(PersonalText(text)))
        #expect(!index.holdsName(PersonalText((given.prefix(7) + family).joined(separator: "-"))))
    }

    /// Names of many words, of which a text can be made that holds parts everywhere.
    private static let crowded = PersonalDataIndex(
        names: (1...256).map { count in
            let part = [String](repeating: "a", count: count).joined(separator: " ")
            return (given: part, family: "b " + part)
        },
        medicareNumbers: []
    )

    @Test("What is looked up grows with the words of a text, whatever the names are")
    func work() {
        let texts = ["a", "b a", "b", "a c", "c"].map { piece in
            [String](repeating: piece, count: 256).joined(separator: " ")
        }
        for text in texts {
            for count in [2, 16, 64, 256] {
                let words = text.split(separator: " ").prefix(count).joined(separator: " ")
                var lookups = 0
                _ = Self.crowded.holdsName(PersonalText(words), lookups: &lookups)
                #expect(lookups <= 200 * count, "\(words.prefix(20)) \(count)")
            }
        }
    }

    @Test("Of a long text, 256 words are read")
    func longText() {
        let text = PersonalText([String](repeating: "a", count: 5000).joined(separator: " "))
        #expect(text.words.count == PersonalText.maximumWords)
    }
}

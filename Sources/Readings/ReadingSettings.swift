/// What was chosen for each reading, and how much is left to chance.
package struct ReadingSettings: Sendable, Hashable {
    /// What was chosen; a reading that is not here has its default.
    package private(set) var choices: [ReadingID: ReadingChoice] = [:]
    /// The chance with which an answer departs from a default that nobody chose, 0 to 1.
    package var dose: Double = 0

    package init() {}

    package subscript(id: ReadingID) -> ReadingChoice? {
        get { choices[id] }
        set { choices[id] = newValue }
    }

    /// Whether every answer has every default.
    var isDefault: Bool {
        dose <= 0 && choices.allSatisfy { $0.value == .value(0) }
    }

    /// The chance that a text such as `5%` tells; `nil` where it is none.
    ///
    /// - Parameter text: Digits, perhaps with decimals, and a percent sign; 0 to 100.
    package static func dose(_ text: String) -> Double? {
        guard text.last == "%" else { return nil }
        let digits = text.dropLast()
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count),
            parts.allSatisfy({ part in
                !part.isEmpty && part.utf8.count <= 9
                    && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }), let percent = Double(digits), percent <= 100
        else { return nil }
        return percent / 100
    }
}

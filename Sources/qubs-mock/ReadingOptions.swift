import ArgumentParser
import Contract
import Embedded
import JSON
import MockServer
import Readings

/// `--reading` and `--nasty`.
struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the documentation is read where it leaves freedom, such as page-end=omitted; can be "
                + "repeated. GET /__admin/readings lists all.",
            valueName: "id=value"
        )
    )
    var reading: [String] = []
    @Option(
        help: ArgumentHelp(
            "Chance with which each answer departs from each default that --reading leaves, such as "
                + "5% (default: none).",
            valueName: "dose"
        )
    )
    var nasty: String?

    /// The ids and values of `--reading`.
    var pairs: [(id: String, value: String)] {
        reading.compactMap { text in
            text.firstIndex(of: "=").map {
                (String(text[..<$0]), String(text[text.index(after: $0)...]))
            }
        }
    }

    /// What the options say.
    ///
    /// - Parameter aliases: Options that are readings by the same name, each with its value where it
    ///   was given.
    /// - Throws: `ValidationError` for the first value that is not taken.
    func settings(
        aliases: [(name: String, value: String?)] = []
    ) throws(ValidationError) -> ReadingSettings {
        var settings = ReadingSettings()
        if let nasty {
            guard let dose = ReadingSettings.dose(nasty) else {
                throw ValidationError("--nasty takes a percentage such as 5%, not \(nasty).")
            }
            settings.dose = dose
        }
        let given = aliases.filter { $0.value != nil }
        if reading.isEmpty, given.isEmpty { return settings }
        let catalogue = try Self.catalogue()
        for (name, value) in given {
            try choose(name, value ?? "", catalogue, &settings, "--\(name)")
        }
        for text in reading {
            guard let equals = text.firstIndex(of: "=") else {
                throw ValidationError("--reading takes ID=VALUE, not \(text).")
            }
            let name = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            try choose(name, value, catalogue, &settings, "--reading \(name)")
        }
        return settings
    }

    /// - Parameter option: How the reading was named.
    private func choose(
        _ name: String,
        _ value: String,
        _ catalogue: ReadingCatalogue,
        _ settings: inout ReadingSettings,
        _ option: String
    ) throws(ValidationError) {
        do throws(ReadingCatalogue.Refusal) {
            let (id, choice) = try catalogue.choice(name, value)
            if let other = settings[id], other != choice {
                throw ReadingCatalogue.Refusal(id: name, reason: "It was given twice.")
            }
            settings[id] = choice
        } catch {
            throw ValidationError("\(option)=\(value): \(error.reason)")
        }
    }

    private static func catalogue() throws(ValidationError) -> ReadingCatalogue {
        // The build has held the file against the contract, as the start of the server will.
        do {
            let octets = EmbeddedDefaults.octets(of: EmbeddedDefaults.readingsJSON())
            return try ReadingCatalogue(try JSONParser.parse(octets), contract: nil)
        } catch {
            throw ValidationError("readings.json: \(error)")
        }
    }
}

import ArgumentParser
import HTTPMessage
import OAuth
import Suggestions
import Time

/// Checks on the values of options; each returns the value, or says what the option takes.
enum OptionCheck {
    static func number<Number: BinaryInteger>(
        _ value: Number,
        _ option: String,
        in range: ClosedRange<Number>,
        _ unit: String = ""
    ) throws(ValidationError) -> Number {
        guard range.contains(value) else {
            let what = "\(range.lowerBound) to \(range.upperBound)\(unit.isEmpty ? "" : " \(unit)")"
            throw ValidationError("--\(option) takes \(what), not \(value).")
        }
        return value
    }

    static func number(
        _ value: Int,
        _ option: String,
        from values: [Int]
    ) throws(ValidationError) -> Int {
        guard values.contains(value) else {
            let what = values.map(String.init).joined(separator: " or ")
            throw ValidationError("--\(option) takes \(what), not \(value).")
        }
        return value
    }

    /// A text that is not empty.
    static func text(
        _ value: String,
        _ option: String,
        _ what: String
    ) throws(ValidationError) -> String {
        guard !value.isEmpty else { throw ValidationError("--\(option) takes \(what).") }
        return value
    }

    static func path(_ value: String?, _ option: String) throws(ValidationError) -> String? {
        guard let value else { return nil }
        return try text(value, option, "a path")
    }

    /// A secret that a field can carry.
    static func secret(_ value: String, _ option: String) throws(ValidationError) -> String {
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError(
                "--\(option) takes visible ASCII characters, without spaces."
            )
        }
        return value
    }

    /// - Parameter what: What the option takes, with an example.
    static func url(
        _ value: String,
        _ option: String,
        _ what: String
    ) throws(ValidationError) -> HTTPURL {
        do throws(HTTPURL.Flaw) {
            return try HTTPURL(value)
        } catch {
            throw ValidationError("--\(option) takes \(what), not \(value): \(error).")
        }
    }

    /// A day around which data can lie, a year before it and some months after.
    static func date(_ value: String?, _ option: String) throws(ValidationError) -> LocalDate? {
        guard let value else { return nil }
        guard let date = LocalDate(value), (1971...2199).contains(date.parts.year) else {
            throw ValidationError(
                "--\(option) takes a date from 1971-01-01 to 2199-12-31, such as 2026-11-28, "
                    + "not \(value)."
            )
        }
        return date
    }

    /// What was probably meant, as a sentence behind another one; empty where nothing is near.
    static func meant(_ word: String, among names: [String]) -> String {
        NameSuggestions.nearest(to: word, among: names).first.map { " Did you mean \($0)?" } ?? ""
    }

    static func session(_ value: String) throws(ValidationError) -> String {
        guard SessionName.isValid(value) else {
            throw ValidationError("--session takes \(SessionName.rule).")
        }
        return value
    }

    /// A host as a URL has it, in lower case; an IPv6 address without brackets.
    static func host(_ value: String, _ option: String) throws(ValidationError) -> String {
        // An asterisk may stand in a name by RFC 3986, but who types one means a pattern.
        guard let url = try? HTTPURL("http://\(value)"), url.authority.port == nil,
            url.path.isEmpty, !value.hasSuffix("/"), !value.hasSuffix(":"), !value.contains("*")
        else {
            throw ValidationError(
                "--\(option) takes the name or the address of a host, without a port, "
                    + "not \(value)."
            )
        }
        return url.authority.host
    }
}

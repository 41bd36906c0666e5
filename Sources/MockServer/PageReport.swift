package import JSON
package import Journal
import OAuth
package import Verdict

/// The page with the data of trials inside: one file, which needs no server and no network.
///
/// It holds what the journal shows without contents, explanations of refusals, and verdicts.
package enum PageReport {
    /// Requests that a report holds, of all trials together; of more the newest of each.
    package static let maximumEntries = 10_000
    /// Requests of a trial that are explained.
    package static let maximumExplanations = 500

    /// One trial.
    package struct Part {
        /// Tells trials apart.
        package let session: String
        /// What was run, in a few words.
        package let title: String
        /// `pass`, `fail`, `not-exercised` or `error`.
        package let outcome: String
        /// The exit status of the trial, its word and its reason.
        package let conclusion: Conclusion
        /// What a reader should know beside the verdict, one sentence each.
        package let notes: [String]
        package let seconds: Double
        /// Oldest first.
        package let entries: [JournalEntry]
        package let verdict: VerdictReport
        /// By the number of the request.
        package let explanations: [UInt64: JSONValue]

        package init(
            session: String,
            title: String,
            outcome: String,
            conclusion: Conclusion,
            notes: [String] = [],
            seconds: Double,
            entries: [JournalEntry],
            verdict: VerdictReport,
            explanations: [UInt64: JSONValue]
        ) {
            self.session = session
            self.title = title
            self.outcome = outcome
            self.conclusion = conclusion
            self.notes = notes
            self.seconds = seconds
            self.entries = entries
            self.verdict = verdict
            self.explanations = explanations
        }

        fileprivate func json(limit: Int) -> JSONValue {
            let shown = entries.suffix(limit)
            let dropped = verdict.journal.dropped &+ UInt64(entries.count - shown.count)
            var explained = JSONObject()
            for entry in shown {
                if let explanation = explanations[entry.id] {
                    explained["\(entry.id)"] = explanation
                }
            }
            return [
                "session": .string(session), "title": .string(title), "outcome": .string(outcome),
                "conclusion": conclusion.json,
                "notes": .array(notes.map { .string($0) }),
                "seconds": JSONNumber((seconds * 1000).rounded() / 1000).map { .number($0) }
                    ?? .null,
                "dropped": .integer(Int(clamping: dropped)), "verdict": verdict.json,
                "entries": .array(shown.map(\.withoutContents.json)),
                "explanations": .object(explained),
            ]
        }
    }

    /// The report on trials.
    ///
    /// - Parameters:
    ///   - page: The files of the page.
    ///   - headline: What came of all of them, in one sentence.
    package static func octets(_ page: [PageFile], headline: String, _ parts: [Part]) -> [UInt8] {
        let limit = max(100, maximumEntries / max(1, parts.count))
        let data: JSONValue = [
            "headline": .string(headline),
            "trials": .array(parts.map { $0.json(limit: limit) }),
        ]
        return document(page, data: JSONWriter.octets(of: data))
    }

    /// The page as one document, with data inside.
    ///
    /// Its policy allows its one script and its one style by their digests (CSP 3 §2.3.1), and nothing
    /// else. The data are text: markup in them means nothing.
    static func document(_ files: [PageFile], data: [UInt8]) -> [UInt8] {
        func text(_ name: String) -> String {
            files.first { $0.name == name }.map { String(decoding: $0.octets, as: UTF8.self) } ?? ""
        }
        let script = "\n" + plain(text("data.js")) + plain(text("view.js"))
        let style = "\n" + text("page.css")
        let policy =
            "default-src 'none'; script-src 'sha256-\(digest(script))'; "
            + "style-src 'sha256-\(digest(style))'; img-src data:; base-uri 'none'; "
            + "form-action 'none'"
        var page = text(PageDocuments.index)
        page.replace(
            #"<link rel="icon" href="icon.svg" type="image/svg+xml">"#,
            with: #"<meta http-equiv="Content-Security-Policy" content="\#(policy)">"# + "\n"
                + #"<link rel="icon" href="data:image/svg+xml,\#(encoded(text("icon.svg")))">"#
        )
        page.replace(#"<link rel="stylesheet" href="page.css">"#, with: "<style>\(style)</style>")
        let scriptTag = #"<script type="module" src="view.js"></script>"#
        page.replace(scriptTag, with: "")
        guard let end = page.firstRange(of: "</body>") else { return Array(page.utf8) }
        var octets = Array(page[..<end.lowerBound].utf8)
        octets += #"<template id="report-data">"#.utf8
        for octet in data {
            switch octet {
            case UInt8(ascii: "<"): octets += "&lt;".utf8
            case UInt8(ascii: ">"): octets += "&gt;".utf8
            case UInt8(ascii: "&"): octets += "&amp;".utf8
            default: octets.append(octet)
            }
        }
        octets += "</template>\n<script type=\"module\">\(script)</script>\n".utf8
        octets += page[end.lowerBound...].utf8
        return octets
    }

    /// A module without its imports and exports: beside the others it needs none.
    private static func plain(_ module: String) -> String {
        var text = module
        while let start = text.firstRange(of: "\nimport {"),
            let end = text[start.upperBound...].firstRange(of: "\";\n")
        {
            text.replaceSubrange(start.lowerBound..<end.upperBound, with: "\n")
        }
        text.replace("\nexport ", with: "\n")
        return text
    }

    private static func digest(_ text: String) -> String {
        let octets = SHA256Digest.octets(of: text.utf8)
        var encoded = Base64URL.encode(octets)
        encoded.replace("-", with: "+")
        encoded.replace("_", with: "/")
        return encoded + "="
    }

    /// A text within an address (RFC 3986 §2.1): all but letters and digits is encoded.
    private static func encoded(_ text: String) -> String {
        var address = ""
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                address.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let digits = String(octet, radix: 16)
                address += octet < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return address
    }
}

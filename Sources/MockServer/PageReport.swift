import JSON
package import Journal
import OAuth
package import Verdict

/// The page with the data of one run inside: one file, which needs no server and no network.
///
/// It holds what the journal shows without contents, and the verdict.
package enum PageReport {
    /// Requests that a report holds; of more the newest.
    package static let maximumEntries = 10_000

    /// The report on the requests of a session.
    ///
    /// - Parameters:
    ///   - page: The files of the page.
    ///   - entries: The requests, oldest first.
    ///   - dropped: Older ones that the journal had no room for.
    ///   - title: What was run, in a few words.
    package static func octets(
        _ page: [PageFile],
        session name: String,
        entries: [JournalEntry],
        dropped: UInt64,
        verdict: VerdictReport,
        title: String
    ) -> [UInt8] {
        let shown = entries.suffix(maximumEntries)
        let dropped = dropped &+ UInt64(entries.count - shown.count)
        let data: JSONValue = [
            "title": .string(title), "session": .string(name),
            "dropped": .integer(Int(clamping: dropped)),
            "verdict": verdict.json,
            "entries": .array(shown.map(\.withoutContents.json)),
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

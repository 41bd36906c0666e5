import Contract
import HTTPMessage
import Journal
import OAuth
import Privacy
import Synchronization

/// Finds what a client sends where it does not belong: patients and tokens in URLs, tokens in bodies.
enum PrivacyInspection {
    /// Notes tokens, and finds out whether there is reason to look for patients.
    ///
    /// Ordinary requests cost a look at each octet of the query. A path is looked at only where the
    /// answer is no success: an identifier that was found is an identifier, not a name.
    ///
    /// - Returns: What is left to be looked at, once the index is made; `nil` for nothing.
    static func inspect(_ call: Call, status: Int) -> PersonalData.Suspect? {
        var suspect = PersonalData.Suspect()
        let target = call.request.target
        let isRefused = !(200..<400).contains(status)
        if isRefused {
            inspect(path: target.path.split(separator: UInt8(ascii: "/")), of: call, &suspect)
        }
        if let query = target.query, !query.isEmpty {
            if TokenScan.holdsToken(query[...]) { call.entry.findings.insert(.tokenInURL) }
            let isPresigned = call.entry.kind == .upload || call.entry.kind == .download
            if !isPresigned { inspect(query: query, of: call, &suspect) }
            // Their names are the client's own, and are told.
            for parameter in call.entry.details.query where !parameter.isKnown {
                add(Array(parameter.name.utf8)[...], plusIsSpace: false, to: &suspect)
            }
        }
        inspectRequestID(of: call, &suspect)
        inspectFields(of: call, &suspect)
        return remainder(of: suspect, in: call)
    }

    /// The fields, beside the correlation id, that proxies log as they log URLs.
    private static let loggedFields: [StaticString] = ["idempotency-key", "referer", "user-agent"]

    private static func inspectFields(of call: Call, _ suspect: inout PersonalData.Suspect) {
        for name in Self.loggedFields {
            guard let value = call.request.fields.first(name), !Self.isPlainID(value),
                !Self.isCommonAgent(value)
            else { continue }
            let text = PersonalText(Self.plain(value, plusIsSpace: false)[...])
            if text.words.count > 1 || !text.numbers.isEmpty { suspect.fields.append(text) }
        }
    }

    /// Whether a `User-Agent` is one product and its version, as most clients' are: `curl/8.14.1`.
    private static func isCommonAgent(_ value: ArraySlice<UInt8>) -> Bool {
        value.contains(UInt8(ascii: "/"))
            && !value.contains { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "%") || $0 >= 0x80 }
    }

    /// Times that a text is decoded: proxies and frameworks encode what is encoded already.
    private static let maximumDecodings = 4

    /// A text decoded until nothing changes any more, within reason.
    private static func plain(_ text: ArraySlice<UInt8>, plusIsSpace: Bool) -> [UInt8] {
        var plain = Array(text)
        for round in 0..<maximumDecodings {
            // Only the outermost coding is that of a query.
            let isQuery = plusIsSpace && round == 0
            guard
                plain.contains(UInt8(ascii: "%")) || (isQuery && plain.contains(UInt8(ascii: "+"))),
                let decoded = PercentCoding.decode(plain[...], plusIsSpace: isQuery),
                decoded != plain
            else { break }
            plain = decoded
        }
        return plain
    }

    /// Notes what the log must not repeat of a control request; as `inspect`, but of the path only
    /// what the client chose.
    static func inspectControl(
        _ call: Call,
        _ contract: OpenAPIContract
    ) -> PersonalData.Suspect? {
        var suspect = PersonalData.Suspect()
        let path = call.request.target.path
        var chosen = path.split(separator: UInt8(ascii: "/"))
        let route = contract.route(method: call.request.method, path: path)
        if case .matched(let operation, _) = route {
            let template = operation.pathTemplate.split(separator: "/")
            chosen = zip(template, chosen).filter { $0.0.hasPrefix("{") }.map { $0.1 }
        }
        inspect(path: chosen, of: call, &suspect)
        inspectRequestID(of: call, &suspect)
        let rest = remainder(of: suspect, in: call)
        if rest != nil { call.session.personalData.prepare() }
        return rest
    }

    private static func inspect(
        path segments: [ArraySlice<UInt8>],
        of call: Call,
        _ suspect: inout PersonalData.Suspect
    ) {
        for segment in segments {
            if TokenScan.holdsToken(segment) { call.entry.findings.insert(.tokenInURL) }
            add(segment, plusIsSpace: false, to: &suspect)
        }
    }

    private static func inspectRequestID(of call: Call, _ suspect: inout PersonalData.Suspect) {
        if call.entry.traits.contains(.sentRequestID) {
            for value in call.request.fields.values(named: "x-correlation-id")
            where !Self.isPlainID(value[...]) {
                if TokenScan.holdsPart(value[...]) { call.entry.findings.insert(.tokenInRequestID) }
                if let text = Self.suspect(requestID: value[...]) { suspect.requestID = text }
            }
        }
    }

    /// What of a correlation id may be a name or a number of a patient.
    private static func suspect(requestID value: ArraySlice<UInt8>) -> PersonalText? {
        let text = PersonalText(value)
        return text.words.count > 1 || !text.numbers.isEmpty ? text : nil
    }

    /// Those of some correlation ids that must not be repeated; returns when that is known.
    ///
    /// Blocks its thread: for queues that have one of their own.
    static func withheld(_ requestIDs: Set<String>, in session: Session) -> Set<String> {
        let found = FoundIDs()
        var isWaiting = false
        for id in requestIDs {
            let octets = Array(id.utf8)
            if Self.isPlainID(octets[...]) { continue }
            if TokenScan.holdsPart(octets[...]) { found.insert(id) }
            guard let text = Self.suspect(requestID: octets[...]) else { continue }
            var suspect = PersonalData.Suspect()
            suspect.requestID = text
            isWaiting = true
            session.personalData.examine(suspect) { findings in
                if !findings.isEmpty { found.insert(id) }
            }
        }
        // To make an index of much data takes a moment: nobody waits for it without need.
        if isWaiting { session.personalData.settle() }
        return found.all
    }

    /// What of a suspect is left to be looked at, once the index is made; else it is noted.
    private static func remainder(
        of suspect: PersonalData.Suspect,
        in call: Call
    ) -> PersonalData.Suspect? {
        var suspect = suspect
        if suspect.url.count == 1, let only = suspect.url.first, only.words.count < 2,
            only.numbers.isEmpty
        {
            suspect.url = []
        }
        if suspect.isEmpty { return nil }
        guard let findings = call.session.personalData.findings(in: suspect) else {
            return suspect
        }
        call.entry.findings.formUnion(findings)
        return nil
    }

    private static func inspect(
        query: [UInt8],
        of call: Call,
        _ suspect: inout PersonalData.Suspect
    ) {
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let end = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = pair[..<end]
            if TokenScan.isTokenName(name), pair.endIndex - end > 1 {
                call.entry.findings.insert(.tokenInURL)
                continue
            }
            // A cursor is noise, in which any two short words may stand.
            if name.elementsEqual("nextToken".utf8) { continue }
            let value = end < pair.endIndex ? pair[(end + 1)...] : pair
            add(value, plusIsSpace: true, to: &suspect)
        }
    }

    private static func add(
        _ text: ArraySlice<UInt8>,
        plusIsSpace: Bool,
        to suspect: inout PersonalData.Suspect
    ) {
        guard Self.isWorthALook(text) else { return }
        let decoded = Self.plain(text, plusIsSpace: plusIsSpace)
        let words = PersonalText(decoded[...])
        if !words.isHarmless { suspect.url.append(words) }
    }

    /// Whether an encoded text has a letter, an encoded character, or digits enough for a number.
    private static func isWorthALook(_ text: ArraySlice<UInt8>) -> Bool {
        var digits = 0
        for octet in text {
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "."): break
            default: return true
            }
        }
        return digits >= PersonalDataIndex.shortestNumber
    }

    /// Whether a correlation id is a UUID or another row of hexadecimal digits, as most are.
    private static func isPlainID(_ text: ArraySlice<UInt8>) -> Bool {
        /// Decimal digits in a row, hyphens not counting.
        var row = 0
        var digits = 0
        for octet in text {
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                row += 1
                digits += 1
                // Few UUIDs have so many: those are looked at.
                if row >= PersonalDataIndex.shortestNumber { return false }
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                row = 0
            default: return false
            }
        }
        return digits > 0
    }

    /// Looks for tokens in the content of a request that is authorized.
    ///
    /// The content of a stranger is not searched: what it costs, anybody could make us pay. At the
    /// token endpoint the form itself is what makes a sender known; of it only the beginning is
    /// searched, which is longer than any form that is taken.
    static func inspectContent(of call: Call) {
        let content = call.request.content
        if content.isEmpty { return }
        let holdsToken: Bool =
            switch call.entry.kind {
            // A report may hold a link with somebody else's token: that is its text.
            case .operation: TokenScan.holdsToken(content[...], marks: Self.marksOfOurTokens)
            case .token:
                TokenScan.holdsToken(
                    content.prefix(Self.maximumSearchedForm),
                    except: "client_assertion",
                    marks: Self.marksOfOurTokens
                )
            // A file is whatever it is.
            case .upload, .download, .other: false
            }
        if holdsToken { call.entry.findings.insert(.tokenInContent) }
    }

    /// The issuer, as it stands in the base64url of claims: at each of three places within a group.
    private static let marksOfOurTokens: [[UInt8]] = {
        let issuer = Array("qubs-mock.invalid".utf8)
        return (0..<3).map { place in
            let text = Base64URL.encodedOctets([UInt8](repeating: 0, count: place) + issuer)
            // The digits that hold bits of what stands before or behind are left out.
            return Array(text[((place * 8 + 5) / 6)..<((place + issuer.count) * 8 / 6)])
        }
    }()

    /// Octets of a form that are searched for tokens.
    private static let maximumSearchedForm = 65_536
}

/// Correlation ids that must not be repeated, as they are found.
private final class FoundIDs: Sendable {
    private let ids = Mutex<Set<String>>([])

    func insert(_ id: String) { ids.withLock { _ = $0.insert(id) } }

    var all: Set<String> { ids.withLock { $0 } }
}

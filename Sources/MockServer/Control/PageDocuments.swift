import HTTPMessage
import OAuth

/// A file of the page: name and text, as the build put it into the program.
package struct PageFile: Sendable {
    package let name: String
    package let text: StaticString

    package init(_ name: String, _ text: StaticString) {
        self.name = name
        self.text = text
    }

    var octets: UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// The media type, by the ending of the name.
    var contentType: String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        default: "image/svg+xml"
        }
    }
}

/// `/__admin/ui/`: the page, which shows a session in a browser.
enum PageDocuments {
    static let path = "/__admin/ui/"
    static let methods: [HTTPMethod] = [.get, .head]
    /// The paths that lead there.
    private static let leads = ["/__admin", "/__admin/", "/__admin/ui"]
    /// The file that the path itself stands for.
    static let index = "index.html"

    /// Nothing comes from elsewhere, nothing stands in the markup, nobody frames it.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// What a request asks for.
    enum Target: Sendable {
        /// The path without its slash, from which no relative address would lead to the files, or
        /// one where people look for the page.
        case redirect
        case file(PageFile)
    }

    /// What a request asks for; `nil` where that is no part of the page.
    ///
    /// - Throws: 405 for a method other than GET and HEAD.
    static func target(
        of request: HTTPRequest,
        among files: [PageFile]
    ) throws(Problem) -> Target? {
        // What most control requests ask for is neither short nor below the page's path.
        guard
            request.target.path.count <= path.utf8.count
                || request.target.path.starts(with: path.utf8)
        else { return nil }
        let asked = String(decoding: request.target.path, as: UTF8.self)
        let target: Target
        if leads.contains(asked) {
            target = .redirect
        } else {
            guard asked.hasPrefix(path) else { return nil }
            let rest = asked.dropFirst(path.count)
            let name = rest.isEmpty ? index : String(rest)
            guard let file = files.first(where: { $0.name == name }) else { return nil }
            target = .file(file)
        }
        guard methods.contains(request.method) else {
            throw Problem(methodNotAllowed: request.method, allowed: methods)
        }
        return target
    }

    static func answer(_ target: Target, to request: HTTPRequest) -> Answer {
        switch target {
        case .redirect:
            return Answer(status: 307, fields: [HTTPResponse.Field("Location", path)])
        case .file(let file):
            let tag = "\"\(SHA256Digest.hexadecimal(of: file.octets).prefix(32))\""
            var answer = Answer(
                fields: [
                    HTTPResponse.Field("ETag", tag),
                    // Kept, and asked for each time: another server may stand here tomorrow.
                    HTTPResponse.Field("Cache-Control", "no-cache"),
                    HTTPResponse.Field("Content-Security-Policy", policy),
                    HTTPResponse.Field("X-Content-Type-Options", "nosniff"),
                    HTTPResponse.Field("Referrer-Policy", "no-referrer"),
                ]
            )
            if isKnown(tag, to: request) {
                answer.status = 304
            } else {
                answer.contentType = file.contentType
                answer.content = Array(file.octets)
            }
            return answer
        }
    }

    /// Whether `If-None-Match` (RFC 9110 §13.1.2) has the tag.
    private static func isKnown(_ tag: String, to request: HTTPRequest) -> Bool {
        request.fields.values(named: "if-none-match").contains { value in
            guard let tags = FieldSyntax.listElements(value[...]) else { return false }
            return tags.contains {
                let sent = String(decoding: $0, as: UTF8.self)
                return sent == tag || sent == "*" || sent == "W/" + tag
            }
        }
    }
}

import HTTPMessage
import OAuth
import Time

/// Presigned URLs as a storage service such as Amazon S3 makes them.
///
/// The signature binds the host and every parameter, also those that are added later. Signature and
/// names hold octets that a query has to encode: a client that decodes a URL, or encodes it once more,
/// spoils it. The parameter `credential` tells such a URL from the plain ones, so that each is good
/// whatever holds when it is used.
enum StorageURL {
    /// The path and query, signed.
    ///
    /// - Parameter base: Where the client will send it.
    static func target(of url: PresignedURL, at base: String, secret: ServerSecret) -> String {
        var pairs = [("expires", String(url.expires.secondsSince1970))]
        var path = "/uploads/\(url.guid)"
        if case .download(let disposition) = url.purpose {
            path = "/attachments/\(url.guid)"
            pairs.append(("disposition", disposition))
        }
        pairs.append(("session", url.session))
        pairs.append(("object", "attachments/\(url.guid)+1 of 1"))
        // The first number whose signature has all that needs encoding; one in four has.
        var signature = ""
        for number in 0..<256 {
            let credential = ("credential", "qubs-mock/\(number)/storage")
            signature = self.signature(over: pairs + [credential], path, base, secret)
            if number == 255 || signature.contains("+") && signature.contains("/") {
                pairs.append(credential)
                break
            }
        }
        pairs.append(("signature", signature))
        let query = pairs.map { "\($0)=\(PercentCoding.encode($1))" }.joined(separator: "&")
        return "\(path)?\(query)"
    }

    /// Whether a request has the URL as it was given out; its encoding may be another of the same
    /// parameters, and their order, too.
    static func isSigned(_ request: HTTPRequest, at base: String, secret: ServerSecret) -> Bool {
        var pairs: [(String, String)] = []
        var sent: String?
        for pair in (request.target.query ?? []).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard let name = PercentCoding.decode(parts[0], plusIsSpace: true),
                let value = PercentCoding.decode(
                    parts.count == 2 ? parts[1] : [],
                    plusIsSpace: true
                )
            else { return false }
            let text = String(decoding: value, as: UTF8.self)
            if name.elementsEqual("signature".utf8) {
                if sent != nil { return false }
                sent = text
            } else {
                pairs.append((String(decoding: name, as: UTF8.self), text))
            }
        }
        let path = String(decoding: request.target.path, as: UTF8.self)
        let expected = signature(over: pairs, path, base, secret)
        return ConstantTime.areEqual(Array((sent ?? "").utf8), Array(expected.utf8))
    }

    /// In the alphabet of RFC 4648 section 4, with its padding.
    private static func signature(
        over pairs: [(String, String)],
        _ path: String,
        _ base: String,
        _ secret: ServerSecret
    ) -> String {
        let parameters = pairs.map { PercentCoding.encode($0) + "=" + PercentCoding.encode($1) }
        let message = ["storage", base.lowercased(), path] + parameters.sorted()
        let octets = secret.signature(
            over: Array(message.joined(separator: "\n").utf8),
            for: .presignedURL
        )
        let text = Base64URL.encode(octets).map { character -> Character in
            switch character {
            case "-": "+"
            case "_": "/"
            default: character
            }
        }
        return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }
}

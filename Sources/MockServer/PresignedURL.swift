import HTTPMessage
import OAuth
import QUBS
import Time

/// Presigned URLs: who holds one may move one content until it expires, without a token.
struct PresignedURL {
    /// What a URL is for.
    enum Purpose {
        case upload
        /// With the `disposition` that the download shall have.
        case download(disposition: String)
    }

    var guid: String
    /// The first second in which the URL is good no more.
    var expires: Instant
    var session: String
    var purpose: Purpose

    /// The address that a client gets, signed.
    ///
    /// - Parameter isStorages: Whether it looks as that of a storage service: see `StorageURL`.
    func address(of call: Call, isStorages: Bool) -> String {
        let secret = call.context.keys.secret
        return call.baseURL
            + (isStorages
                ? StorageURL.target(of: self, at: call.baseURL, secret: secret)
                : target(secret: secret))
    }

    /// The path and query, signed.
    func target(secret: ServerSecret) -> String {
        let signature = Base64URL.encode(
            secret.signature(over: message, for: .presignedURL).prefix(Self.signatureOctets)
        )
        let expires = "expires=\(self.expires.secondsSince1970)"
        let tail = "session=\(session)&signature=\(signature)"
        switch purpose {
        case .upload: return "/uploads/\(guid)?\(expires)&\(tail)"
        case .download(let disposition):
            return "/attachments/\(guid)?\(expires)&disposition=\(disposition)&\(tail)"
        }
    }

    /// Whether this is the signature of the URL.
    func isSigned(with signature: String, secret: ServerSecret) -> Bool {
        guard let octets = Base64URL.decode(signature.utf8) else { return false }
        return ConstantTime.areEqual(
            octets,
            secret.signature(over: message, for: .presignedURL).prefix(Self.signatureOctets)
        )
    }

    private static let signatureOctets = 24

    private var message: [UInt8] {
        let kind =
            switch purpose {
            case .upload: "upload"
            case .download(let disposition): "download\0\(disposition)"
            }
        return Array("\(kind)\0\(guid)\0\(expires.secondsSince1970)\0\(session)".utf8)
    }
}

/// The base of the URLs that the server hands out.
enum BaseURL {
    /// `--public-url`, else the scheme and authority that the client itself used.
    ///
    /// - Parameter fallback: Where the server listens, for clients of HTTP/1.0 that send no `Host`.
    static func of(_ request: HTTPRequest, publicURL: HTTPURL?, fallback: String) -> String {
        if let publicURL { return publicURL.text }
        guard let host = request.host, !host.isEmpty else { return fallback }
        return "http://" + host
    }
}

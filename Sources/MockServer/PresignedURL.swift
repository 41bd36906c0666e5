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

    private static let uploadPrefix = Array("/uploads/".utf8)

    /// Whether a path is that of an upload URL.
    static func isUpload(_ path: [UInt8]) -> Bool { path.starts(with: uploadPrefix) }

    private static let downloadPrefix = Array("/attachments/".utf8)

    /// Whether a path is that of a download URL.
    static func isDownload(_ path: [UInt8]) -> Bool { path.starts(with: downloadPrefix) }

    /// The address that a client gets, signed.
    ///
    /// - Parameters:
    ///   - base: Where the server is reached, such as `http://127.0.0.1:8080`.
    ///   - isStorages: Whether it looks as that of a storage service: see `StorageURL`.
    func address(at base: String, secret: ServerSecret, isStorages: Bool) -> String {
        base
            + (isStorages
                ? StorageURL.target(of: self, at: base, secret: secret)
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

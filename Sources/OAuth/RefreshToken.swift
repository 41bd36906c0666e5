/// What a refresh token carries: whom it belongs to, and until when.
///
/// Opaque to clients: a version, the expiry, 16 random octets, the session with its length, and
/// the client's id, sealed by the server.
struct RefreshToken: Equatable {
    private static let version: UInt8 = 1
    private static let randomOctets = 16
    private static let fixedOctets = 1 + 8 + randomOctets + 1

    let clientID: String
    let session: String
    /// The first second, since 1970, in which it is good no more.
    let expiresAt: Int64

    init(clientID: String, session: String, expiresAt: Int64) {
        self.clientID = clientID
        self.session = session
        self.expiresAt = expiresAt
    }

    /// Reads a token; `nil` when this secret did not seal it.
    init?(_ text: String, openedWith secret: ServerSecret) {
        guard let octets = secret.open(text, for: .refreshToken),
            octets.count >= Self.fixedOctets, octets[0] == Self.version
        else { return nil }
        expiresAt = octets[1..<9].reduce(0) { $0 &<< 8 | Int64($1) }
        let sessionEnd = Self.fixedOctets + Int(octets[Self.fixedOctets - 1])
        guard sessionEnd <= octets.count,
            let session = String(
                validating: octets[Self.fixedOctets..<sessionEnd],
                as: UTF8.self
            ),
            let clientID = String(validating: octets[sessionEnd...], as: UTF8.self)
        else { return nil }
        self.session = session
        self.clientID = clientID
    }

    /// The text for the client; no two are alike.
    func sealed(
        with secret: ServerSecret,
        using generator: inout some RandomNumberGenerator
    ) -> String {
        precondition(session.utf8.count <= 64)
        var octets = [Self.version]
        withUnsafeBytes(of: expiresAt.bigEndian) { octets.append(contentsOf: $0) }
        octets += generator.octets(count: Self.randomOctets)
        octets.append(UInt8(session.utf8.count))
        octets += session.utf8
        octets += clientID.utf8
        return secret.seal(octets, for: .refreshToken)
    }
}

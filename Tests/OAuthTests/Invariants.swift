import Chance
import JSON
import OAuth

/// What holds for any octets; the corpus and the fuzzer try it.
///
/// Each returns what was broken, or `nil`.
enum Invariants {
    static let all: [String: @Sendable ([UInt8]) -> String?] = [
        "form": forms, "jwt": tokens, "sealed": sealedTexts,
    ]

    /// A form with an `Authorization` value in front, up to the first NUL: a request by one of the
    /// clients with its secret, or an error that has words.
    @Sendable static func forms(_ octets: [UInt8]) -> String? {
        let parts = octets.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let form = parts.count == 2 ? parts[1] : octets[...]
        do throws(OAuthError) {
            let request = try TokenRequest(
                form: form,
                authorization: parts.count == 2 ? parts[0] : nil,
                clients: Support.clients
            )
            if request.client.isDisabled { return "a disabled client" }
            if Support.clients[request.client.id] != request.client { return "no client" }
            if !SessionName.isValid(request.session) { return "the session \(request.session)" }
        } catch {
            if error.description.isEmpty { return "an error without words" }
            guard let again = try? JSONParser.parse(JSONWriter.octets(of: error.json)),
                again == error.json
            else { return "an error that is no JSON" }
        }
        return nil
    }

    private static let keys = try? Support.keys()

    /// Tokens that the key has signed; no other may be taken.
    static let genuine: Set<String> = {
        guard let keys else { return [] }
        var generator = SplitMix64(seed: 7)
        let issuer = TokenIssuer(keys: keys)
        let tokens = [Support.partner, Support.north].map { client in
            try? issuer.issue(
                to: client,
                session: "s1",
                now: Support.now,
                using: &generator
            ).accessToken
        }
        return Set(tokens.compactMap { $0 })
    }()

    /// No token is taken but one that was issued, the octets as they are or changed into one.
    @Sendable static func tokens(_ octets: [UInt8]) -> String? {
        guard let keys else { return "no key" }
        let verifier = TokenVerifier(keys: keys)
        let credentials = BearerCredentials(authorization: octets[...])
        var candidates = [octets[...]]
        guard let token = genuine.min() else { return "no token to start from" }
        if octets.count >= 3 {
            // The octets say which octet of a good token is changed, and how.
            var changed = Array(token.utf8)
            changed[(Int(octets[0]) << 8 | Int(octets[1])) % changed.count] ^= octets[2]
            candidates.append(changed[...])
        }
        if case .token(let token) = credentials { candidates.append(token) }
        for token in candidates {
            if let name = TokenVerifier.unverifiedSession(token), !SessionName.isValid(name) {
                return "the session \(name)"
            }
            do throws(TokenError) {
                let verified = try verifier.inspect(token)
                guard genuine.contains(String(decoding: token, as: UTF8.self)) else {
                    return "a token that nobody issued"
                }
                try verified.check(at: Support.now)
            } catch {
                if error.explanation.isEmpty { return "a fault without words" }
                if BearerChallenge.text(for: error).contains(where: \.isNewline) {
                    return "a challenge of two lines"
                }
            }
        }
        return nil
    }

    /// Base64url has one spelling, and what is sealed opens only as it was sealed.
    @Sendable static func sealedTexts(_ octets: [UInt8]) -> String? {
        if let decoded = Base64URL.decode(octets), Base64URL.encodedOctets(decoded) != octets {
            return "a second spelling of the same octets"
        }
        if let decoded = Hexadecimal.decode(octets), decoded.count * 2 != octets.count {
            return "digits that were dropped"
        }
        guard let keys else { return "no key" }
        let sealed = keys.secret.seal(octets, for: .refreshToken)
        if keys.secret.open(sealed, for: .refreshToken) != octets {
            return "what was sealed does not open"
        }
        if keys.secret.open(sealed, for: .pagingToken) != nil {
            return "it opens for another purpose"
        }
        let text = String(decoding: octets, as: UTF8.self)
        if keys.secret.open(text, for: .refreshToken) != nil { return "a seal out of nothing" }
        return nil
    }
}

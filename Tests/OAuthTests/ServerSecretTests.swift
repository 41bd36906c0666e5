import JSON
import OAuth
import Testing

@Suite("Server secret")
struct ServerSecretTests {
    let secret = ServerSecret(octets: [UInt8](repeating: 7, count: 32))

    @Test("What was sealed comes back", arguments: ["", "a", "operation acme é 42"])
    func sealed(payload: String) {
        let text = secret.seal(Array(payload.utf8), for: .pagingToken)
        #expect(secret.open(text, for: .pagingToken) == Array(payload.utf8))
    }

    @Test("Any change to a sealed text is noticed")
    func changed() {
        let text = Array(secret.seal(Array("page 2".utf8), for: .pagingToken).utf8)
        for index in text.indices {
            var changed = text
            changed[index] =
                changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(secret.open(String(decoding: changed, as: UTF8.self), for: .pagingToken) == nil)
        }
        let whole = String(decoding: text, as: UTF8.self)
        #expect(secret.open(String(whole.dropLast()), for: .pagingToken) == nil)
        #expect(secret.open(whole + whole.suffix(4), for: .pagingToken) == nil)
    }

    @Test("What a text is bound to opens it, and nothing else does")
    func bound() {
        let text = secret.seal([1, 2], boundTo: [3, 4], for: .pagingToken)
        #expect(secret.open(text, boundTo: [3, 4], for: .pagingToken) == [1, 2])
        #expect(text.utf8.count == secret.seal([1, 2], for: .pagingToken).utf8.count)
        for binding: [UInt8] in [[], [3], [3, 5], [3, 4, 0]] {
            #expect(secret.open(text, boundTo: binding, for: .pagingToken) == nil)
        }
    }

    @Test("No text but the server's opens", arguments: ["", "null", "DDB_NEXT_TOKEN", "é", "===="])
    func foreign(text: String) {
        #expect(secret.open(text, for: .pagingToken) == nil)
    }

    @Test("A code for one purpose is worth nothing for another")
    func purposes() {
        let text = secret.seal([1, 2, 3], for: .refreshToken)
        #expect(secret.open(text, for: .pagingToken) == nil)
        let signature = secret.signature(over: [1, 2, 3], for: .presignedURL)
        #expect(signature.count == 32)
        #expect(secret.isValid(signature, over: [1, 2, 3], for: .presignedURL))
        #expect(!secret.isValid(signature, over: [1, 2, 3], for: .pagingToken))
        #expect(!secret.isValid(signature, over: [1, 2], for: .presignedURL))
        #expect(!secret.isValid(signature.dropLast(), over: [1, 2, 3], for: .presignedURL))
    }

    @Test("The label cannot run into the message")
    func labels() {
        let short = secret.signature(over: Array("cd".utf8), for: .init("ab"))
        let long = secret.signature(over: Array("d".utf8), for: .init("abc"))
        #expect(short != long)
    }

    @Test("The secret of a key is the same at every start, and another for another key")
    func derivation() throws {
        let first = try Support.keys().secret
        let second = try Support.keys().secret
        let text = first.seal([9], for: .presignedURL)
        #expect(second.open(text, for: .presignedURL) == [9])
        #expect(secret.open(text, for: .presignedURL) == nil)
    }
}

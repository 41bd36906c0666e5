// The one file that knows OpenSSL's libcrypto. It takes and gives octets. Each class owns one of the
// library's objects and frees it; the library wipes keys and codes as it frees them.
//
// Threads: a key, an algorithm and a finished context are only read, and count their references
// atomically, so workers share them. A context that is being written belongs to one call. Errors
// stand in a queue of the thread, which every call that failed empties.

import CLibCrypto

/// The library itself.
enum LibCrypto {
    /// Starts the library, once, before anything else.
    ///
    /// It reads no configuration: `OPENSSL_CONF` could load modules into the program, and change
    /// which keys are good. It leaves no handler for the exit, because workers may still be signing
    /// when the process ends.
    fileprivate static let start: Void = {
        let options = UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT)
        precondition(OPENSSL_init_crypto(options, nil) == 1, "libcrypto does not start")
    }()

    /// SHA-256, looked up once: a lookup takes longer than a short digest.
    fileprivate static let sha256: Algorithm = {
        start
        guard let pointer = EVP_MD_fetch(nil, "SHA256", nil) else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        return Algorithm(pointer: pointer)
    }()

    /// HMAC, looked up once.
    fileprivate static let hmac: Algorithm = {
        start
        guard let pointer = EVP_MAC_fetch(nil, "HMAC", nil) else {
            preconditionFailure("libcrypto has no HMAC")
        }
        return Algorithm(pointer: pointer)
    }()

    /// An algorithm of the library, which lives as long as the process and never changes.
    fileprivate struct Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// The library allocates a few hundred octets here; without memory there is no going on.
    fileprivate static func made(_ pointer: OpaquePointer?) -> OpaquePointer {
        guard let pointer else { preconditionFailure("libcrypto has no memory") }
        return pointer
    }

    /// Whether a step of the library did what it should; the queue of errors is empty afterwards.
    fileprivate static func succeeded(_ result: Int32) -> Bool {
        if result == 1 { return true }
        ERR_clear_error()
        return false
    }
}

/// A SHA-256 that is taking in a message.
///
/// Shared contexts are only copied from: whoever writes asks for the only reference first.
final class SHA256Context: @unchecked Sendable {
    static let octetCount = 32
    private let context: OpaquePointer

    /// A digest of no octets yet.
    init() {
        context = LibCrypto.made(EVP_MD_CTX_new())
        let isReady = EVP_DigestInit_ex2(context, LibCrypto.sha256.pointer, nil) == 1
        precondition(isReady, "SHA-256 does not start")
    }

    /// A digest of the octets that another one has taken in.
    init(_ other: SHA256Context) {
        context = LibCrypto.made(EVP_MD_CTX_new())
        precondition(EVP_MD_CTX_copy_ex(context, other.context) == 1, "SHA-256 is not copied")
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ octets: UnsafeRawBufferPointer) {
        let isTaken = EVP_DigestUpdate(context, octets.baseAddress, octets.count) == 1
        precondition(isTaken, "SHA-256 takes no more")
    }

    /// The digest; the context is of no use afterwards.
    func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.octetCount) { output, count in
            let isDone = EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1
            precondition(isDone, "SHA-256 does not end")
            count = Self.octetCount
        }
    }
}

/// An HMAC with SHA-256 that has taken in its key, and from which each message goes on.
final class HMACContext: @unchecked Sendable {
    private let context: OpaquePointer

    init(key: UnsafeRawBufferPointer) {
        context = LibCrypto.made(EVP_MAC_CTX_new(LibCrypto.hmac.pointer))
        // The library takes a missing pointer for a missing key; an empty array would have none.
        let octets = key.isEmpty ? [0] : Array(key)
        let isReady = clibcrypto_start_hmac(context, octets, key.count) == 1
        precondition(isReady, "HMAC does not start")
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// The 32 octets over a message.
    func code(over message: UnsafeRawBufferPointer) -> [UInt8] {
        let copy = LibCrypto.made(EVP_MAC_CTX_dup(context))
        defer { EVP_MAC_CTX_free(copy) }
        return [UInt8](unsafeUninitializedCapacity: SHA256Context.octetCount) { output, count in
            let start = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let isDone =
                EVP_MAC_update(copy, start, message.count) == 1
                && EVP_MAC_final(copy, output.baseAddress, &count, output.count) == 1
            precondition(isDone && count == SHA256Context.octetCount, "HMAC does not end")
        }
    }
}

/// An RSA key, private or public, that signs and verifies by RSASSA-PKCS1-v1_5 with SHA-256.
final class RSAKey: @unchecked Sendable {
    private let key: OpaquePointer

    private init(_ key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(key) }

    /// A new key of 2048 bits, from the library's own source of chance; `nil` where that fails.
    static func generated() -> RSAKey? {
        LibCrypto.start
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard LibCrypto.succeeded(EVP_PKEY_keygen_init(context)),
            LibCrypto.succeeded(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)),
            LibCrypto.succeeded(EVP_PKEY_generate(context, &key))
        else { return nil }
        return key.map(RSAKey.init)
    }

    /// A private key from its numbers, unsigned and big-endian; `nil` where they make no key.
    ///
    /// dp, dq and qi follow from the others (RFC 8017 §3.2).
    static func made(
        n modulus: [UInt8],
        e publicExponent: [UInt8],
        d privateExponent: [UInt8],
        p firstPrime: [UInt8],
        q secondPrime: [UInt8]
    ) -> RSAKey? {
        LibCrypto.start
        let numbers = Numbers()
        let n = numbers.number(modulus)
        let e = numbers.number(publicExponent)
        let d = numbers.number(privateExponent, isSecret: true)
        let p = numbers.number(firstPrime, isSecret: true)
        let q = numbers.number(secondPrime, isSecret: true)
        guard numbers.areFactors(p, q, of: n), BN_cmp(d, n) < 0,
            let dp = numbers.exponent(d, fitting: e, modulo: p),
            let dq = numbers.exponent(d, fitting: e, modulo: q),
            let qi = numbers.inverse(of: q, modulo: p)
        else { return nil }
        let context = LibCrypto.made(EVP_PKEY_CTX_new_from_name(nil, "RSA", nil))
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isMade = LibCrypto.succeeded(
            clibcrypto_make_rsa(context, &key, n, e, d, p, q, dp, dq, qi)
        )
        return isMade ? key.map(RSAKey.init) : nil
    }

    /// The signature over a message, as long as the modulus; `nil` where the library cannot sign.
    ///
    /// The library verifies what it computed before it hands it out.
    func signature(over message: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let context = LibCrypto.made(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        guard
            LibCrypto.succeeded(EVP_DigestSignInit_ex(context, nil, "SHA256", nil, nil, key, nil))
        else { return nil }
        var isSigned = false
        let capacity = Int(EVP_PKEY_get_size(key))
        let signature = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            var octets = output.count
            isSigned = LibCrypto.succeeded(
                EVP_DigestSign(
                    context,
                    output.baseAddress,
                    &octets,
                    message.baseAddress,
                    message.count
                )
            )
            count = isSigned ? octets : 0
        }
        return isSigned ? signature : nil
    }

    /// Whether a signature over a message was made with the private half.
    func isValid(_ signature: [UInt8], over message: UnsafeBufferPointer<UInt8>) -> Bool {
        let context = LibCrypto.made(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        return LibCrypto.succeeded(
            EVP_DigestVerifyInit_ex(context, nil, "SHA256", nil, nil, key, nil)
        )
            && LibCrypto.succeeded(
                EVP_DigestVerify(
                    context,
                    signature,
                    signature.count,
                    message.baseAddress,
                    message.count
                )
            )
    }

    /// `n`, big-endian, without leading zeros.
    var modulus: [UInt8] { number(OSSL_PKEY_PARAM_RSA_N) }
    /// `e`, big-endian, without leading zeros.
    var publicExponent: [UInt8] { number(OSSL_PKEY_PARAM_RSA_E) }

    private func number(_ name: String) -> [UInt8] {
        var number: OpaquePointer?
        let isThere = EVP_PKEY_get_bn_param(key, name, &number) == 1
        guard isThere, let number else { preconditionFailure("An RSA key without \(name)") }
        defer { BN_free(number) }
        let capacity = Int(BN_num_bits(number) + 7) / 8
        return [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            count = Int(BN_bn2bin(number, output.baseAddress))
        }
    }

    /// The public half as a SubjectPublicKeyInfo in PEM (RFC 7468 §13), lines of 64 characters.
    var publicPEM: [UInt8] {
        let output = LibCrypto.made(BIO_new(BIO_s_mem()))
        defer { BIO_free(output) }
        precondition(PEM_write_bio_PUBKEY(output, key) == 1, "An RSA key has no public half")
        return [UInt8](unsafeUninitializedCapacity: BIO_ctrl_pending(output)) { octets, count in
            let isRead = BIO_read_ex(output, octets.baseAddress, octets.count, &count) == 1
            precondition(isRead, "A PEM text is not read back")
        }
    }
}

/// Numbers of any length that live as long as this does, and room to reckon with them.
private final class Numbers {
    private let context = LibCrypto.made(BN_CTX_secure_new())
    private var owned: [OpaquePointer] = []

    deinit {
        for number in owned { BN_clear_free(number) }
        BN_CTX_free(context)
    }

    private func number() -> OpaquePointer {
        let number = LibCrypto.made(BN_new())
        owned.append(number)
        return number
    }

    /// The number of these octets, big-endian.
    ///
    /// - Parameter isSecret: Whether the time of reckoning must not depend on it.
    func number(_ octets: [UInt8], isSecret: Bool = false) -> OpaquePointer {
        let number = number()
        _ = LibCrypto.made(BN_bin2bn(octets, Int32(clamping: octets.count), number))
        if isSecret { BN_set_flags(number, BN_FLG_CONSTTIME) }
        return number
    }

    /// Whether two odd numbers above one make the modulus, which no verifier is too weak for.
    func areFactors(_ p: OpaquePointer, _ q: OpaquePointer, of n: OpaquePointer) -> Bool {
        guard BN_num_bits(n) <= OPENSSL_RSA_MAX_MODULUS_BITS, BN_is_odd(n) == 1,
            BN_num_bits(p) > 1, BN_num_bits(q) > 1, BN_cmp(p, n) < 0, BN_cmp(q, n) < 0
        else { return false }
        let product = number()
        return LibCrypto.succeeded(BN_mul(product, p, q, context)) && BN_cmp(product, n) == 0
    }

    /// d modulo a prime less one; `nil` where e does not undo it there.
    ///
    /// e is odd, above one and no longer than 33 bits, as verifiers expect.
    func exponent(
        _ d: OpaquePointer,
        fitting e: OpaquePointer,
        modulo prime: OpaquePointer
    ) -> OpaquePointer? {
        guard BN_is_odd(e) == 1, (2...33).contains(BN_num_bits(e)), BN_num_bits(prime) > 1 else {
            return nil
        }
        let order = number()
        BN_set_flags(order, BN_FLG_CONSTTIME)
        let exponent = number()
        BN_set_flags(exponent, BN_FLG_CONSTTIME)
        let product = number()
        guard LibCrypto.succeeded(BN_sub(order, prime, BN_value_one())),
            LibCrypto.succeeded(BN_div(nil, exponent, d, order, context)),
            LibCrypto.succeeded(BN_mod_mul(product, exponent, e, order, context)),
            BN_is_one(product) == 1
        else { return nil }
        return exponent
    }

    /// The inverse of one prime modulo the other; `nil` where they have a common factor.
    func inverse(of number: OpaquePointer, modulo prime: OpaquePointer) -> OpaquePointer? {
        let inverse = self.number()
        BN_set_flags(inverse, BN_FLG_CONSTTIME)
        guard BN_mod_inverse(inverse, number, prime, context) != nil else {
            ERR_clear_error()
            return nil
        }
        return inverse
    }
}

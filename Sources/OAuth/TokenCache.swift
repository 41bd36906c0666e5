import Glibc

/// The verified tokens of one worker, which alone may use it: not thread safe.
///
/// Only good tokens get in, and they stay until the cache is full or the keys change; then all go
/// at once, which costs a busy client one verification. A token that expired stays too, and is
/// refused by the time alone.
package final class TokenCache {
    private struct Entry {
        let hash: UInt64
        let token: [UInt8]
        let verified: VerifiedToken
    }

    private let verifier: TokenVerifier
    private let capacity: Int
    private let mask: Int
    /// Positions in `entries` by hash, -1 where free: open addressing with linear probing.
    private var slots: [Int32]
    private var entries: [Entry] = []
    private var generation: Int

    /// An empty cache.
    ///
    /// - Parameter capacity: Tokens at most, about 1 KiB each; at least one.
    package init(verifier: TokenVerifier, capacity: Int = 1024) {
        precondition(capacity > 0 && capacity <= 1 << 20)
        self.verifier = verifier
        self.capacity = capacity
        // At most half of the slots are taken, so that probing stays short.
        var slotCount = 4
        while slotCount < capacity * 2 { slotCount *= 2 }
        mask = slotCount - 1
        slots = Array(repeating: -1, count: slotCount)
        generation = verifier.keys.generation
    }

    /// How many tokens are held.
    package var count: Int { entries.count }

    /// Verifies a token, from memory where it was seen before; see `VerifiedToken.check`.
    package func verify(
        _ token: ArraySlice<UInt8>,
        now: Int64,
        keysNow: Int64? = nil
    ) throws(TokenError) -> VerifiedToken {
        let verified = try inspect(token)
        try verified.check(at: now, keysAt: keysNow)
        return verified
    }

    /// Verifies all of a token but the time, from memory where it was seen before.
    ///
    /// For whoever must know the token's session before it knows the time.
    package func inspect(_ token: ArraySlice<UInt8>) throws(TokenError) -> VerifiedToken {
        let generation = verifier.keys.generation
        if generation != self.generation {
            removeAll()
            self.generation = generation
        }
        let hash = token.withUnsafeBufferPointer { Self.hash(UnsafeRawBufferPointer($0)) }
        if let verified = verified(token, hash: hash) { return verified }
        let verified = try verifier.inspect(token)
        insert(Entry(hash: hash, token: Array(token), verified: verified))
        return verified
    }

    private func verified(_ token: ArraySlice<UInt8>, hash: UInt64) -> VerifiedToken? {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let position = Int(slots[slot])
            if entries[position].hash == hash, Self.areEqual(entries[position].token, token) {
                return entries[position].verified
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func insert(_ entry: Entry) {
        if entries.count == capacity { removeAll() }
        var slot = Int(truncatingIfNeeded: entry.hash) & mask
        while slots[slot] >= 0 { slot = (slot + 1) & mask }
        slots[slot] = Int32(entries.count)
        entries.append(entry)
    }

    private func removeAll() {
        entries.removeAll(keepingCapacity: true)
        for slot in slots.indices { slots[slot] = -1 }
    }

    private static func areEqual(_ held: [UInt8], _ token: ArraySlice<UInt8>) -> Bool {
        guard held.count == token.count else { return false }
        return held.withUnsafeBytes { held in
            token.withUnsafeBytes { token in
                guard let left = held.baseAddress, let right = token.baseAddress else {
                    return true
                }
                return memcmp(left, right, held.count) == 0
            }
        }
    }

    /// A hash of the last 64 octets and the length.
    ///
    /// These are signature, as good as random, and nobody without the key can make two good tokens
    /// that agree in them; so no hash of the whole is needed, nor a secret seed.
    private static func hash(_ token: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: token.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = max(0, token.count - 64)
        while offset + 8 <= token.count {
            hash ^= token.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = hash &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            offset += 8
        }
        return hash
    }
}

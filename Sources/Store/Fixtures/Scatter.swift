import Chance

/// The scattered order: a place for every record, from seed, domain and identifier alone.
///
/// Always the same for the same three, on every machine and in every run (unlike `Hasher`), and
/// without any relation to time.
package struct Scatter: Sendable, Hashable {
    /// Another seed gives another order.
    package let seed: UInt64
    /// Identifiers that come first in every list they belong to, in this order.
    package let pinned: [String]

    package init(seed: UInt64, pinned: [String]) {
        self.seed = seed
        self.pinned = pinned
    }

    /// Tells orders apart: kept with the data.
    var name: String { ([String(seed)] + pinned).joined(separator: " ") }

    /// Places are below this; the first of them are kept for pinned identifiers.
    static let limit: Int64 = 1 << 48
    private static let firstFree: UInt64 = 1024

    /// The place of a record, below `limit`.
    func position(domain: String, id: String) -> Int64 {
        if let place = pinned.firstIndex(of: id) { return Int64(place) }
        // FNV-1a over domain, a separator that is not UTF-8, and id; then the finalizer of
        // SplitMix64.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ (seed &* 0x9E37_79B9_7F4A_7C15)
        for octet in domain.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        for octet in id.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        let mixed = SplitMix64.mix(hash)
        let range = UInt64(Self.limit) - Self.firstFree
        return Int64(Self.firstFree + (mixed >> 16) % range)
    }
}

/// Where a cursor page ended: the place in the order of the list, of the last row shown.
///
/// Keyset paging: the next page holds what comes after this place, so rows that appear or vanish
/// meanwhile never repeat or hide others, and depth costs nothing.
package enum PageCursor: Hashable, Sendable {
    /// A place in the scattered order.
    case position(Int64)
    /// A place in the order of identifiers.
    case identifier(String)

    /// The cursor as octets, to be authenticated and made opaque by whoever sends it.
    package var octets: [UInt8] {
        switch self {
        case .position(let position):
            return [UInt8(ascii: "p")]
                + (0..<8).map { UInt8(truncatingIfNeeded: position &>> (56 &- 8 &* Int64($0))) }
        case .identifier(let identifier):
            return [UInt8(ascii: "i")] + identifier.utf8
        }
    }

    /// Reads what `octets` gave; `nil` for anything else.
    package init?(octets: some Collection<UInt8>) {
        let rest = octets.dropFirst()
        switch octets.first {
        case UInt8(ascii: "p") where rest.count == 8:
            self = .position(rest.reduce(0) { $0 &<< 8 | Int64($1) })
        case UInt8(ascii: "i"):
            guard let identifier = String(validating: rest, as: UTF8.self) else { return nil }
            self = .identifier(identifier)
        default: return nil
        }
    }
}

/// How lists are ordered.
package enum ListOrder: String, Hashable, Sendable, CaseIterable {
    /// By a hash of seed, domain and identifier: always the same, and visibly not chronological.
    case scattered
    /// By identifier, for humans.
    case byIdentifier = "by-id"
}

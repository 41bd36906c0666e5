/// The key of an appointment's row: domain, status and place, in one integer.
///
/// Bits from the top: sign (0), domain (7), status (8), place in the scattered order (48).
struct AppointmentKey: Hashable {
    let rawValue: Int64

    static let maximumDomain: Int64 = 127
    static let maximumStatus: Int64 = 255

    init(rawValue: Int64) { self.rawValue = rawValue }

    init(domain: Int64, status: Int64, position: Int64) {
        rawValue = domain << 56 | status << 48 | position
    }

    var domain: Int64 { rawValue >> 56 }
    var status: Int64 { rawValue >> 48 & 0xFF }
    var position: Int64 { rawValue & (Scatter.limit - 1) }

    /// The key at the next place of the same domain and status, wrapping around.
    var next: AppointmentKey {
        AppointmentKey(
            domain: domain,
            status: status,
            position: (position + 1) & (Scatter.limit - 1)
        )
    }

    /// The last key of a domain and status.
    static func last(domain: Int64, status: Int64) -> Int64 {
        AppointmentKey(domain: domain, status: status, position: Scatter.limit - 1).rawValue
    }
}

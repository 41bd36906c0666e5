import HTTPMessage

extension RequestTarget {
    /// The first value of a query parameter, where it needs no decoding.
    func queryValue(_ name: String) -> String? {
        for pair in (query ?? []).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            if parts.count == 2, parts[0].elementsEqual(name.utf8) {
                return String(decoding: parts[1], as: UTF8.self)
            }
        }
        return nil
    }
}

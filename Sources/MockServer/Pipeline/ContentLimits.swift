/// How much content is taken (design §7), in octets.
enum ContentLimits {
    /// Up to here content is read before the request is looked at: it costs no more than the read
    /// that brought its head, and its connection lives on when it is refused.
    static let maximumUnaskedOctets = 65_536
    /// Forms: the largest that the token endpoint has a use for is a thousandth of it.
    static let maximumFormOctets = 65_536
    /// Documents of the control API.
    static let maximumControlOctets = 1 << 20
    /// JSON: eight times the longest report text.
    static let maximumJSONOctets = 16 << 20
    /// "2 MB per object", read as the limit of the report text (facts, row 26).
    static let maximumUploadOctets = 2_097_152
    /// More is looked at beside the workers: of the most laborious JSON, a worker reads so much in
    /// less than 20 ms.
    static let maximumOctetsOnWorker = 32_768
}

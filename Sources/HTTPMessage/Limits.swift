/// The maxima of a request message that do not depend on what is asked for.
///
/// The maximum of the content does: whoever knows the resource gives it with each request.
package struct Limits: Sendable, Hashable {
    /// Octets of the request line without its CRLF.
    ///
    /// RFC 9112 §3 recommends 8,000 at least; more is 414.
    package var maximumRequestLineOctets = 8 * 1024
    /// Octets of the field lines, each with its CRLF.
    ///
    /// Four times what browsers and proxies send; more is 431.
    package var maximumFieldSectionOctets = 32 * 1024
    /// Field lines.
    ///
    /// More is 431.
    package var maximumFieldLines = 100
    /// Octets of a chunk-size line with its extensions, without the CRLF.
    ///
    /// RFC 9112 §7.1.1 asks for a limit, since the extensions carry nothing; more is 400.
    package var maximumChunkLineOctets = 256
    /// Octets of a trailer section, each line with its CRLF.
    ///
    /// It is checked and dropped; more is 431.
    package var maximumTrailerSectionOctets = 8 * 1024

    package init() {}
}

package import HTTPMessage

/// What a `Listener` needs to know: where to listen, and its time-outs and limits.
package struct TransportConfiguration: Sendable {
    /// A name or an address; an IPv6 address with or without brackets.
    package var host = "127.0.0.1"
    /// 0 takes a free one, which `Listener.port` then tells.
    package var port = 8080
    /// Event loops.
    ///
    /// More than there are processors is slower.
    package var workers = 1
    /// Connections beyond these are answered 503 and closed.
    package var maximumConnections = 10_000
    /// Connections beyond the maximum that have time to read their 503; those beyond have it as long
    /// as no other connection needs their place.
    package var maximumExcess = 256
    /// From the first octet of a head to its last.
    package var headTimeout = Duration.seconds(10)
    /// Between octets of content.
    package var contentTimeout = Duration.seconds(30)
    /// Between requests, and without progress of an answer that the client does not read.
    package var idleTimeout = Duration.seconds(75)
    /// How long a connection that is closing is read on, so that its client sees the answer
    /// rather than a reset.
    package var lingerTimeout = Duration.seconds(5)
    /// How long an answer is still waited for once the client has ended its side: it may only have
    /// said all that it has to say, but most have left.
    package var departureGrace = Duration.seconds(5)
    /// Octets that are read and thrown away meanwhile.
    package var maximumLingerOctets = 64 << 20
    /// The maxima of heads and chunk lines.
    package var limits = Limits()
    /// Octets of contents, and of requests that wait behind another, that are in memory at once, all
    /// connections together; what comes beyond them is refused.
    package var maximumHeldOctets = 256 << 20
    /// What every time-out, delay and pace is measured by.
    package var clock = TransportClock.system

    package init() {}
}

/// Who makes a request and what they hold, as a verified access token says.
///
/// A class, so that a cached token hands it out for one reference. Names are compared octet by
/// octet: two spellings of one letter that Unicode calls equivalent are different names.
package final class Principal: Sendable {
    /// The client, without its session suffix.
    package let clientID: String
    /// The session that the credential chose; `default` where it chose none.
    package let session: String
    /// The tenants whose data the caller may see.
    package let domains: [String]
    /// The sites the caller may see; `nil` for all of them.
    package let sites: [String]?
    /// Further permissions, such as `appointments:read_billing`.
    package let permissions: [String]
    /// The provider numbers that referrer operations filter by.
    package let providerNumbers: [String]
    /// The `jti` of the token.
    package let tokenID: String

    private let domainOctets: [[UInt8]]
    private let siteOctets: [[UInt8]]?

    /// A caller with these grants; nothing is checked.
    package init(
        clientID: String,
        session: String,
        domains: [String],
        sites: [String]?,
        permissions: [String],
        providerNumbers: [String],
        tokenID: String
    ) {
        self.clientID = clientID
        self.session = session
        self.domains = domains
        self.sites = sites
        self.permissions = permissions
        self.providerNumbers = providerNumbers
        self.tokenID = tokenID
        domainOctets = domains.map { Array($0.utf8) }
        siteOctets = sites?.map { Array($0.utf8) }
    }

    /// Whether the domain of this name, decoded, is among the caller's.
    package func mayUse(domain: ArraySlice<UInt8>) -> Bool {
        Self.holds(domainOctets, domain)
    }

    /// Whether the domain of this name is among the caller's.
    package func mayUse(domain: String) -> Bool {
        Self.holds(domainOctets, domain)
    }

    /// Whether the caller may see the site of this name, decoded.
    package func mayUse(site: ArraySlice<UInt8>) -> Bool {
        guard let siteOctets else { return true }
        return Self.holds(siteOctets, site)
    }

    /// Whether the caller may see the site of this name.
    package func mayUse(site: String) -> Bool {
        guard let siteOctets else { return true }
        return Self.holds(siteOctets, site)
    }

    /// Whether the caller holds a permission.
    package func holds(permission: String) -> Bool {
        permissions.contains { $0.utf8.elementsEqual(permission.utf8) }
    }

    /// Whether the caller has referrer grants at all.
    package var isReferrer: Bool { !providerNumbers.isEmpty }

    private static func holds(_ names: [[UInt8]], _ wanted: ArraySlice<UInt8>) -> Bool {
        wanted.withUnsafeBufferPointer { holds(names, $0) }
    }

    private static func holds(_ names: [[UInt8]], _ wanted: String) -> Bool {
        var wanted = wanted
        return wanted.withUTF8 { holds(names, $0) }
    }

    private static func holds(
        _ names: [[UInt8]],
        _ wanted: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        for name in names
        where name.count == wanted.count && name.elementsEqual(wanted) { return true }
        return false
    }
}

import Contract
import Journal
import OAuth
import Readings

/// Whether a caller may do what it asks for.
enum Authorization {
    /// 401 without a good token, 403 where the token does not open the domain.
    static func check(_ call: Call, operation: Operation) throws(Problem) {
        guard operation.requiresToken else { return }
        guard let principal = call.principal else {
            switch call.credentials {
            case .refused(let fault):
                throw Problem(unauthorized: fault)
            case .absent, .accepted:
                throw Problem(unauthorized: .absent)
            case .otherScheme:
                throw Problem(unauthorized: .otherScheme)
            }
        }
        // A domain that is not percent-encoded UTF-8 is refused with the parameters.
        guard let domain = call.entry.domain else { return }
        guard principal.mayUse(domain: domain) else {
            let domains = principal.domains.joined(separator: ", ")
            let advice =
                switch principal.domains.count {
                case 0: "This token opens no domain: ask for one with another client."
                case 1:
                    "This token is for the domain \(domains) only: use that in the path, or another "
                        + "client."
                default:
                    "This token is for the domains \(domains) only: use one of these in the path, or "
                        + "another client."
                }
            throw Problem(.domain, 403, advice)
        }
    }

    /// 403 where the caller lacks the site, the permission or the grant that the contract names.
    static func checkGrants(_ call: OperationCall) throws(Problem) {
        guard let principal = call.principal else { return }
        let operation = call.operation
        if operation.siteGrantParameter != nil, !principal.mayUse(site: call.string("siteName")) {
            throw Problem(
                .site,
                403,
                "This client is limited to certain sites, and this is none of them: "
                    + "GET /sites lists them."
            )
        }
        if let permission = operation.requiredPermission, !principal.holds(permission: permission) {
            throw Problem(
                .permission,
                403,
                "This operation needs the permission \(permission), which the token lacks."
            )
        }
        if operation.requiredGrant != nil, !principal.isReferrer {
            if call.call.departs(to: MissingGrant.empty) { return }
            throw Problem(
                .providerNumbers,
                403,
                "This operation is for referrers and specialists: the token holds no provider "
                    + "numbers."
            )
        }
    }
}

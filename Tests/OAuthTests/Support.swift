import JSON
import OAuth

/// What several suites need: the key of RFC 7515 §A.2, clients, and a repeatable source of chance.
enum Support {
    /// A second in 2025, by the clock of the tests.
    static let now: Int64 = 1_760_000_000

    /// The private key of RFC 7515 §A.2.1, which everybody knows.
    static let rfcKey: JSONValue = [
        "kty": "RSA",
        "n": """
        ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1P\
        t0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH\
        SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6\
        _I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ
        """,
        "e": "AQAB",
        "d": """
        Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVo\
        l2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn\
        439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5\
        Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ
        """,
        "p": """
        4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw\
        _Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc
        """,
        "q": """
        uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7Tj\
        eLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc
        """,
        "dp": """
        BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FO\
        Knu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0
        """,
        "dq": """
        h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9\
        U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU
        """,
        "qi": """
        IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy\
        5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U
        """,
    ]

    /// A modulus of as many bits that these primes do not make.
    static var otherModulus: JSONValue? {
        rfcKey["n"]?.string.map { .string(String($0.dropLast()) + "A") }
    }

    /// The public half of that key as OpenSSL and others write it into a file, without a last line
    /// feed.
    static let rfcPublicPEM = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj
        NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz
        P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo
        9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB
        EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX
        FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp
        oQIDAQAB
        -----END PUBLIC KEY-----
        """

    /// The key above under a name of its own.
    static var developmentKey: JSONValue {
        var object = rfcKey.object ?? JSONObject()
        object["kid"] = "development"
        return .object(object)
    }

    static func keys() throws -> SigningKeys { try SigningKeys(developmentKey: developmentKey) }

    static let partner = Client(
        id: "acme-partner",
        secret: "acme-partner-secret",
        domains: ["acme"],
        permissions: ["appointments:read_billing"]
    )
    static let north = Client(
        id: "acme-north",
        secret: "p%s+t w:rd",
        domains: ["acme", "globex"],
        sites: ["North Clinic"],
        providerNumbers: ["1234567A"]
    )
    static let refresher = Client(
        id: "acme-refresh",
        secret: "acme-refresh-secret",
        domains: ["acme"],
        getsRefreshTokens: true
    )
    static let disabled = Client(
        id: "acme-disabled",
        secret: "acme-disabled-secret",
        domains: ["acme"],
        isDisabled: true
    )
    /// Its secret means three things, as it is read.
    static let odd = Client(id: "acme-odd", secret: "a+b%2Bc d", domains: ["acme"])
    static let clients = ClientRegistry(uniqueClients: [partner, north, refresher, disabled, odd])

    /// The claims of a token, read without any check.
    static func claims(of token: String) throws -> JSONValue? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let octets = Base64URL.decode(parts[1].utf8) else { return nil }
        return try JSONParser.parse(octets)
    }

    /// A token with any header and claims, signed by a key.
    static func token(
        header: JSONValue,
        claims: [UInt8],
        key: SigningKey
    ) throws -> String {
        let input =
            Base64URL.encode(JSONWriter.octets(of: header)) + "." + Base64URL.encode(claims)
        let signature = try key.signature(over: ArraySlice(input.utf8))
        return input + "." + Base64URL.encode(signature)
    }
}

extension String {
    /// The octets, as the room takes them.
    var octets: ArraySlice<UInt8> { ArraySlice(utf8) }
}

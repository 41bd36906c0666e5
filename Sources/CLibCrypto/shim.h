// The headers of OpenSSL's libcrypto, version 3, that the room OAuth uses.
#ifndef QUBS_MOCK_CLIBCRYPTO_H
#define QUBS_MOCK_CLIBCRYPTO_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

// The library keeps the names of parameters, which Swift would pass as passing strings.

// Begins an HMAC with SHA-256 under a key, which is not NULL even when it is empty.
static inline int clibcrypto_start_hmac(EVP_MAC_CTX *context, const unsigned char *key,
                                        size_t octets) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_init(context, key, octets, parameters);
}

// Makes an RSA key of its numbers (RFC 8017 section 3.2); 1 where it did.
static inline int clibcrypto_make_rsa(EVP_PKEY_CTX *context, EVP_PKEY **key, const BIGNUM *n,
                                      const BIGNUM *e, const BIGNUM *d, const BIGNUM *p,
                                      const BIGNUM *q, const BIGNUM *dp, const BIGNUM *dq,
                                      const BIGNUM *qi) {
    OSSL_PARAM *parameters = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    int result = builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_D, d)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_FACTOR1, p)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_FACTOR2, q)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi)
        && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL
        && EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(context, key, EVP_PKEY_KEYPAIR, parameters) == 1;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return result;
}

#endif

// SPDX-License-Identifier: MIT
// Signs JSON Web Tokens with OpenSSL. ECDSA signatures leave OpenSSL as DER and go
// out as two numbers of 32 bytes (RFC 7518 section 3.4).
#include "jwt.h"

#include "json.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string.h>

// Shorter RSA keys are refused by every server, and by us first.
#define RSA_BITS_MIN 2048
// One of the two numbers of an ES256 signature.
#define ES256_BYTES 32

G_DEFINE_QUARK(jwt - error - quark, jwt_error)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

static const struct {
    const char *name;
    int key; // of OpenSSL
} kinds[] = {
    [JWT_PS256] = {"PS256", EVP_PKEY_RSA},
    [JWT_ES256] = {"ES256", EVP_PKEY_EC},
    [JWT_RS256] = {"RS256", EVP_PKEY_RSA},
};

static bool fail(GError **error, enum jwt_error code, const char *sentence)
{
    ERR_clear_error();
    g_set_error_literal(error, JWT_ERROR, (int)code, sentence);
    return false;
}

// base64url without padding (RFC 7515 section 2).
static char *encode(const void *bytes, size_t length)
{
    char *text = g_base64_encode(bytes, length);
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    text[strcspn(text, "=")] = '\0';
    return text;
}

static char *encode_json(const cJSON *tree)
{
    g_autofree char *text = json_print(tree, false);
    return encode(text, strlen(text));
}

// An encrypted key has no password here: nobody is asked at a terminal.
static int no_password(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return 0;
}

static EVP_PKEY *read_key(enum jwt_algorithm algorithm, const char *pem, GError **error)
{
    g_autoptr(BIO) source = BIO_new_mem_buf(pem, -1);
    g_autoptr(EVP_PKEY) key = PEM_read_bio_PrivateKey(source, NULL, no_password, NULL);
    if (!key) {
        fail(error, JWT_ERROR_KEY,
             "the key of client_assertion is no private key in PEM, or is encrypted");
        return NULL;
    }
    bool fits = EVP_PKEY_base_id(key) == kinds[algorithm].key;
    if (fits && kinds[algorithm].key == EVP_PKEY_EC)
        fits = EVP_PKEY_bits(key) == ES256_BYTES * 8;
    if (!fits || (kinds[algorithm].key == EVP_PKEY_RSA && EVP_PKEY_bits(key) < RSA_BITS_MIN)) {
        g_set_error(
            error, JWT_ERROR, JWT_ERROR_KEY,
            "the key of client_assertion is not for %s, which wants %s", kinds[algorithm].name,
            algorithm == JWT_ES256 ? "an EC key on P-256" : "an RSA key of 2048 bits or more");
        return NULL;
    }
    return g_steal_pointer(&key);
}

static bool set_padding(enum jwt_algorithm algorithm, EVP_PKEY_CTX *context)
{
    if (algorithm != JWT_PS256)
        return true;
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
}

// The signature as OpenSSL gives it, or NULL.
static GBytes *sign(enum jwt_algorithm algorithm, EVP_PKEY *key, const char *text)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *of_key = NULL;
    const guchar *bytes = (const guchar *)text;
    size_t length = 0;
    if (EVP_DigestSignInit(context, &of_key, EVP_sha256(), NULL, key) <= 0 ||
        !set_padding(algorithm, of_key) ||
        EVP_DigestSign(context, NULL, &length, bytes, strlen(text)) <= 0)
        return NULL;
    g_autoptr(GByteArray) signature = g_byte_array_new();
    g_byte_array_set_size(signature, (guint)length);
    if (EVP_DigestSign(context, signature->data, &length, bytes, strlen(text)) <= 0)
        return NULL;
    return g_bytes_new(signature->data, length);
}

// The two numbers of a DER signature, side by side.
static GBytes *split_ecdsa(GBytes *der)
{
    gsize length = 0;
    const guchar *bytes = g_bytes_get_data(der, &length);
    g_autoptr(ECDSA_SIG) signature = d2i_ECDSA_SIG(NULL, &bytes, (long)length);
    guchar both[2 * ES256_BYTES];
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature), both, ES256_BYTES) != ES256_BYTES ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), both + ES256_BYTES, ES256_BYTES) != ES256_BYTES)
        return NULL;
    return g_bytes_new(both, sizeof both);
}

static void put_text(cJSON *object, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    json_add_text(object, key, text);
}

char *jwt_sign(enum jwt_algorithm algorithm, const char *pem, cJSON *head, const cJSON *claims,
               GError **error)
{
    g_autoptr(EVP_PKEY) key = read_key(algorithm, pem, error);
    if (!key)
        return NULL;
    put_text(head, "alg", kinds[algorithm].name);
    put_text(head, "typ", "JWT");
    g_autofree char *first = encode_json(head);
    g_autofree char *second = encode_json(claims);
    g_autofree char *text = g_strconcat(first, ".", second, NULL);
    g_autoptr(GBytes) plain = sign(algorithm, key, text);
    g_autoptr(GBytes) signature =
        plain && algorithm == JWT_ES256 ? split_ecdsa(plain) : g_steal_pointer(&plain);
    if (!signature) {
        fail(error, JWT_ERROR_SIGN, "the client_assertion could not be signed");
        return NULL;
    }
    gsize length = 0;
    const void *bytes = g_bytes_get_data(signature, &length);
    g_autofree char *third = encode(bytes, length);
    return g_strconcat(text, ".", third, NULL);
}

static bool add_thumbprint(cJSON *head, const char *name, const X509 *certificate,
                           const EVP_MD *digest)
{
    guchar bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_digest(certificate, digest, bytes, &length) <= 0)
        return false;
    g_autofree char *text = encode(bytes, length);
    put_text(head, name, text);
    return true;
}

bool jwt_add_thumbprints(cJSON *head, const char *pem, GError **error)
{
    g_autoptr(BIO) source = BIO_new_mem_buf(pem, -1);
    g_autoptr(X509) certificate = PEM_read_bio_X509(source, NULL, no_password, NULL);
    return (certificate && add_thumbprint(head, "x5t", certificate, EVP_sha1()) &&
            add_thumbprint(head, "x5t#S256", certificate, EVP_sha256())) ||
           fail(error, JWT_ERROR_KEY,
                "the certificate of client_assertion is no certificate in PEM");
}

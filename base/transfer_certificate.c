// SPDX-License-Identifier: MIT
// Looks at a client's certificate before it is needed: curl's words for a wrong file
// or a key that does not fit are no help. The reading itself is curl's, at each
// connection, so that a renewed file is used at once.
#include "transfer_certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { DAYS_BEFORE = 30 }; // how long before its end a certificate is spoken of

G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free)

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, sentence);
    ERR_clear_error();
    return false;
}

// The file in memory; NULL and `error` where it cannot be read. `text` owns it.
static BIO *open_file(const char *path, char **text, GError **error)
{
    g_autoptr(GError) problem = NULL;
    gsize length;
    if (g_file_get_contents(path, text, &length, &problem))
        return BIO_new_mem_buf(*text, (int)MIN(length, G_MAXINT32));
    fail(error, "the file %s cannot be read: %s", path, g_strerror(errno));
    return NULL;
}

static X509 *read_certificate(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(BIO) file = open_file(path, &text, error);
    X509 *certificate = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    if (file && !certificate)
        fail(error, "the file %s holds no certificate in PEM", path);
    return certificate;
}

// OpenSSL's callback; without a password the key cannot be read, rather than asked for.
static int give_password(char *buffer, int size, int writing, void *context)
{
    const char *password = context;
    size_t length = password ? strlen(password) : G_MAXSIZE;
    (void)writing;
    if (length > (size_t)size)
        return -1;
    memcpy(buffer, password, length);
    return (int)length;
}

static EVP_PKEY *read_key(const char *path, const char *password, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *given = g_strdup(password);
    g_autoptr(BIO) file = open_file(path, &text, error);
    EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, give_password, given) : NULL;
    if (!file || key)
        return key;
    bool locked = strstr(text, "ENCRYPTED");
    fail(error, "the file %s holds %s", path,
         !locked    ? "no private key in PEM"
         : password ? "a private key that this password does not open"
                    : "an encrypted private key: write its \"password\"");
    return NULL;
}

static char *date_of(const ASN1_TIME *time)
{
    struct tm parts = {0};
    ASN1_TIME_to_tm(time, &parts);
    return g_strdup_printf("%04d-%02d-%02d", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

static bool check_dates(const X509 *certificate, const char *path, struct clock_wall now,
                        char **warning, GError **error)
{
    const ASN1_TIME *begin = X509_get0_notBefore(certificate);
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    time_t today = (time_t)(now.us / G_USEC_PER_SEC);
    time_t soon = today + (time_t)DAYS_BEFORE * 24 * 3600;
    g_autofree char *first = date_of(begin);
    g_autofree char *last = date_of(end);
    if (X509_cmp_time(end, &today) < 0)
        return fail(error, "the certificate of %s ended on %s: have a new one made", path, last);
    if (X509_cmp_time(begin, &today) > 0)
        return fail(error, "the certificate of %s is not valid before %s", path, first);
    if (X509_cmp_time(end, &soon) < 0)
        *warning =
            g_strdup_printf("the certificate of %s ends on %s: have a new one made", path, last);
    return true;
}

bool transfer_certificate_check(const char *cert, const char *key, const char *password,
                                struct clock_wall now, char **warning, GError **error)
{
    *warning = NULL;
    g_autoptr(X509) certificate = read_certificate(cert, error);
    g_autoptr(EVP_PKEY) private_key = certificate ? read_key(key, password, error) : NULL;
    if (!private_key)
        return false;
    if (X509_check_private_key(certificate, private_key) != 1)
        return fail(error, "the key in %s is not that of the certificate in %s", key, cert);
    return check_dates(certificate, cert, now, warning, error);
}

// What servers say in TLS's alerts, as OpenSSL writes it.
char *transfer_certificate_refused(const char *words)
{
    static const char *const REASONS[] = {
        "unknown ca",          "bad certificate",     "certificate unknown",
        "certificate expired", "certificate revoked", "unsupported certificate",
        "access denied",
    };
    const char *alert = strstr(words, " alert ");
    if (!alert)
        return NULL;
    if (strstr(alert, "certificate required"))
        return g_strdup("the server wants a client certificate");
    for (size_t i = 0; i < G_N_ELEMENTS(REASONS); i++)
        if (strstr(alert, REASONS[i]))
            return g_strdup_printf("the server refused the client certificate: %s", REASONS[i]);
    return NULL;
}

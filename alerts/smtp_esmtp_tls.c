// SPDX-License-Identifier: MIT
// Makes TLS under libesmtp 1.1.0 as strict as anywhere: it caches and frees a
// context of its own, sends no SNI, checks the DNS canonical name in place of
// the configured one, and hangs over TLS 1.3 session tickets.
#include "smtp_esmtp_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <poll.h>

// How long a server may take to send its tickets after the handshake.
enum { TICKET_WAIT_MS = 50 };

static int state_index(void)
{
    static int index = -1;
    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

static struct smtp_esmtp_tls *state_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), state_index());
}

// The only place where SNI can be set: libesmtp makes and connects the SSL in one go.
static void on_handshake(const SSL *ssl, int where, int result)
{
    (void)result;
    char *host = state_of(ssl)->host;
    // The callback is given the connection as const, but it is ours to set up here.
    if ((where & SSL_CB_HANDSHAKE_START) && host &&
        !SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
        SSL_set_tlsext_host_name((SSL *)(gsize)ssl, host);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (!ok)
        state_of(ssl)->verify_error = X509_STORE_CTX_get_error(store);
    return ok;
}

static bool expect_host(struct smtp_esmtp_tls *tls, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (address) {
        ASN1_OCTET_STRING_free(address);
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    }
    tls->host = g_strdup(host);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

static bool trust(SSL_CTX *context, const char *ca)
{
    return (ca ? SSL_CTX_load_verify_locations(context, ca, NULL)
               : SSL_CTX_set_default_verify_paths(context)) == 1;
}

bool smtp_esmtp_tls_init(struct smtp_esmtp_tls *tls, const char *host, const char *ca,
                         GError **error)
{
    *tls = (struct smtp_esmtp_tls){.context = SSL_CTX_new(TLS_client_method())};
    SSL_CTX *context = tls->context;
    if (context == NULL || SSL_CTX_set_ex_data(context, state_index(), tls) != 1 ||
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 || !expect_host(tls, host)) {
        g_set_error_literal(error, DELIVERY_ERROR, DELIVERY_ERROR_SETTINGS, "TLS cannot be set up");
        return false;
    }
    if (!trust(context, ca)) {
        g_set_error(error, DELIVERY_ERROR, DELIVERY_ERROR_SETTINGS,
                    "the certificates in %s cannot be read", ca ? ca : "the system's store");
        return false;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(context, on_handshake);
    return true;
}

bool smtp_esmtp_tls_is_verified(SSL *ssl)
{
    return (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) && SSL_get_verify_result(ssl) == X509_V_OK;
}

void smtp_esmtp_tls_settle(SSL *ssl)
{
    X509 *own = SSL_get_certificate(ssl);
    struct pollfd readable = {.fd = SSL_get_rfd(ssl), .events = POLLIN};
    char byte;
    if (own)
        X509_up_ref(own);
    if (poll(&readable, 1, TICKET_WAIT_MS) > 0)
        SSL_peek(ssl, &byte, 1);
    ERR_clear_error();
}

void smtp_esmtp_tls_clear(struct smtp_esmtp_tls *tls)
{
    SSL_CTX_free(tls->context);
    g_free(tls->host);
}

// SPDX-License-Identifier: MIT
// The TLS context that libesmtp is given: verification, host name, SNI and the
// oldest version are ours, because the library's own are not to be relied on.
#ifndef ALERTS_SMTP_ESMTP_TLS_H
#define ALERTS_SMTP_ESMTP_TLS_H

#include <openssl/ssl.h>

#include "delivery_session.h"

// What the certificate check said last: X509_V_OK, or why it refused.
struct smtp_esmtp_tls {
    SSL_CTX *context;
    int verify_error;
    char *host; // for SNI; NULL for an address
};

// A context that trusts `ca` (NULL: the system's) for exactly this host. False and `error` where
// the CA file cannot be read.
bool smtp_esmtp_tls_init(struct smtp_esmtp_tls *tls, const char *host, const char *ca,
                         GError **error);

// True where OpenSSL itself has verified the peer of this connection: chain and name.
bool smtp_esmtp_tls_is_verified(SSL *ssl);

// To be called when the handshake is over: reads the session tickets that TLS 1.3 servers send
// at once, over which libesmtp would wait for ever, and gives a client certificate, which
// libesmtp frees though it is borrowed, a reference more.
void smtp_esmtp_tls_settle(SSL *ssl);

// Frees what it holds.
void smtp_esmtp_tls_clear(struct smtp_esmtp_tls *tls);

#endif

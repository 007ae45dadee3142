// SPDX-License-Identifier: MIT
// The sets of certificates that connections trust, each read once: reading the
// system's anew for each connection costs 34 ms of CPU.
#ifndef BASE_TRANSFER_TLS_H
#define BASE_TRANSFER_TLS_H

#include <glib.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdbool.h>

struct transfer_tls_stores;

// No sets yet.
struct transfer_tls_stores *transfer_tls_stores_new(void);

// The set in the PEM file `ca`, the system's where that is NULL; read again when
// the file has changed. NULL and `error` where it cannot be read. The caller frees it
// with X509_STORE_free. From any thread.
X509_STORE *transfer_tls_store(struct transfer_tls_stores *stores, const char *ca, GError **error);

// How long the certificate of the other side of `ssl` (an SSL *, or NULL) is good
// for; false where it has shown none.
bool transfer_tls_time_left(void *ssl, int64_t *milliseconds);

// One more owner of the same sets.
struct transfer_tls_stores *transfer_tls_stores_ref(struct transfer_tls_stores *stores);

// Lets go of them: with the last owner they are freed; connections keep what they use.
void transfer_tls_stores_free(struct transfer_tls_stores *stores);

#endif

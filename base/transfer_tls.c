// SPDX-License-Identifier: MIT
// One OpenSSL store of trusted certificates for each CA file, kept by path and
// by the file's age. transfer_easy.c hands them to each new TLS connection.
#include "transfer_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

struct ca_set {
    X509_STORE *store;
    struct stat read; // the file when it was read
};

struct transfer_tls_stores {
    GMutex lock;
    GHashTable *by_path; // of struct ca_set; "" for the system's
};

static void ca_set_free(void *data)
{
    struct ca_set *set = data;
    X509_STORE_free(set->store);
    g_free(set);
}

struct transfer_tls_stores *transfer_tls_stores_new(void)
{
    struct transfer_tls_stores *stores = g_atomic_rc_box_new0(struct transfer_tls_stores);
    g_mutex_init(&stores->lock);
    stores->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, ca_set_free);
    return stores;
}

static bool is_same_file(const struct stat *left, const struct stat *right)
{
    return left->st_ino == right->st_ino && left->st_size == right->st_size &&
           left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
           left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

// A new store; an intermediate certificate in a CA file is trusted by itself.
static X509_STORE *load_store(const char *ca)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        g_error("out of memory for certificates");
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    int loaded = ca ? X509_STORE_load_file(store, ca) : X509_STORE_set_default_paths(store);
    ERR_clear_error();
    if (loaded == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static X509_STORE *keep_store(struct transfer_tls_stores *stores, const char *key,
                              const struct stat *now, X509_STORE *store)
{
    struct ca_set *set = g_new0(struct ca_set, 1);
    set->store = store;
    set->read = *now;
    g_hash_table_replace(stores->by_path, g_strdup(key), set);
    return store;
}

// Borrowed until the next call; the lock is held.
static X509_STORE *find_store(struct transfer_tls_stores *stores, const char *ca, GError **error)
{
    const char *key = ca ? ca : "";
    struct stat now = {0};
    if (ca && stat(ca, &now) != 0) {
        g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(errno),
                    "the certificate file %s cannot be read: %s", ca, g_strerror(errno));
        return NULL;
    }
    const struct ca_set *known = g_hash_table_lookup(stores->by_path, key);
    if (known && is_same_file(&known->read, &now))
        return known->store;
    X509_STORE *store = load_store(ca);
    if (!store) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "the certificate file %s cannot be read: it holds no PEM certificates", key);
        return NULL;
    }
    return keep_store(stores, key, &now, store);
}

X509_STORE *transfer_tls_store(struct transfer_tls_stores *stores, const char *ca, GError **error)
{
    g_mutex_lock(&stores->lock);
    X509_STORE *store = find_store(stores, ca, error);
    if (store)
        X509_STORE_up_ref(store);
    g_mutex_unlock(&stores->lock);
    return store;
}

bool transfer_tls_time_left(void *ssl, int64_t *milliseconds)
{
    const X509 *certificate = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
    int days = 0, seconds = 0;
    if (!certificate || !ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)))
        return false;
    *milliseconds = ((int64_t)days * 86400 + seconds) * 1000;
    return true;
}

struct transfer_tls_stores *transfer_tls_stores_ref(struct transfer_tls_stores *stores)
{
    return g_atomic_rc_box_acquire(stores);
}

static void clear_stores(void *data)
{
    struct transfer_tls_stores *stores = data;
    g_hash_table_unref(stores->by_path);
    g_mutex_clear(&stores->lock);
}

void transfer_tls_stores_free(struct transfer_tls_stores *stores)
{
    if (stores)
        g_atomic_rc_box_release_full(stores, clear_stores);
}

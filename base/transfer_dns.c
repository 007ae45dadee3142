// SPDX-License-Identifier: MIT
// curl looks names up in threads that cannot be ended. When a lookup has timed
// out, one more thread asks for the same name; that it answers, whatever it
// answers, is the sign that new lookups make sense again.
#include "transfer_dns.h"

#include <glib.h>
#include <netdb.h>
#include <sys/socket.h>

// Shared by the breaker and the thread.
struct lookup {
    char *host;
    gint answered; // atomic
    gatomicrefcount references;
};

struct transfer_dns {
    GHashTable *held; // host -> struct lookup
};

static void lookup_unref(void *data)
{
    struct lookup *lookup = data;
    if (!g_atomic_ref_count_dec(&lookup->references))
        return;
    g_free(lookup->host);
    g_free(lookup);
}

static void *ask(void *data)
{
    struct lookup *lookup = data;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(lookup->host, NULL, &hints, &found) == 0)
        freeaddrinfo(found);
    g_atomic_int_set(&lookup->answered, 1);
    lookup_unref(lookup);
    return NULL;
}

char *transfer_dns_host(const char *url)
{
    g_autoptr(GUri) parts = g_uri_parse(url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, NULL);
    const char *host = parts ? g_uri_get_host(parts) : NULL;
    return host && *host ? g_ascii_strdown(host, -1) : NULL;
}

struct transfer_dns *transfer_dns_new(void)
{
    struct transfer_dns *dns = g_new0(struct transfer_dns, 1);
    dns->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lookup_unref);
    return dns;
}

// NULL where no thread is to be had: then nothing is held back.
static struct lookup *start_lookup(const char *host)
{
    struct lookup *lookup = g_new0(struct lookup, 1);
    lookup->host = g_strdup(host);
    g_atomic_ref_count_init(&lookup->references);
    g_atomic_ref_count_inc(&lookup->references);
    GThread *thread = g_thread_try_new("lookup", ask, lookup, NULL);
    if (thread) {
        g_thread_unref(thread);
        return lookup;
    }
    g_free(lookup->host);
    g_free(lookup);
    return NULL;
}

void transfer_dns_timed_out(struct transfer_dns *dns, const char *url)
{
    g_autofree char *host = transfer_dns_host(url);
    if (!host || g_hash_table_contains(dns->held, host))
        return;
    struct lookup *lookup = start_lookup(host);
    if (lookup)
        g_hash_table_insert(dns->held, g_steal_pointer(&host), lookup);
}

bool transfer_dns_is_held(struct transfer_dns *dns, const char *url)
{
    if (g_hash_table_size(dns->held) == 0)
        return false;
    g_autofree char *host = transfer_dns_host(url);
    struct lookup *lookup = host ? g_hash_table_lookup(dns->held, host) : NULL;
    if (!lookup)
        return false;
    if (!g_atomic_int_get(&lookup->answered))
        return true;
    g_hash_table_remove(dns->held, host);
    return false;
}

void transfer_dns_free(struct transfer_dns *dns)
{
    if (!dns)
        return;
    g_hash_table_unref(dns->held);
    g_free(dns);
}

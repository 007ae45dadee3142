// SPDX-License-Identifier: MIT
// A kept connection that went silent costs a call its whole timeout; were each of its
// fellows tried in turn, a system that is well would fail run after run. They are left
// alone until curl throws them away for their age. Used by transfer.c.
#include "transfer_doubt.h"

#include "clock.h"
#include "transfer_dns.h"

#include <glib.h>

// A little longer than curl keeps an idle connection (CURLOPT_MAXAGE_CONN, 118 s).
#define DOUBT_LASTS_US (INT64_C(120) * G_USEC_PER_SEC)

struct transfer_doubt {
    GHashTable *hosts; // host -> int64_t: until when
};

struct transfer_doubt *transfer_doubt_new(void)
{
    struct transfer_doubt *doubt = g_new0(struct transfer_doubt, 1);
    doubt->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return doubt;
}

void transfer_doubt_free(struct transfer_doubt *doubt)
{
    g_hash_table_unref(doubt->hosts);
    g_free(doubt);
}

void transfer_doubt_note(struct transfer_doubt *doubt, const char *url)
{
    char *host = transfer_dns_host(url);
    if (!host)
        return;
    int64_t *until = g_new(int64_t, 1);
    *until = clock_transport_now().us + DOUBT_LASTS_US;
    g_hash_table_replace(doubt->hosts, host, until);
}

bool transfer_doubt_holds(struct transfer_doubt *doubt, const char *url)
{
    if (g_hash_table_size(doubt->hosts) == 0)
        return false;
    g_autofree char *host = transfer_dns_host(url);
    const int64_t *until = host ? g_hash_table_lookup(doubt->hosts, host) : NULL;
    if (!until)
        return false;
    if (clock_transport_now().us < *until)
        return true;
    g_hash_table_remove(doubt->hosts, host);
    return false;
}

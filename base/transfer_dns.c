// SPDX-License-Identifier: MIT
// curl looks names up in threads that cannot be ended. When a lookup has timed
// out, one more thread asks for the same name; that it answers, whatever it
// answers, is the sign that new lookups make sense again. One that has failed is
// asked for again as well: curl has one code for a name that does not exist and for
// name servers that have no answer.
#include "transfer_dns.h"

#include "handover.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

// To ask again takes as long as it took before, where the first of several name servers is dead;
// and this much more on a busy machine.
enum { TRANSFER_DNS_MORE_MS = 2000 };

// Shared by the loop and the thread.
struct lookup {
    struct handover *to_loop; // takes it when it is answered
    char *host;
    int code;      // of getaddrinfo, before `answered`
    gint answered; // atomic
};

struct waiter {
    struct lookup *lookup;
    uint64_t until_ms; // of the loop
    transfer_dns_told told;
    void *context;
};

struct transfer_dns {
    GHashTable *held;         // host -> struct lookup
    GQueue waiters;           // of struct waiter, in the order of their ends
    struct handover *answers; // of struct lookup
    uv_timer_t timer;         // for the first of the waiters
    bool ended;
};

static void clear_lookup(void *data)
{
    struct lookup *lookup = data;
    handover_unref(lookup->to_loop);
    g_free(lookup->host);
}

static void lookup_unref(void *lookup)
{
    g_atomic_rc_box_release_full(lookup, clear_lookup);
}

static void free_waiter(void *data)
{
    struct waiter *waiter = data;
    lookup_unref(waiter->lookup);
    g_free(waiter);
}

static void *look_up(void *data)
{
    struct lookup *lookup = data;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    lookup->code = getaddrinfo(lookup->host, NULL, &hints, &found);
    if (lookup->code == 0)
        freeaddrinfo(found);
    g_atomic_int_set(&lookup->answered, 1);
    handover_give(lookup->to_loop, lookup);
    return NULL;
}

char *transfer_dns_host(const char *url)
{
    g_autoptr(GUri) parts = g_uri_parse(url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, NULL);
    const char *host = parts ? g_uri_get_host(parts) : NULL;
    return host && *host ? g_ascii_strdown(host, -1) : NULL;
}

// NULL where no thread is to be had: then nothing is held back.
static struct lookup *start_lookup(const struct transfer_dns *dns, const char *host)
{
    struct lookup *lookup = g_atomic_rc_box_new0(struct lookup);
    lookup->to_loop = handover_ref(dns->answers);
    lookup->host = g_strdup(host);
    if (handover_start_thread("lookup", look_up, g_atomic_rc_box_acquire(lookup)))
        return lookup;
    lookup_unref(lookup); // the thread's
    lookup_unref(lookup);
    return NULL;
}

// One for all who ask for the same host at the same time; the caller's own reference.
static struct lookup *share_lookup(struct transfer_dns *dns, const char *host)
{
    struct lookup *held = g_hash_table_lookup(dns->held, host);
    if (held)
        return g_atomic_rc_box_acquire(held);
    for (const GList *link = dns->waiters.head; link; link = link->next) {
        struct lookup *lookup = ((const struct waiter *)link->data)->lookup;
        if (strcmp(lookup->host, host) == 0 && !g_atomic_int_get(&lookup->answered))
            return g_atomic_rc_box_acquire(lookup);
    }
    return start_lookup(dns, host);
}

static void hold(struct transfer_dns *dns, struct lookup *lookup)
{
    if (!g_hash_table_contains(dns->held, lookup->host))
        g_hash_table_insert(dns->held, lookup->host, g_atomic_rc_box_acquire(lookup));
}

void transfer_dns_timed_out(struct transfer_dns *dns, const char *url)
{
    g_autofree char *host = transfer_dns_host(url);
    struct lookup *lookup = host ? share_lookup(dns, host) : NULL;
    if (!lookup)
        return;
    hold(dns, lookup);
    lookup_unref(lookup);
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

static void tell_those_who_know(struct transfer_dns *dns);

static void on_timer(uv_timer_t *timer)
{
    tell_those_who_know(timer->data);
}

static void on_answered(void *lookup, void *context)
{
    (void)lookup; // its waiters see that it is answered
    tell_those_who_know(context);
}

static bool denies(const struct lookup *answered)
{
    return answered->code == EAI_NONAME || answered->code == EAI_NODATA;
}

// The first who waits no longer, or NULL.
static struct waiter *take_ready(struct transfer_dns *dns)
{
    uint64_t now_ms = uv_now(dns->timer.loop);
    for (GList *link = dns->waiters.head; link; link = link->next) {
        struct waiter *waiter = link->data;
        if (waiter->until_ms > now_ms && !g_atomic_int_get(&waiter->lookup->answered))
            continue;
        g_queue_delete_link(&dns->waiters, link);
        return waiter;
    }
    return NULL;
}

static void arm(struct transfer_dns *dns)
{
    const struct waiter *first = g_queue_peek_head(&dns->waiters);
    uint64_t now_ms = uv_now(dns->timer.loop);
    if (first)
        uv_timer_start(&dns->timer, on_timer,
                       first->until_ms > now_ms ? first->until_ms - now_ms : 0, 0);
    else
        uv_timer_stop(&dns->timer);
}

// `told` may end the engine; then `dns` is freed on a later turn.
static void tell_those_who_know(struct transfer_dns *dns)
{
    struct waiter *waiter;
    while (!dns->ended && (waiter = take_ready(dns))) {
        bool answered = g_atomic_int_get(&waiter->lookup->answered);
        if (!answered)
            hold(dns, waiter->lookup);
        waiter->told(answered && denies(waiter->lookup), waiter->context);
        free_waiter(waiter);
    }
    if (!dns->ended)
        arm(dns);
}

static int compare_ends(const void *a, const void *b, void *unused)
{
    (void)unused;
    uint64_t first = ((const struct waiter *)a)->until_ms,
             other = ((const struct waiter *)b)->until_ms;
    return (first > other) - (first < other);
}

void transfer_dns_ask_why(struct transfer_dns *dns, const char *url, double took_ms,
                          transfer_dns_told told, void *context)
{
    g_autofree char *host = transfer_dns_host(url);
    struct lookup *lookup = host ? share_lookup(dns, host) : NULL;
    if (lookup && !g_atomic_int_get(&lookup->answered)) {
        struct waiter *waiter = g_new(struct waiter, 1);
        uint64_t until_ms =
            uv_now(dns->timer.loop) + TRANSFER_DNS_MORE_MS + (uint64_t)MAX(took_ms, 0);
        *waiter = (struct waiter){lookup, until_ms, told, context};
        g_queue_insert_sorted(&dns->waiters, waiter, compare_ends, NULL);
        arm(dns);
        return;
    }
    told(!lookup || denies(lookup), context);
    if (lookup)
        lookup_unref(lookup);
}

struct transfer_dns *transfer_dns_new(uv_loop_t *loop)
{
    struct transfer_dns *dns = g_new0(struct transfer_dns, 1);
    dns->held = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lookup_unref);
    dns->answers = handover_new(loop, on_answered, lookup_unref, dns);
    uv_timer_init(loop, &dns->timer);
    dns->timer.data = dns;
    return dns;
}

static void on_closed(uv_handle_t *timer)
{
    g_free(timer->data);
}

void transfer_dns_free(struct transfer_dns *dns)
{
    dns->ended = true;
    handover_close(dns->answers);
    g_queue_clear_full(&dns->waiters, free_waiter);
    g_hash_table_unref(dns->held);
    uv_close((uv_handle_t *)&dns->timer, on_closed);
}

// SPDX-License-Identifier: MIT
// What a system wants before a call, one after the other: an access token, a session, a CSRF
// token. Each is asked for with those before it. Comes before call_run, which asks for it.
#include "auth_session.h"

#include "auth_link.h"

// The first `count` links of a row, as a call sees them.
struct part {
    struct row *row;
    guint count;
};

struct row {
    struct flow_engine *engine;
    const struct config_system *system;
    GPtrArray *links;               // of struct auth_link, in the order in which they are asked for
    struct part *parts;             // parts[n]: the first n links
    GPtrArray *waiters;             // of struct waiter: each is with one of the links
    uint64_t logins;                // so far, of all links
    const struct auth_link *failed; // the one that the last waiter failed at
    bool safe_without_last;         // calls that only read do without the last one: csrf
    struct round *leaving;          // its configuration goes once nothing is under way; or NULL
};

struct waiter {
    struct part *part;
    struct call_session_asker asker;
    guint index;  // of the link that it waits for
    guint rounds; // how often it began anew
    void (*done)(bool ok, void *context);
    void *context;
};

static void walk(struct waiter *waiter);

static void finish(struct waiter *waiter, bool ok)
{
    void (*done)(bool ok, void *context) = waiter->done;
    void *context = waiter->context;
    g_ptr_array_remove_fast(waiter->part->row->waiters, waiter);
    done(ok, context);
}

static void on_link(bool ok, void *context)
{
    struct waiter *waiter = context;
    struct row *row = waiter->part->row;
    if (!ok) {
        row->failed = row->links->pdata[waiter->index];
        finish(waiter, false);
        return;
    }
    // one of those before it may have ended meanwhile
    waiter->index = waiter->rounds++ < row->links->len ? 0 : waiter->index + 1;
    walk(waiter);
}

static void walk(struct waiter *waiter)
{
    const GPtrArray *links = waiter->part->row->links;
    while (waiter->index < waiter->part->count && auth_link_is_usable(links->pdata[waiter->index]))
        waiter->index++;
    if (waiter->index == waiter->part->count)
        finish(waiter, true);
    else
        auth_link_ensure(links->pdata[waiter->index], &waiter->asker, on_link, waiter);
}

static void ensure(void *self, const struct call_session_asker *asker,
                   void (*done)(bool ok, void *context), void *context)
{
    struct part *part = self;
    struct waiter *waiter = g_new0(struct waiter, 1);
    *waiter = (struct waiter){.part = part, .asker = *asker, .done = done, .context = context};
    g_ptr_array_add(part->row->waiters, waiter);
    walk(waiter);
}

static struct waiter *find_waiter(const struct row *row, const void *context)
{
    for (guint i = 0; i < row->waiters->len; i++) {
        struct waiter *waiter = row->waiters->pdata[i];
        if (waiter->context == context)
            return waiter;
    }
    return NULL;
}

static void withdraw(void *self, void *context)
{
    struct row *row = ((struct part *)self)->row;
    struct waiter *waiter = find_waiter(row, context);
    if (!waiter)
        return;
    auth_link_withdraw(row->links->pdata[waiter->index], waiter);
    g_ptr_array_remove_fast(row->waiters, waiter);
}

static struct step_result *overdue(const void *self, const void *context)
{
    const struct row *row = ((const struct part *)self)->row;
    const struct waiter *waiter = find_waiter(row, context);
    return waiter ? auth_link_overdue(row->links->pdata[waiter->index]) : NULL;
}

// The later one's cookies first: it was asked for with those of the ones before it.
static bool apply(void *self, struct transfer_request *request, GString *cookies, uint64_t *stamp,
                  GError **error)
{
    const struct part *part = self;
    for (guint i = 0; i < part->count; i++) {
        if (!auth_link_apply(part->row->links->pdata[i], request, error))
            return false;
    }
    for (guint i = part->count; i > 0; i--)
        auth_link_add_cookies(part->row->links->pdata[i - 1], request->url, cookies);
    *stamp = part->row->logins;
    return true;
}

// Those behind the one that has ended stand on it.
static bool is_expired(void *self, const struct transfer_response *response, uint64_t stamp,
                       bool replayed)
{
    const struct part *part = self;
    const GPtrArray *links = part->row->links;
    for (guint i = 0; i < part->count; i++) {
        if (!auth_link_is_expired(links->pdata[i], response, stamp, replayed))
            continue;
        for (guint k = i + 1; k < links->len; k++)
            auth_link_drop(links->pdata[k]);
        return true;
    }
    return false;
}

static struct step_result *failure(const void *self)
{
    return auth_link_failure(((const struct part *)self)->row->failed);
}

static void add_values(const void *self, struct values *values)
{
    const struct part *part = self;
    for (guint i = 0; i < part->count; i++)
        auth_link_add_values(part->row->links->pdata[i], values);
}

static const struct call_session hooks = {
    .ensure = ensure,
    .withdraw = withdraw,
    .apply = apply,
    .is_expired = is_expired,
    .failure = failure,
    .overdue = overdue,
    .add_values = add_values,
};

/* Rows. */

static void free_link(void *link)
{
    auth_link_free(link);
}

// Something that is over when the last one who takes part has left.
struct round {
    void (*done)(void *context);
    void *context;
};

static struct round *round_new(void (*done)(void *context), void *context)
{
    struct round *round = g_rc_box_new(struct round);
    *round = (struct round){done, context};
    return round;
}

static void end_round(void *data)
{
    const struct round *round = data;
    round->done(round->context);
}

static void leave_round(void *round)
{
    g_rc_box_release_full(round, end_round);
}

static void row_free(void *data)
{
    struct row *row = data;
    struct round *leaving = row->leaving;
    g_ptr_array_unref(row->links);
    g_ptr_array_unref(row->waiters);
    g_free(row->parts);
    g_free(row);
    if (leaving)
        leave_round(leaving);
}

static bool is_busy(const struct row *row)
{
    for (guint i = 0; i < row->links->len; i++) {
        if (auth_link_is_busy(row->links->pdata[i]))
            return true;
    }
    return false;
}

static void on_idle(void *context)
{
    const struct row *row = context;
    if (row->leaving && !is_busy(row))
        g_hash_table_remove(row->engine->sessions, row->system);
}

static void add_secrets(gpointer system, gpointer data, gpointer redact)
{
    const struct row *row = data;
    (void)system;
    for (guint i = 0; i < row->links->len; i++)
        auth_link_redact(row->links->pdata[i], redact);
}

// Makes the set of secrets anew, without those that were dropped.
static void on_forgot(void *context)
{
    struct flow_engine *engine = ((struct row *)context)->engine;
    flow_engine_reset_redact(engine);
    g_hash_table_foreach(engine->sessions, add_secrets, engine->redact);
}

static void add_link(struct row *row, const struct config_system *system,
                     const struct config_auth *auth)
{
    guint index = row->links->len;
    const struct auth_link_input input = {
        .engine = row->engine,
        .system = system,
        .auth = auth,
        .hooks = &hooks,
        .before = index > 0 ? &row->parts[index] : NULL,
        .upto = &row->parts[index + 1],
        .count = &row->logins,
        .idle = on_idle,
        .forgot = on_forgot,
        .row = row,
    };
    g_ptr_array_add(row->links, auth_link_new(&input));
    row->safe_without_last = auth->kind == CONFIG_AUTH_CSRF;
}

static bool is_asked_for(const struct config_auth *auth)
{
    return auth->session != NULL;
}

// NULL where the system wants nothing before a call.
static struct row *row_new(struct flow_engine *engine, const struct config_system *system)
{
    guint count = 0;
    for (guint i = 0; i < system->auth->len; i++)
        count += is_asked_for(system->auth->pdata[i]);
    if (count == 0)
        return NULL;
    struct row *row = g_new0(struct row, 1);
    row->engine = engine;
    row->system = system;
    row->links = g_ptr_array_new_with_free_func(free_link);
    row->waiters = g_ptr_array_new_with_free_func(g_free);
    row->parts = g_new0(struct part, count + 1);
    for (guint i = 0; i <= count; i++)
        row->parts[i] = (struct part){row, i};
    for (guint i = 0; i < system->auth->len; i++) {
        if (is_asked_for(system->auth->pdata[i]))
            add_link(row, system, system->auth->pdata[i]);
    }
    return row;
}

static struct row *find_row(struct flow_engine *engine, const struct config_system *system)
{
    if (!engine->sessions)
        engine->sessions = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, row_free);
    struct row *row = g_hash_table_lookup(engine->sessions, system);
    if (!row) {
        row = row_new(engine, system);
        if (row)
            g_hash_table_insert(engine->sessions, (gpointer)(uintptr_t)system, row);
    }
    return row;
}

void auth_session_attach(struct call_run_input *input)
{
    struct row *row = find_row(input->engine, input->system);
    guint count = row ? row->links->len : 0;
    if (row && row->safe_without_last && call_is_safe(input->call))
        count--;
    input->session = count > 0 ? &hooks : NULL;
    input->session_self = count > 0 ? &row->parts[count] : NULL;
}

void auth_session_logout_all(struct flow_engine *engine, void (*done)(void *), void *context)
{
    struct round *round = round_new(done, context);
    g_autoptr(GList) rows = engine->sessions ? g_hash_table_get_values(engine->sessions) : NULL;
    for (GList *item = rows; item; item = item->next) {
        const GPtrArray *links = ((struct row *)item->data)->links;
        for (guint i = 0; i < links->len; i++)
            auth_link_end(links->pdata[i], leave_round, g_rc_box_acquire(round));
    }
    leave_round(round);
}

static bool belongs_to(const struct row *row, const struct config *config)
{
    return g_hash_table_lookup(config->systems, row->system->id) == row->system;
}

static void forget(struct row *row, struct round *round)
{
    for (guint i = 0; i < row->links->len; i++)
        auth_link_abandon(row->links->pdata[i]);
    row->leaving = g_rc_box_acquire(round); // not before: on_idle may free the row
    on_idle(row);
}

void auth_session_forget(struct flow_engine *engine, const struct config *config,
                         void (*done)(void *context), void *context)
{
    struct round *round = round_new(done, context);
    g_autoptr(GList) rows = engine->sessions ? g_hash_table_get_values(engine->sessions) : NULL;
    for (GList *item = rows; item; item = item->next) {
        struct row *row = item->data;
        if (!row->leaving && belongs_to(row, config))
            forget(row, round);
    }
    leave_round(round);
}

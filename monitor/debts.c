// SPDX-License-Identifier: MIT
// A round of paying: claim and list in the writer's thread, pay on the loop, list
// again until nothing is due.
#include "debts.h"

#include "../base/log.h"
#include "../probes/flow_pay.h"

#include <string.h>

#define DEBTS_AT_ONCE 50

struct debts {
    struct runtime *runtime;
    GHashTable *held;      // set of char *: systems with claimed debts not yet tried
    GHashTable *inherited; // set of char *: systems whose debts were claimed, not asked for yet
    bool busy, stopped;
    bool listing; // what is due is not known yet
    bool listed;  // it was known once
    bool claimed; // debts of dead owners, in this round
    void (*idle)(void *context);
    void *context;
    void *(*hold)(void *context);
    void (*release)(void *held, void *context);
    void *hold_context;
};

// One listing, made in the writer's thread.
struct listing {
    struct debts *debts;
    GPtrArray *dead; // owners
    GPtrArray *due;  // of struct flow_debt
    int64_t claimed;
};

// The debts of one system, one after the other: another system that hangs delays
// none of them.
struct chain {
    struct listing *listing;
    const char *system; // borrowed from a debt
    guint next;         // of listing->due
    void *held_config;  // of the payment in flight
};

static void list(struct debts *debts);

struct debts *debts_new(struct runtime *runtime)
{
    struct debts *debts = g_new0(struct debts, 1);
    debts->runtime = runtime;
    debts->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    debts->inherited = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return debts;
}

// Who is dead is asked within the transaction: whoever begins to live meanwhile commits no debt
// before it has ended.
static bool list_due(struct db *db, void *context, GError **error)
{
    struct listing *listing = context;
    const struct store *store = listing->debts->runtime->store;
    const char *owner = store_owner(store);
    struct clock_wall now = clock_wall_now();
    g_clear_pointer(&listing->due, g_ptr_array_unref);
    g_clear_pointer(&listing->dead, g_ptr_array_unref);
    listing->dead = store_dead_owners(store);
    if (listing->dead->len > 0 &&
        !ledger_claim(db, listing->dead, owner, now, &listing->claimed, error))
        return false;
    listing->due = ledger_due(db, owner, now, DEBTS_AT_ONCE, error);
    return listing->due != NULL;
}

static void clear_listing(struct listing *listing)
{
    if (listing->dead)
        g_ptr_array_unref(listing->dead);
    if (listing->due)
        g_ptr_array_unref(listing->due);
}

static void end(struct debts *debts)
{
    debts->busy = debts->claimed = false;
    g_hash_table_remove_all(debts->held);
    if (debts->idle)
        debts->idle(debts->context);
}

static bool is_over(const struct debts *debts)
{
    return debts->stopped || debts->runtime->engine->cut;
}

// The last one who held the listing, a chain or whoever started them, has left it.
static void end_listing(void *data)
{
    struct listing *listing = data;
    struct debts *debts = listing->debts;
    bool more = listing->due && listing->due->len == DEBTS_AT_ONCE && !is_over(debts);
    clear_listing(listing);
    if (more)
        list(debts);
    else
        end(debts);
}

static void leave_listing(struct listing *listing)
{
    g_rc_box_release_full(listing, end_listing);
}

static void pay_next(struct chain *chain);

static void on_paid(struct flow_debt *debt, void *context)
{
    struct chain *chain = context;
    struct debts *debts = chain->listing->debts;
    flow_gate_end_run(debts->runtime->engine->gate, debt->run);
    if (debts->release)
        debts->release(g_steal_pointer(&chain->held_config), debts->hold_context);
    if (undo_state_is_settled(debt->state))
        log_info("undo of \"%s\" (flow %s, run %s): %s", debt->step, debt->flow, debt->run,
                 debt->state);
    else
        log_warning("undo of \"%s\" (flow %s, run %s): %s, %s", debt->step, debt->flow, debt->run,
                    debt->state, debt->problem ? debt->problem : "no reason given");
    pay_next(chain);
}

static void pay_next(struct chain *chain)
{
    struct listing *listing = chain->listing;
    struct debts *debts = listing->debts;
    while (chain->next < listing->due->len && !is_over(debts)) {
        struct flow_debt *debt = listing->due->pdata[chain->next++];
        if (strcmp(debt->system, chain->system) != 0)
            continue;
        if (debts->hold)
            chain->held_config = debts->hold(debts->hold_context);
        struct flow_engine *engine = debts->runtime->engine;
        flow_debt_pay(engine, engine->config, debt, on_paid, chain);
        return;
    }
    // each was tried: the system's flows need not wait any more
    g_hash_table_remove(debts->held, chain->system);
    g_free(chain);
    leave_listing(listing);
}

static void start_chains(struct listing *listing)
{
    g_autoptr(GHashTable) systems = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < listing->due->len; i++) {
        const struct flow_debt *debt = listing->due->pdata[i];
        if (!g_hash_table_add(systems, debt->system))
            continue;
        struct chain *chain = g_new(struct chain, 1);
        *chain =
            (struct chain){.listing = g_rc_box_acquire(listing), .system = debt->system, .next = i};
        pay_next(chain);
    }
    leave_listing(listing);
}

static void on_listed(const GError *error, void *context)
{
    struct listing *listing = context;
    struct debts *debts = listing->debts;
    debts->listing = false;
    debts->listed = true;
    if (error) {
        log_error("the ledger cannot be read: %s", error->message);
        leave_listing(listing);
        return;
    }
    for (guint i = 0; i < listing->dead->len; i++)
        store_forget_owner(debts->runtime->store, listing->dead->pdata[i]);
    debts->claimed |= listing->claimed > 0;
    for (guint i = 0; debts->claimed && i < listing->due->len; i++) {
        const struct flow_debt *debt = listing->due->pdata[i];
        g_hash_table_add(debts->inherited, g_strdup(debt->system));
        if (listing->claimed > 0)
            g_hash_table_add(debts->held, g_strdup(debt->system));
    }
    start_chains(listing);
}

static void list(struct debts *debts)
{
    struct listing *listing = g_rc_box_new0(struct listing);
    listing->debts = debts;
    const struct writer_job job = {
        .work = list_due, .done = on_listed, .context = listing, .frees = true};
    writer_submit(debts->runtime->writer, &job);
}

void debts_hold_config(struct debts *debts, void *(*hold)(void *context),
                       void (*release)(void *held, void *context), void *context)
{
    debts->hold = hold;
    debts->release = release;
    debts->hold_context = context;
}

void debts_pay(struct debts *debts, void (*idle)(void *context), void *context)
{
    if (debts->busy)
        return;
    debts->busy = debts->listing = true;
    debts->idle = idle;
    debts->context = context;
    list(debts);
}

bool debts_are_held(const struct debts *debts, const char *system)
{
    return g_hash_table_contains(debts->held, system);
}

bool debts_hold_back(const struct debts *debts, const struct config_flow *flow)
{
    for (guint i = 0; i < flow->steps->len; i++) {
        const struct step *step = flow->steps->pdata[i];
        if (step->undo &&
            (!debts->listed || debts_are_held(debts, config_step_system(flow, step)->id)))
            return true;
    }
    return false;
}

bool debts_are_inherited(const struct debts *debts)
{
    g_autoptr(GPtrArray) dead = store_dead_owners(debts->runtime->store);
    return dead->len > 0;
}

GPtrArray *debts_take_inherited(struct debts *debts)
{
    GPtrArray *systems = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iterator;
    gpointer system;
    g_hash_table_iter_init(&iterator, debts->inherited);
    while (g_hash_table_iter_next(&iterator, &system, NULL)) {
        g_ptr_array_add(systems, system);
        g_hash_table_iter_steal(&iterator);
    }
    return systems;
}

bool debts_are_listing(const struct debts *debts)
{
    return debts->listing;
}

void debts_stop(struct debts *debts)
{
    debts->stopped = true;
}

bool debts_are_busy(const struct debts *debts)
{
    return debts->busy;
}

void debts_free(struct debts *debts)
{
    if (!debts)
        return;
    g_hash_table_unref(debts->held);
    g_hash_table_unref(debts->inherited);
    g_free(debts);
}

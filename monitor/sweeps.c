// SPDX-License-Identifier: MIT
// When the agent's sweeps run. There are few of them, so a look at each once a second is
// all that is needed. sweep_job does the rest.
#include "sweeps.h"

#include "../base/ids.h"
#include "../base/log.h"
#include "schedule.h"
#include "sweep_job.h"

#include <string.h>

// A record is old enough once it is older than `older`: a moment later.
#define RIPE_US (INT64_C(1) * G_USEC_PER_SEC)

struct agent_sweep {
    struct sweeps *all;
    char *id;
    const struct config_sweep *sweep; // of the present configuration; NULL: removed
    struct clock_wall due;            // us -1: never by itself
    struct clock_wall last;           // when it began last; us 0: never
    bool running;
    bool failing;
};

struct sweep_in_flight {
    struct agent_sweep *owner;
    struct agent_generation *generation;
    const struct config_sweep *sweep;
};

struct sweeps {
    struct sweeps_context context;
    GHashTable *sweeps; // id -> struct agent_sweep
    unsigned running;
    bool stopping;
};

static void free_sweep(struct agent_sweep *sweep)
{
    g_free(sweep->id);
    g_free(sweep);
}

struct sweeps *sweeps_new(const struct sweeps_context *context)
{
    struct sweeps *all = g_new0(struct sweeps, 1);
    all->context = *context;
    all->sweeps = g_hash_table_new(g_str_hash, g_str_equal);
    return all;
}

unsigned sweeps_running(const struct sweeps *all)
{
    return all->running;
}

static bool is_scheduled(const struct agent_sweep *sweep)
{
    return sweep->sweep && !sweep->sweep->off && (sweep->sweep->every_ms > 0 || sweep->sweep->cron);
}

static void schedule(struct agent_sweep *sweep)
{
    const char *zone = agent_flows_config(sweep->all->context.flows)->agent.timezone;
    sweep->due = (struct clock_wall){-1};
    if (is_scheduled(sweep))
        sweep->due = schedule_next_of(ids_number(sweep->id), sweep->sweep->every_ms,
                                      sweep->sweep->cron, clock_wall_now(), zone);
}

// Due at `at`, unless it is due before that anyway.
static void bring_forward(struct agent_sweep *sweep, struct clock_wall at)
{
    if (is_scheduled(sweep) && (sweep->due.us < 0 || at.us < sweep->due.us))
        sweep->due = at;
}

static void log_result(struct agent_sweep *sweep, const cJSON *json)
{
    const char *state = json_text(json, "state"), *summary = json_text(json, "summary");
    bool failing = strcmp(state, "ok") != 0;
    if (failing && !sweep->failing)
        log_warning("sweep %s: %s", sweep->id, summary);
    else if (json_integer(json, "deleted", 0) > 0 || sweep->failing)
        log_info("sweep %s: %s", sweep->id, summary);
    else
        log_debug("sweep %s: %s", sweep->id, summary);
    sweep->failing = failing;
}

static void on_done(const struct sweep_result *result, const cJSON *json, bool notices,
                    void *context)
{
    struct sweep_in_flight *run = context;
    struct agent_sweep *sweep = run->owner;
    struct sweeps *all = sweep->all;
    struct clock_wall ripe = sweep_ripe(result, run->sweep->older_ms);
    log_result(sweep, json);
    sweep->running = false;
    all->running--;
    if (!sweep->sweep) {
        free_sweep(sweep);
    } else {
        schedule(sweep);
        if (ripe.us)
            bring_forward(sweep, (struct clock_wall){ripe.us + RIPE_US});
    }
    agent_flows_release(all->context.flows, run->generation);
    g_free(run);
    if (notices)
        all->context.told(all->context.context);
    if (all->stopping && all->running == 0)
        all->context.idle(all->context.context);
}

// What dead processes owe at the system is tried first: it needs no sweep.
static bool is_held_back(const struct agent_sweep *sweep)
{
    const struct sweeps_context *context = &sweep->all->context;
    return writer_problem(context->runtime->writer) || !writer_has_room(context->runtime->writer) ||
           debts_are_listing(context->debts) ||
           debts_are_held(context->debts, sweep->sweep->system->id);
}

static void start(struct agent_sweep *sweep)
{
    const struct sweeps_context *context = &sweep->all->context;
    struct sweep_in_flight *run = g_new(struct sweep_in_flight, 1);
    struct clock_wall now = clock_wall_now();
    *run = (struct sweep_in_flight){sweep, agent_flows_hold(context->flows), sweep->sweep};
    const struct config *config = agent_flows_held_config(run->generation);
    sweep->running = true;
    sweep->all->running++;
    if (sweep_job_start(context->runtime, config, sweep->sweep, false, on_done, run)) {
        sweep->last = now;
        return;
    }
    sweep->running = false; // another one of this system runs: the next tick asks again
    sweep->all->running--;
    agent_flows_release(context->flows, run->generation);
    g_free(run);
}

// Systems at which dead processes owed something are searched once.
static void note_inherited(struct sweeps *all)
{
    g_autoptr(GPtrArray) systems = debts_take_inherited(all->context.debts);
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, all->sweeps);
    while (systems->len > 0 && g_hash_table_iter_next(&iterator, NULL, &value)) {
        struct agent_sweep *sweep = value;
        if (g_ptr_array_find_with_equal_func(systems, sweep->sweep->system->id, g_str_equal, NULL))
            bring_forward(sweep, clock_wall_now());
    }
}

static int compare_due(const void *left, const void *right)
{
    const struct agent_sweep *one = left, *other = right;
    return one->due.us < other->due.us ? -1 : one->due.us > other->due.us;
}

void sweeps_tick(struct sweeps *all)
{
    struct clock_wall now = clock_wall_now();
    if (all->stopping)
        return;
    note_inherited(all);
    // who waits longest goes first: none keeps the others of its system from their turn
    g_autoptr(GList) sweeps = g_list_sort(g_hash_table_get_values(all->sweeps), compare_due);
    for (GList *link = sweeps; link; link = link->next) {
        struct agent_sweep *sweep = link->data;
        bool due = sweep->due.us >= 0 && sweep->due.us <= now.us;
        if (due && !sweep->running && !is_held_back(sweep))
            start(sweep);
    }
}

void sweeps_note_lost(struct sweeps *all, GHashTable *lost)
{
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, all->sweeps);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        struct agent_sweep *sweep = value;
        const int64_t *at = g_hash_table_lookup(lost, sweep->sweep->system->id);
        if (at && *at > sweep->last.us && !sweep->running)
            bring_forward(sweep, clock_wall_now());
    }
}

static struct agent_sweep *take_or_make(struct sweeps *all, const struct config_sweep *sweep,
                                        GHashTable *last)
{
    struct agent_sweep *state = g_hash_table_lookup(all->sweeps, sweep->id);
    const int64_t *began = last ? g_hash_table_lookup(last, sweep->id) : NULL;
    if (state) {
        g_hash_table_remove(all->sweeps, state->id);
        return state;
    }
    state = g_new0(struct agent_sweep, 1);
    state->all = all;
    state->id = g_strdup(sweep->id);
    state->due.us = -1;
    state->last.us = began ? *began : 0;
    return state;
}

static void drop(struct agent_sweep *sweep)
{
    sweep->sweep = NULL;
    if (!sweep->running)
        free_sweep(sweep);
}

void sweeps_configure(struct sweeps *all, GHashTable *last)
{
    const struct config *config = agent_flows_config(all->context.flows);
    GHashTable *kept = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < config->sweeps->len; i++) {
        struct agent_sweep *sweep = take_or_make(all, config->sweeps->pdata[i], last);
        struct clock_wall former = sweep->due;
        sweep->sweep = config->sweeps->pdata[i];
        schedule(sweep);
        if (former.us >= 0)
            bring_forward(sweep, former);
        g_hash_table_insert(kept, sweep->id, sweep);
    }
    g_autoptr(GList) gone = g_hash_table_get_values(all->sweeps);
    for (GList *link = gone; link; link = link->next)
        drop(link->data);
    g_hash_table_unref(all->sweeps);
    all->sweeps = kept;
}

void sweeps_stop(struct sweeps *all)
{
    all->stopping = true;
}

void sweeps_free(struct sweeps *all)
{
    if (!all)
        return;
    g_autoptr(GList) sweeps = g_hash_table_get_values(all->sweeps);
    for (GList *link = sweeps; link; link = link->next)
        free_sweep(link->data);
    g_hash_table_unref(all->sweeps);
    g_free(all);
}

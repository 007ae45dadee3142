// SPDX-License-Identifier: MIT
// Decides for each call whether its system may be called. Where a system has never refused
// us there is no entry, and a question costs one look into a table. Between call_run, which
// asks, and the arithmetic in backoff.c; what it knows is kept by the keeper.
#include "flow_gate.h"

#include <string.h>

struct waiter {
    struct flow_gate_asker asker; // of a call in flight: its texts outlive the waiting
    flow_gate_leave answer;
    void *context;
};

struct entry {
    struct backoff *state;
    char *probe;        // the run that tries the system, or was let through within the span
    bool works;         // a call of that run was taken: everybody may pass
    char *forgiven;     // the run that was only forbidden something: it may still undo
    GPtrArray *waiting; // of struct waiter
};

struct flow_gate {
    GHashTable *entries; // system -> struct entry
    struct flow_gate_keeper keeper;
    bool open;
};

static void free_entry(void *data)
{
    struct entry *entry = data;
    backoff_free(entry->state);
    g_free(entry->probe);
    g_free(entry->forgiven);
    g_ptr_array_unref(entry->waiting);
    g_free(entry);
}

static struct entry *entry_new(struct backoff *state)
{
    struct entry *entry = g_new0(struct entry, 1);
    entry->state = state;
    entry->waiting = g_ptr_array_new_with_free_func(g_free);
    return entry;
}

struct flow_gate *flow_gate_new(void)
{
    struct flow_gate *gate = g_new0(struct flow_gate, 1);
    gate->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entry);
    return gate;
}

void flow_gate_keep(struct flow_gate *gate, const struct flow_gate_keeper *keeper)
{
    gate->keeper = *keeper;
}

void flow_gate_free(struct flow_gate *gate)
{
    if (!gate)
        return;
    g_hash_table_unref(gate->entries);
    g_free(gate);
}

void flow_gate_open(struct flow_gate *gate)
{
    gate->open = true;
}

static void save(struct flow_gate *gate, const char *system, const struct backoff *state)
{
    if (gate->keeper.save)
        gate->keeper.save(gate->keeper.self, system, state);
}

static void set_run(char **place, const char *run)
{
    g_free(*place);
    *place = g_strdup(run);
}

static bool is_probe(const struct entry *entry, const char *run)
{
    return entry->probe && g_strcmp0(entry->probe, run) == 0;
}

static bool is_forgiven(const struct entry *entry, const char *run)
{
    return entry->forgiven && g_strcmp0(entry->forgiven, run) == 0;
}

enum leave { LEAVE_GRANTED, LEAVE_REFUSED, LEAVE_LATER };

// A run of the flow that was refused confirms it.
static bool confirms(const struct entry *entry, const struct flow_gate_asker *asker)
{
    return asker->flow && entry->state->allowed > 0 &&
           g_strcmp0(entry->state->flow, asker->flow) == 0;
}

static enum leave decide(const struct flow_gate *gate, const struct entry *entry,
                         const struct flow_gate_asker *asker)
{
    if (gate->open || !entry || entry->works || is_probe(entry, asker->run) ||
        is_forgiven(entry, asker->run) ||
        g_strcmp0(entry->state->digest, asker->system->digest) != 0)
        return LEAVE_GRANTED;
    if (backoff_holds(entry->state, clock_wall_now()))
        return confirms(entry, asker) ? LEAVE_GRANTED : LEAVE_REFUSED;
    return entry->probe && entry->state->level > 0 ? LEAVE_LATER : LEAVE_GRANTED;
}

// Leave was granted: this run is the one that tries the system, or confirms.
static void note_probe(struct flow_gate *gate, struct entry *entry,
                       const struct flow_gate_asker *asker)
{
    if (gate->open || !entry || entry->works || is_probe(entry, asker->run) ||
        is_forgiven(entry, asker->run))
        return;
    if (backoff_holds(entry->state, clock_wall_now()) && confirms(entry, asker)) {
        entry->state->allowed--;
        save(gate, asker->system->id, entry->state);
    }
    set_run(&entry->probe, asker->run);
}

void flow_gate_ask(struct flow_gate *gate, const struct flow_gate_asker *asker,
                   flow_gate_leave answer, void *context)
{
    struct entry *entry = g_hash_table_lookup(gate->entries, asker->system->id);
    enum leave leave = decide(gate, entry, asker);
    if (leave == LEAVE_LATER) {
        struct waiter *waiter = g_new(struct waiter, 1);
        *waiter = (struct waiter){*asker, answer, context};
        g_ptr_array_add(entry->waiting, waiter);
        return;
    }
    if (leave == LEAVE_GRANTED)
        note_probe(gate, entry, asker);
    answer(leave == LEAVE_GRANTED, context);
}

void flow_gate_withdraw(struct flow_gate *gate, const char *system, const void *context)
{
    struct entry *entry = g_hash_table_lookup(gate->entries, system);
    for (guint i = entry ? entry->waiting->len : 0; i > 0; i--)
        if (((const struct waiter *)entry->waiting->pdata[i - 1])->context == context)
            g_ptr_array_remove_index(entry->waiting, i - 1);
}

// Who waits asks anew: the first may become the next that tries.
static void wake(struct flow_gate *gate, struct entry *entry)
{
    g_autoptr(GPtrArray) waiting = entry->waiting;
    entry->waiting = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < waiting->len; i++) {
        const struct waiter *waiter = waiting->pdata[i];
        flow_gate_ask(gate, &waiter->asker, waiter->answer, waiter->context);
    }
}

static char *local_time(struct clock_wall time, const char *zone_name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time.us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) local = zone ? g_date_time_to_timezone(utc, zone) : NULL;
    return g_date_time_format(local ? local : utc, "%Y-%m-%d %H:%M:%S");
}

char *flow_gate_refusal(struct flow_gate *gate, const struct flow_gate_asker *asker,
                        struct clock_wall *until)
{
    const struct entry *entry = g_hash_table_lookup(gate->entries, asker->system->id);
    if (decide(gate, entry, asker) != LEAVE_REFUSED)
        return NULL;
    if (until)
        *until = entry->state->until;
    g_autofree char *time = local_time(entry->state->until, asker->timezone);
    return g_strdup_printf("%s is left alone until %s after %s: nothing was sent (erpwatch check "
                           "--now tries at once)",
                           asker->system->id, time, entry->state->why);
}

static void hear_refusal(struct flow_gate *gate, const struct flow_gate_answer *answer)
{
    const struct flow_gate_asker *asker = answer->asker;
    const struct config_system *system = asker->system;
    struct entry *entry = g_hash_table_lookup(gate->entries, system->id);
    bool changed = entry && g_strcmp0(entry->state->digest, system->digest) != 0;
    if (!entry) {
        entry = entry_new(backoff_new());
        g_hash_table_insert(gate->entries, g_strdup(system->id), entry);
    } else if (changed) {
        backoff_free(entry->state);
        entry->state = backoff_new();
    }
    g_autoptr(backoff_t) former = backoff_copy(entry->state);
    const struct backoff_refusal refusal = {
        .now = clock_wall_now(),
        .sent = answer->sent,
        .after_ms = answer->refused ? system->backoff_after_ms : 0,
        .up_to_ms = system->backoff_up_to_ms,
        .retry_after_ms = answer->retry_after_ms,
        .flow = asker->flow,
        .confirming = answer->confirming,
        .why = answer->why,
        .digest = system->digest,
    };
    backoff_refuse(entry->state, &refusal);
    entry->works = false;
    set_run(&entry->probe, NULL);
    set_run(&entry->forgiven, answer->forbidden ? asker->run : NULL);
    if (!backoff_equals(former, entry->state))
        save(gate, system->id, entry->state);
    wake(gate, entry);
}

// The system took a call that was sent after it had refused one.
static void hear_success(struct flow_gate *gate, const struct flow_gate_answer *answer)
{
    const struct flow_gate_asker *asker = answer->asker;
    struct entry *entry = g_hash_table_lookup(gate->entries, asker->system->id);
    if (!entry || entry->works || is_forgiven(entry, asker->run) ||
        answer->sent.us <= entry->state->since.us)
        return;
    entry->works = true;
    set_run(&entry->probe, asker->run);
    wake(gate, entry);
}

void flow_gate_hear(struct flow_gate *gate, const struct flow_gate_answer *answer)
{
    bool refused = answer->refused && answer->asker->system->backoff_after_ms > 0;
    if (refused || answer->retry_after_ms > 0)
        hear_refusal(gate, answer);
    else if (answer->taken)
        hear_success(gate, answer);
}

// One that was taken to its end has told that all is well again; one that got no answer has
// told nothing: the next one tries.
void flow_gate_end_run(struct flow_gate *gate, const char *run)
{
    GHashTableIter iterator;
    gpointer system, value;
    g_autoptr(GPtrArray) over = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iterator, gate->entries);
    while (g_hash_table_iter_next(&iterator, &system, &value))
        if (is_probe(value, run) || is_forgiven(value, run))
            g_ptr_array_add(over, g_strdup(system));
    for (guint i = 0; i < over->len; i++) {
        struct entry *entry = g_hash_table_lookup(gate->entries, over->pdata[i]);
        if (entry && is_forgiven(entry, run))
            set_run(&entry->forgiven, NULL);
        if (!entry || !is_probe(entry, run))
            continue; // by now another one
        if (entry->works) {
            save(gate, over->pdata[i], NULL);
            g_hash_table_remove(gate->entries, over->pdata[i]);
        } else {
            set_run(&entry->probe, NULL);
            wake(gate, entry);
        }
    }
}

static GPtrArray *changed_entries(struct flow_gate *gate, GHashTable *states)
{
    GHashTableIter iterator;
    gpointer system, value;
    GPtrArray *changed = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iterator, gate->entries);
    while (g_hash_table_iter_next(&iterator, &system, &value)) {
        const struct backoff *state = g_hash_table_lookup(states, system);
        if (!state || !backoff_equals(state, ((const struct entry *)value)->state))
            g_ptr_array_add(changed, g_strdup(system));
    }
    return changed;
}

// Another process was refused, or was taken: who tries here has nothing to tell any more.
static void change_entry(struct flow_gate *gate, const char *system, const struct backoff *state)
{
    struct entry *entry = g_hash_table_lookup(gate->entries, system);
    if (!entry)
        return;
    backoff_free(entry->state);
    entry->state = state ? backoff_copy(state) : backoff_new();
    entry->works = !state;
    set_run(&entry->probe, NULL);
    wake(gate, entry);
}

void flow_gate_learn(struct flow_gate *gate, GHashTable *states)
{
    GHashTableIter iterator;
    gpointer system, state;
    g_autoptr(GPtrArray) changed = changed_entries(gate, states);
    for (guint i = 0; i < changed->len; i++) {
        state = g_hash_table_lookup(states, changed->pdata[i]);
        change_entry(gate, changed->pdata[i], state);
        if (!state)
            g_hash_table_remove(gate->entries, changed->pdata[i]);
    }
    g_hash_table_iter_init(&iterator, states);
    while (g_hash_table_iter_next(&iterator, &system, &state))
        if (!g_hash_table_contains(gate->entries, system))
            g_hash_table_insert(gate->entries, g_strdup(system), entry_new(backoff_copy(state)));
}

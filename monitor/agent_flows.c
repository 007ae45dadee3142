// SPDX-License-Identifier: MIT
// One heap of due times, one timer. A due flow starts unless something holds it
// back; its result goes to the watch, which says when a confirming run is due.
#include "agent_flows.h"

#include "../base/heap.h"
#include "../base/log.h"
#include "../probes/auth_session.h"
#include "../probes/flow_run.h"
#include "config_work.h"
#include "online.h"
#include "starts.h"
#include "watch.h"

#include <string.h>

// A start that is held back (queue full, debts first, run elsewhere) is tried again.
#define HELD_BACK_US (INT64_C(250) * 1000)

// The timer looks at the wall clock at least this often.
#define LONGEST_WAIT_US (INT64_C(60) * G_USEC_PER_SEC)

#define SPREAD_AT_MOST_US (INT64_C(60) * G_USEC_PER_SEC)

// Starts of one such span go together, at its end: to wake up for each alone, and for each
// answer, costs more than the work.
#define TOGETHER_US (INT64_C(25) * 1000)

// More starts that are due wait for the next turn of the loop: those before them go on first.
#define STARTS_A_TURN 64

// To keep what a good run answered costs as much as three runs: of many flows that are new, or
// whose last one is too old, only so many in a second.
#define KEPT_A_SECOND 10

// A configuration with the runs that began under it.
struct agent_generation {
    struct config *config;
    unsigned users; // runs in flight, and jobs
    bool current;
};

struct agent_flow {
    struct heap_node node; // due, in wall-clock microseconds
    struct agent_flows *all;
    char *id;
    const struct config_flow *flow; // of the present configuration; NULL: removed
    struct starts starts;           // what the next run is due for (node.at may be later)
    enum incident_kind kind;        // where it stood after its last run
    bool unknown;                   // that one could not tell
    bool wants_json;                // the watch wants all of the next good run
    bool running;
};

// A run in flight, and its result on the way to the watch.
struct agent_run {
    struct agent_flow *owner;
    struct agent_generation *generation;
    const struct config_flow *flow;
    struct run_result *result; // while it is asked whether it is us
    struct redact *redact;     // likewise
};

struct agent_flows {
    struct agent_flows_context context;
    struct agent_generation *generation;
    GHashTable *flows; // id -> struct agent_flow
    struct heap *due;
    struct online *online;
    uv_timer_t timer;
    unsigned running;
    struct clock_mono keeping_since; // the second in which `kept` good answers were kept
    unsigned kept;
    bool stopping;
};

static void arm(struct agent_flows *all);

static void free_flow(struct agent_flow *flow)
{
    heap_take(flow->all->due, &flow->node);
    g_free(flow->id);
    g_free(flow);
}

struct agent_flows *agent_flows_new(const struct agent_flows_context *context)
{
    struct agent_flows *all = g_new0(struct agent_flows, 1);
    all->context = *context;
    all->flows = g_hash_table_new(g_str_hash, g_str_equal);
    all->due = heap_new();
    all->online = online_new(context->runtime);
    uv_timer_init(context->runtime->loop, &all->timer);
    all->timer.data = all;
    return all;
}

const struct config *agent_flows_config(const struct agent_flows *all)
{
    return all->generation->config;
}

unsigned agent_flows_running(const struct agent_flows *all)
{
    return all->running;
}

static void free_generation(void *context)
{
    struct agent_generation *generation = context;
    config_work_free(generation->config);
    g_free(generation);
}

static void leave_generation(struct agent_flows *all, struct agent_generation *generation)
{
    if (generation->current || generation->users > 0)
        return;
    auth_session_forget(all->context.runtime->engine, generation->config, free_generation,
                        generation);
}

struct agent_generation *agent_flows_hold(struct agent_flows *all)
{
    all->generation->users++;
    return all->generation;
}

const struct config *agent_flows_held_config(const struct agent_generation *generation)
{
    return generation->config;
}

void agent_flows_release(struct agent_flows *all, struct agent_generation *generation)
{
    generation->users--;
    leave_generation(all, generation);
}

static struct starts_rule rule_of(const struct agent_flow *flow)
{
    return (struct starts_rule){flow->flow, flow->all->generation->config->agent.timezone};
}

static void put(struct agent_flow *flow)
{
    if (flow->starts.due.us < 0)
        heap_take(flow->all->due, &flow->node);
    else
        heap_put(flow->all->due, &flow->node, flow->starts.due.us);
}

static void note_missed(struct agent_flow *flow, struct clock_wall now, int missed)
{
    if (missed > 0)
        missed_note(flow->all->context.missed, flow->id, now, missed);
}

struct confirming {
    struct clock_wall due; // us 0 for none
    int attempt;
};

// The confirming run is due unless a scheduled start before that serves as it.
static void schedule_next_run(struct agent_flow *flow, struct confirming confirming)
{
    struct clock_wall now = clock_wall_now();
    struct starts_rule rule = rule_of(flow);
    note_missed(flow, now, starts_plan(&flow->starts, &rule, now));
    if (confirming.due.us)
        starts_confirm(&flow->starts, confirming.due, confirming.attempt);
    put(flow);
}

static void end_run(struct agent_run *run, struct confirming confirming)
{
    struct agent_flow *flow = run->owner;
    struct agent_flows *all = flow->all;
    store_unlock_flow(all->context.runtime->store, run->flow->number, run->flow->was);
    flow->running = false;
    if (!flow->flow)
        free_flow(flow);
    else if (!all->stopping)
        schedule_next_run(flow, confirming);
    agent_flows_release(all, run->generation);
    run_result_free(run->result);
    redact_free(run->redact);
    g_free(run);
    all->running--;
    if (all->stopping && all->running == 0)
        all->context.idle(all->context.context);
    else
        arm(all);
}

// One line where a flow changes; what failed stays out of the log: status shows it.
static void log_change(struct agent_flow *flow, enum incident_kind kind)
{
    enum incident_kind former = flow->kind;
    flow->kind = kind;
    if (kind == former || kind == INCIDENT_RECOVERING)
        return;
    if (kind == INCIDENT_OK)
        log_info("flow %s works again", flow->id);
    else if (kind == INCIDENT_SUSPECT)
        log_info("flow %s failed: the next runs decide", flow->id);
    else if (former != INCIDENT_RECOVERING)
        log_warning("flow %s fails: erpwatch status says how", flow->id);
}

static void on_watched(const struct watch_answer *answer, const GError *error, void *context)
{
    struct agent_run *run = context;
    struct agent_flow *flow = run->owner;
    struct agent_flows *all = flow->all;
    if (error) {
        end_run(run, (struct confirming){0});
        return;
    }
    flow->wants_json = answer->wants_json;
    log_change(flow, answer->state);
    bool told = answer->notices;
    end_run(run, (struct confirming){answer->confirm_due, answer->attempt});
    if (told)
        all->context.told(all->context.context);
}

// What ails the monitor, not the target: never a text from outside.
static const char *own_problem(const struct run_result *result)
{
    const struct step_result *step = run_result_decisive(result);
    if (result->problem)
        return result->problem;
    return step && step->verdict && step->verdict->ours ? step->verdict->message : NULL;
}

// Each run for those who ask; a flow that cannot be judged once, for everybody.
static void log_run(struct agent_flow *flow, const struct run_result *result)
{
    const char *state = result->cut_off ? "cut off" : verdict_state_word(result->state);
    const char *problem = own_problem(result);
    bool unknown = !result->cut_off && result->state == VERDICT_UNKNOWN;
    if (unknown && !flow->unknown)
        log_warning("flow %s cannot be judged: %s", flow->id,
                    problem ? problem : "the monitor itself is at fault");
    flow->unknown = unknown;
    log_debug("flow %s, run %s: %s in %.0f ms%s%s", result->flow, result->run, state,
              result->duration_ms, problem ? ", " : "", problem ? problem : "");
}

// One of those that may be kept in this second.
static bool take_keeping(struct agent_flows *all)
{
    struct clock_mono now = clock_mono_now();
    if (now.us - all->keeping_since.us >= G_USEC_PER_SEC) {
        all->keeping_since = now;
        all->kept = 0;
    }
    return all->kept++ < KEPT_A_SECOND;
}

static void watch(struct agent_run *run, const struct run_result *result,
                  const struct redact *redact)
{
    struct agent_flow *flow = run->owner;
    struct runtime *runtime = flow->all->context.runtime;
    log_run(flow, result);
    bool well = flow->kind == INCIDENT_OK;
    bool with_json = flow->wants_json && (!well || take_keeping(flow->all));
    struct watch_event *event = watch_event_new(result, redact, with_json);
    // A flow that is gone was withdrawn: its last run cannot make it fail again.
    event->counts = flow->flow != NULL;
    event->groups = true;
    event->was_well = well;
    standby_submit(runtime->standby, runtime->writer, run->generation->config, event, on_watched,
                   run);
}

static void on_online(bool online, void *context)
{
    struct agent_run *run = context;
    if (!online)
        online_excuse(run->result);
    watch(run, run->result, run->redact);
}

static void on_run_done(struct run_result *result, const struct redact *redact, void *context)
{
    struct agent_run *run = context;
    if (result->cut_off) {
        log_run(run->owner, result);
        run_result_free(result);
        end_run(run, (struct confirming){0});
    } else if (online_is_in_doubt(result)) {
        run->result = result;
        run->redact = redact_copy(redact);
        online_ask(run->owner->all->online, online_in_doubt_since(result), on_online, run);
    } else {
        watch(run, result, redact);
        run_result_free(result);
    }
}

static bool is_held_back(const struct agent_flow *flow)
{
    const struct agent_flows_context *context = &flow->all->context;
    if (!writer_has_room(context->runtime->writer))
        return true;
    return debts_hold_back(context->debts, flow->flow);
}

static void start(struct agent_flow *flow)
{
    struct agent_flows *all = flow->all;
    struct runtime *runtime = all->context.runtime;
    if (is_held_back(flow) ||
        !store_lock_flow(runtime->store, flow->flow->number, flow->flow->was)) {
        heap_put(all->due, &flow->node, clock_wall_now().us + HELD_BACK_US);
        return;
    }
    heap_take(all->due, &flow->node);
    struct agent_run *run = g_new0(struct agent_run, 1);
    run->owner = flow;
    run->flow = flow->flow;
    run->generation = agent_flows_hold(all);
    flow->running = true;
    all->running++;
    starts_begin(&flow->starts, clock_wall_now());
    const struct flow_start start = {.due = flow->starts.due, .attempt = flow->starts.attempt};
    flow_run_start(runtime->engine, run->flow, &start, on_run_done, run);
}

static void on_due(uv_timer_t *timer)
{
    struct agent_flows *all = timer->data;
    all->context.look_at_clock(all->context.context);
    int64_t now_us = clock_wall_now().us;
    struct heap_node *top = heap_top(all->due);
    for (int i = 0; i < STARTS_A_TURN && top && top->at <= now_us && !all->stopping; i++) {
        start((struct agent_flow *)top); // the node is its first member
        now_us = MIN(now_us, clock_wall_now().us);
        top = heap_top(all->due);
    }
    arm(all);
}

static void arm(struct agent_flows *all)
{
    const struct heap_node *top = heap_top(all->due);
    if (all->stopping || !top)
        return;
    int64_t at_us = top->at + TOGETHER_US - 1 - (top->at - 1) % TOGETHER_US;
    // never 0: such a timer comes again before anything else has its turn
    int64_t wait_us = CLAMP(at_us - clock_wall_now().us, 1, LONGEST_WAIT_US);
    clock_timer_start(&all->timer, on_due, wait_us);
}

// The state of a flow that has a new name goes on under it.
static struct agent_flow *find_former(struct agent_flows *all, const struct config_flow *flow)
{
    struct agent_flow *found = g_hash_table_lookup(all->flows, flow->id);
    if (found || !flow->was)
        return found;
    found = g_hash_table_lookup(all->flows, flow->was);
    if (!found || found->running)
        return NULL;
    g_hash_table_remove(all->flows, found->id);
    g_free(found->id);
    found->id = g_strdup(flow->id);
    return found;
}

static struct agent_flow *new_state(struct agent_flows *all, const char *id)
{
    struct agent_flow *state = g_new0(struct agent_flow, 1);
    state->all = all;
    state->id = g_strdup(id);
    starts_init(&state->starts, clock_wall_now());
    return state;
}

// `zone` is the former one.
static void adopt(struct agent_flows *all, GHashTable *kept, const struct config_flow *flow,
                  const char *zone)
{
    struct agent_flow *state = find_former(all, flow);
    if (state)
        g_hash_table_remove(all->flows, state->id);
    else
        state = new_state(all, flow->id);
    struct clock_wall now = clock_wall_now();
    struct starts_rule former = {state->flow, zone};
    state->flow = flow;
    struct starts_rule rule = rule_of(state);
    note_missed(state, now, starts_change(&state->starts, &former, &rule, now, state->running));
    g_hash_table_insert(kept, state->id, state);
    if (!state->running)
        put(state);
}

static void drop(struct agent_flow *flow)
{
    heap_take(flow->all->due, &flow->node);
    flow->flow = NULL;
    if (!flow->running)
        free_flow(flow);
}

void agent_flows_set_config(struct agent_flows *all, struct config *config)
{
    struct agent_generation *former = all->generation;
    all->generation = g_new0(struct agent_generation, 1);
    all->generation->config = config;
    all->generation->current = true;
    flow_engine_set_config(all->context.runtime->engine, config);
    online_set_config(all->online, config);
    GHashTable *kept = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];
        if (!flow->off)
            adopt(all, kept, flow, former ? former->config->agent.timezone : NULL);
    }
    g_autoptr(GList) gone = g_hash_table_get_values(all->flows);
    for (GList *link = gone; link; link = link->next)
        drop(link->data);
    g_hash_table_unref(all->flows);
    all->flows = kept;
    if (former) {
        former->current = false;
        leave_generation(all, former);
    }
    arm(all);
}

void agent_flows_remember(struct agent_flows *all, const char *id, struct clock_wall last,
                          int64_t set_back_us)
{
    struct agent_flow *flow = g_hash_table_lookup(all->flows, id);
    if (!flow || flow->running)
        return;
    starts_remember(&flow->starts, last, set_back_us);
    schedule_next_run(flow, (struct confirming){0});
    arm(all);
}

void agent_flows_confirm(struct agent_flows *all, const char *id, struct clock_wall due,
                         int attempt)
{
    struct agent_flow *flow = g_hash_table_lookup(all->flows, id);
    if (flow && !flow->running)
        schedule_next_run(flow, (struct confirming){due, attempt});
    arm(all);
}

// How many starts were missed. The overdue one is made up for, a while from now.
static int recompute(struct agent_flow *flow, const struct starts_jump *jump)
{
    struct starts_rule rule = rule_of(flow);
    int missed;
    int64_t next_us;
    if (flow->running) {
        starts_jump_running(&flow->starts, jump);
        return 0;
    }
    bool overdue = starts_jump(&flow->starts, &rule, jump, &next_us, &missed);
    put(flow);
    if (!overdue)
        return missed;
    int64_t spread_us = next_us < 0 ? SPREAD_AT_MOST_US : CLAMP(next_us, 1, SPREAD_AT_MOST_US);
    heap_put(flow->all->due, &flow->node,
             jump->now.us + (int64_t)(flow->flow->number % (uint64_t)spread_us));
    return missed;
}

void agent_flows_recompute(struct agent_flows *all, const struct starts_jump *jump)
{
    GHashTableIter iterator;
    gpointer flow;
    int missed = 0;
    g_hash_table_iter_init(&iterator, all->flows);
    while (g_hash_table_iter_next(&iterator, NULL, &flow)) {
        int of_flow = recompute(flow, jump);
        note_missed(flow, jump->now, of_flow);
        missed += of_flow;
    }
    if (missed > 0)
        log_warning("%d starts were missed", missed);
    arm(all);
}

void agent_flows_stop(struct agent_flows *all)
{
    all->stopping = true;
    uv_timer_stop(&all->timer);
    if (all->running == 0)
        all->context.idle(all->context.context);
}

static void on_timer_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void agent_flows_free(struct agent_flows *all)
{
    if (!all)
        return;
    GHashTableIter iterator;
    gpointer flow;
    g_hash_table_iter_init(&iterator, all->flows);
    while (g_hash_table_iter_next(&iterator, NULL, &flow))
        free_flow(flow);
    g_hash_table_unref(all->flows);
    heap_free(all->due);
    online_free(all->online);
    if (all->generation) {
        config_free(all->generation->config);
        g_free(all->generation);
    }
    uv_close((uv_handle_t *)&all->timer, on_timer_closed);
}

// SPDX-License-Identifier: MIT
// The runs of one check. A flow runs once at a time per store: while another
// process runs it, this one waits, up to the flow's timeout. Comes after
// cmd_check, which reads the options; the watch decides what the results mean.
#include "check_runs.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../probes/flow_run.h"
#include "online.h"
#include "watch.h"

// How often a run lock that another process holds is asked for again, and whether
// the debts of the system were tried.
#define LOCK_WAIT_US (INT64_C(200) * 1000)
#define DEBTS_WAIT_US (INT64_C(20) * 1000)

struct check_runs {
    struct check_plan plan;
    struct clock_mono started;
    GPtrArray *runs; // of struct check_run
    struct online *online;
    guint done;
};

struct check_run {
    struct check_runs *all;
    const struct config_flow *flow;
    struct flow_start start;
    struct clock_mono waiting_since;
    bool locked;
    struct run_result *result; // of the last run
    struct redact *redact;     // of the last run
    uv_timer_t timer;
};

static void start_run(struct check_run *run);

static void end_run(struct check_run *run)
{
    struct check_runs *all = run->all;
    const struct check_plan *plan = &all->plan;
    if (run->locked)
        store_unlock_flow(plan->runtime->store, run->flow->number, run->flow->was);
    run->locked = false;
    all->done++;
    if (plan->progress)
        plan->progress(all->done, all->runs->len, run->flow->id, plan->context);
    if (all->done == all->runs->len)
        plan->ended(plan->context);
}

static int64_t deadline_left_ms(const struct check_runs *all)
{
    if (!all->plan.deadline_ms)
        return 0;
    int64_t spent_ms = (clock_mono_now().us - all->started.us) / 1000;
    return MAX(all->plan.deadline_ms - spent_ms, 1);
}

// A run that is due after the deadline would only fail for want of time.
static bool is_too_late(const struct check_runs *all, int64_t wait_us)
{
    return all->plan.deadline_ms && deadline_left_ms(all) * 1000 <= MAX(wait_us, 1000);
}

static void on_confirm_due(uv_timer_t *timer)
{
    struct check_run *run = timer->data;
    struct flow_engine *engine = run->all->plan.runtime->engine;
    flow_engine_end_wait(engine, timer);
    if (engine->stopping)
        end_run(run); // with the result that it has
    else
        start_run(run);
}

// The watch has stored the run; it says when a confirming one is due.
static void on_watched(const struct watch_answer *answer, const GError *error, void *context)
{
    struct check_run *run = context;
    const struct check_plan *plan = &run->all->plan;
    if (error)
        log_error("the run of %s could not be stored: %s", run->flow->id, error->message);
    // a system that is left alone may be so for hours: the next check confirms
    bool confirms = !error && plan->notify && answer->confirm_due.us &&
                    !run->result->held_until.us && !plan->runtime->engine->stopping;
    int64_t wait_us = confirms ? answer->confirm_due.us - clock_wall_now().us : 0;
    if (!confirms || is_too_late(run->all, wait_us)) {
        end_run(run);
        return;
    }
    run->start.due = answer->confirm_due;
    run->start.attempt = answer->attempt;
    flow_engine_wait(plan->runtime->engine, &run->timer, on_confirm_due, MAX(wait_us, 0));
}

static void watch(struct check_run *run)
{
    const struct check_plan *plan = &run->all->plan;
    if (!plan->runtime->writer || run->result->cut_off) {
        end_run(run);
        return;
    }
    struct watch_event *event = watch_event_new(run->result, run->redact, true);
    event->counts = plan->notify;
    event->groups = false;
    if (plan->runtime->standby)
        standby_submit(plan->runtime->standby, plan->runtime->writer, plan->config, event,
                       on_watched, run);
    else
        watch_submit(plan->runtime->writer, plan->config, event, on_watched, run);
}

static void on_online(bool online, void *context)
{
    struct check_run *run = context;
    if (!online)
        online_excuse(run->result);
    watch(run);
}

static void on_run_done(struct run_result *result, const struct redact *redact, void *context)
{
    struct check_run *run = context;
    run_result_free(run->result);
    redact_free(run->redact);
    run->result = result;
    run->redact = redact_copy(redact);
    if (online_is_in_doubt(result))
        online_ask(run->all->online, online_in_doubt_since(result), on_online, run);
    else
        watch(run);
}

// Another process runs this flow, and went on doing so for the flow's timeout.
static void give_up_waiting(struct check_run *run)
{
    g_autofree char *id = flow_run_id(run->flow->id, run->start.due, run->start.attempt);
    run->result = run_result_new(id, run->flow->id, run->flow->system->id);
    run->result->priority = run->flow->priority;
    run->result->started = run->result->ended = run->result->due = run->start.due;
    run->result->problem = g_strdup("another process runs this flow, and has not ended in time");
    run_result_conclude(run->result);
    run->redact = redact_new();
    end_run(run);
}

static void on_lock_wait(uv_timer_t *timer)
{
    struct check_run *run = timer->data;
    struct flow_engine *engine = run->all->plan.runtime->engine;
    int64_t waited_us = clock_mono_now().us - run->waiting_since.us;
    flow_engine_end_wait(engine, timer);
    if (engine->stopping || is_too_late(run->all, 0) || waited_us > run->flow->timeout_ms * 1000)
        give_up_waiting(run);
    else
        start_run(run);
}

static void on_debts_wait(uv_timer_t *timer)
{
    struct check_run *run = timer->data;
    flow_engine_end_wait(run->all->plan.runtime->engine, timer);
    start_run(run);
}

// What dead processes owe at a system is tried once before anything more is made there.
static bool waits_for_debts(const struct check_run *run)
{
    const struct check_plan *plan = &run->all->plan;
    return plan->debts && !plan->runtime->engine->stopping &&
           debts_hold_back(plan->debts, run->flow);
}

static void start_run(struct check_run *run)
{
    const struct check_plan *plan = &run->all->plan;
    if (waits_for_debts(run)) {
        flow_engine_wait(plan->runtime->engine, &run->timer, on_debts_wait, DEBTS_WAIT_US);
        return;
    }
    struct store *store = plan->runtime->store;
    if (store && !run->locked && !store_lock_flow(store, run->flow->number, run->flow->was)) {
        flow_engine_wait(plan->runtime->engine, &run->timer, on_lock_wait, LOCK_WAIT_US);
        return;
    }
    run->locked = store != NULL;
    run->start.deadline_ms = deadline_left_ms(run->all);
    flow_run_start(plan->runtime->engine, run->flow, &run->start, on_run_done, run);
}

static void on_start(uv_timer_t *timer)
{
    start_run(timer->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

static void free_run(struct check_run *run)
{
    run_result_free(run->result);
    redact_free(run->redact);
    uv_close((uv_handle_t *)&run->timer, on_timer_closed);
}

static struct check_run *new_run(struct check_runs *all, const struct config_flow *flow)
{
    struct check_run *run = g_new0(struct check_run, 1);
    run->all = all;
    run->flow = flow;
    run->start.due = clock_wall_now();
    run->waiting_since = all->started;
    uv_timer_init(all->plan.runtime->loop, &run->timer);
    run->timer.data = run;
    return run;
}

struct check_runs *check_runs_start(const struct check_plan *plan)
{
    struct check_runs *all = g_new0(struct check_runs, 1);
    all->plan = *plan;
    all->started = clock_mono_now();
    all->runs = g_ptr_array_new_with_free_func((GDestroyNotify)free_run);
    all->online = online_new(plan->runtime);
    online_set_config(all->online, plan->config);
    for (guint i = 0; i < plan->flows->len; i++)
        g_ptr_array_add(all->runs, new_run(all, plan->flows->pdata[i]));
    for (guint i = 0; i < all->runs->len; i++) {
        struct check_run *run = all->runs->pdata[i];
        // from the loop: a run that cannot begin ends at once, and its caller must know of it
        uv_timer_start(&run->timer, on_start, 0, 0);
    }
    return all;
}

void check_runs_report(const struct check_runs *all)
{
    for (guint i = 0; i < all->runs->len; i++) {
        const struct check_run *run = all->runs->pdata[i];
        check_report_add(all->plan.report, run->result, run->redact);
    }
}

void check_runs_free(struct check_runs *all)
{
    if (!all)
        return;
    g_ptr_array_unref(all->runs);
    online_free(all->online);
    g_free(all);
}

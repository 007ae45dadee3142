// SPDX-License-Identifier: MIT
// The agent's process: opens everything in one visible list and closes it in its
// mirror; signals; the one-second tick that keeps the clock, the heartbeat, the
// mail, the debts and the retention going. Flows are agent_flows' business.
#include "agent.h"

#include "../alerts/outbox.h"
#include "../base/log.h"
#include "../probes/flow_stop.h"
#include "agent_flows.h"
#include "command.h"
#include "config_work.h"
#include "mail_child.h"
#include "self_report.h"
#include "service_manager.h"
#include "store.h"
#include "store_runs.h"
#include "store_trouble.h"
#include "sweep_rows.h"
#include "sweeps.h"
#include "version_rows.h"
#include "versions.h"
#include "watch.h"

#include <signal.h>
#include <string.h>

#define TICK_MS 1000

// So often in a row the outbox cannot be read: it is not the moment's doing.
#define UNREADABLE_TIMES 3

// More difference than this between real and boot time: a suspend, or a clock set.
#define CLOCK_JUMP_US (INT64_C(2) * G_USEC_PER_SEC)

// How often, in ticks.
#define HEARTBEAT_TICKS 5
#define DEBTS_TICKS 5
#define PRUNE_TICKS 60
#define PRUNE_ALL_TICKS (60 * PRUNE_TICKS)
#define WATCH_TICKS 3

// Of a configuration that is to take the present one's place.
enum reading { READING_NOT, READING_NOW, READING_AGAIN };

struct agent {
    const char *path;
    enum reading reading;
    struct config_work *config_work; // while it is read
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t tick;
    struct runtime runtime;
    struct db *reader; // for questions that need no transaction
    struct debts *debts;
    struct agent_flows *flows;
    struct missed *missed;
    struct sweeps *sweeps;
    struct versions *versions;
    struct mail_child *mail;
    struct flow_stop *stop;
    struct clock_reading clock; // at the last tick
    int64_t watchdog_us;        // how often it wants to hear of us; 0: never
    struct clock_mono watchdog_at;
    guint64 ticks;
    bool beating; // a heartbeat is on its way through the writer
    bool busy[3]; // chores of these kinds on their way
    bool closing;
    unsigned unreadable; // how often in a row the outbox could not be read
};

/* The heartbeat: through the writer, so that it stops when the writer does. */

static bool beat(struct db *db, void *context, GError **error)
{
    (void)context;
    return store_runs_beat(db, clock_wall_now(), error);
}

// True where the next tick would be too late.
static bool watchdog_is_due(const struct agent *agent)
{
    int64_t silent_us = clock_mono_now().us - agent->watchdog_at.us;
    return agent->watchdog_us && silent_us + TICK_MS * 1000 > agent->watchdog_us;
}

static void tell_watchdog(struct agent *agent)
{
    if (!watchdog_is_due(agent))
        return;
    agent->watchdog_at = clock_mono_now();
    service_manager_notify("WATCHDOG=1");
}

// True where the store cannot be written or read, which was told.
static bool is_in_trouble(const struct agent *agent)
{
    return !agent->closing && (writer_problem(agent->runtime.writer) || agent->unreadable > 0);
}

static void on_beat(const GError *error, void *context)
{
    struct agent *agent = context;
    agent->beating = false;
    tell_watchdog(agent);               // the writer is alive even where the disk is full
    if (error && !is_in_trouble(agent)) // else the writer has told it
        log_warning("no sign of life can be left in the store: %s", error->message);
}

static void send_heartbeat(struct agent *agent)
{
    if (agent->beating)
        return;
    agent->beating = true;
    const struct writer_job job = {.work = beat, .done = on_beat, .context = agent, .frees = true};
    writer_submit(agent->runtime.writer, &job);
}

/* Chores in the writer's thread: each kind at most once at a time, each under the
   configuration of its start. */

enum agent_chore { CHORE_PRUNE, CHORE_TIME, CHORE_CONFIGURE, CHORES };

struct chore {
    struct agent *agent;
    enum agent_chore kind;
    struct agent_generation *generation;
    bool notices;
    uint32_t prune, left; // what is to be deleted, and what of it is left
};

static bool is_first_bite(const struct chore *chore)
{
    return (chore->prune & STORE_PRUNE_OFTEN) == STORE_PRUNE_OFTEN;
}

static bool do_chore(struct db *db, void *context, GError **error)
{
    struct chore *chore = context;
    const struct config *config = agent_flows_held_config(chore->generation);
    const struct store_keep keep = {config->agent.keep_runs_ms, config->agent.keep_evidence_ms};
    struct clock_wall now = clock_wall_now();
    switch (chore->kind) {
    case CHORE_PRUNE: // also flows that a check of a former configuration made fail again
        return store_runs_prune(db, &keep, now, chore->prune, &chore->left, error) &&
               (!is_first_bite(chore) || watch_configure(db, config, now, error));
    case CHORE_TIME: // mutes that end, debts that somebody must be told of
        return watch_tick(db, config, now, &chore->notices, error);
    default: // flows that are gone are withdrawn, renamed ones keep their state
        return watch_configure(db, config, now, error) && self_report_needs(db, config, now, error);
    }
}

static void start_mail_when_due(struct agent *agent);
static void start_chore(struct agent *agent, enum agent_chore kind);
static void prune(struct agent *agent, uint32_t what);

static void on_chore_done(const GError *error, void *context)
{
    struct chore *chore = context;
    struct agent *agent = chore->agent;
    static const char *const names[] = {"old runs cannot be deleted",
                                        "mutes and debts cannot be looked at",
                                        "the configuration cannot be noted"};
    if (error && !is_in_trouble(agent))
        log_warning("%s: %s", names[chore->kind], error->message);
    agent->busy[chore->kind] = false;
    agent_flows_release(agent->flows, chore->generation);
    if (chore->notices && !agent->closing)
        start_mail_when_due(agent);
    if (!error && chore->left && !agent->closing)
        prune(agent, chore->left);
    g_free(chore);
}

static void submit_chore(const struct chore *what)
{
    struct agent *agent = what->agent;
    if (agent->busy[what->kind] && what->kind != CHORE_CONFIGURE)
        return;
    agent->busy[what->kind] = true;
    struct chore *chore = g_memdup2(what, sizeof *what);
    chore->generation = agent_flows_hold(agent->flows);
    const struct writer_job job = {.work = do_chore,
                                   .done = on_chore_done,
                                   .context = chore,
                                   .frees = what->kind == CHORE_PRUNE};
    writer_submit(agent->runtime.writer, &job);
}

static void start_chore(struct agent *agent, enum agent_chore kind)
{
    const struct chore chore = {.agent = agent, .kind = kind};
    submit_chore(&chore);
}

static void prune(struct agent *agent, uint32_t what)
{
    const struct chore chore = {.agent = agent, .kind = CHORE_PRUNE, .prune = what};
    submit_chore(&chore);
}

/* Mail and debts: looked for often, started when due. */

static bool is_due(struct clock_wall time)
{
    return time.us >= 0 && time.us <= clock_wall_now().us;
}

// What is written and cannot be read is of no use to deliver either: the standby takes over.
static void note_reading(struct agent *agent, const GError *error)
{
    if (!error) {
        agent->unreadable = 0;
        return;
    }
    if (agent->unreadable++ == 0)
        log_warning("the outbox cannot be read: %s", error->message);
    bool last = error->code == DB_ERROR_CORRUPT || error->code == DB_ERROR_IO;
    if (last && agent->unreadable == UNREADABLE_TIMES)
        standby_take_over(agent->runtime.standby, agent_flows_config(agent->flows),
                          (enum db_error)error->code);
}

static void start_mail_when_due(struct agent *agent)
{
    g_autoptr(GError) error = NULL;
    struct clock_wall due = outbox_next_due(agent->reader, &error);
    note_reading(agent, error);
    if (error || standby_is_used(agent->runtime.standby))
        return; // it mails while the outbox cannot be written
    if (is_due(due) && !mail_child_is_busy(agent->mail))
        mail_child_start(agent->mail);
}

// A deliver that died with the former agent has left its mails marked as being
// sent: a new one takes them over.
static void start_mail_at_once(struct agent *agent)
{
    if (outbox_next_due(agent->reader, NULL).us >= 0)
        mail_child_start(agent->mail);
}

static void serve_standby(struct agent *agent);

static void on_told(void *context)
{
    struct agent *agent = context;
    if (agent->closing)
        return;
    start_mail_when_due(agent);
    serve_standby(agent);
}

/* What was kept in memory while the store could not be written. */

struct return_of_standby {
    struct agent *agent;
    struct agent_generation *generation;
};

static void end_return(struct return_of_standby *back)
{
    agent_flows_release(back->agent->flows, back->generation);
    g_free(back);
}

static void on_given_back(void *context)
{
    struct return_of_standby *back = context;
    if (!back->agent->closing)
        start_chore(back->agent, CHORE_CONFIGURE); // one that came meanwhile was not noted
    end_return(back);
}

static bool give_back(struct agent *agent)
{
    struct return_of_standby *back = g_new(struct return_of_standby, 1);
    *back = (struct return_of_standby){agent, agent_flows_hold(agent->flows)};
    const struct config *config = agent_flows_held_config(back->generation);
    bool given = standby_give_back(agent->runtime.standby, agent->runtime.writer, config,
                                   on_given_back, back);
    if (!given)
        end_return(back);
    return given;
}

static void serve_standby(struct agent *agent)
{
    struct standby *standby = agent->runtime.standby;
    if (!standby_is_used(standby) || standby_is_sending(standby))
        return;
    if (is_in_trouble(agent) || !give_back(agent))
        standby_serve(standby, agent_flows_config(agent->flows));
}

// The next tick looks again; but where deliver came upon damage, it will at each try, and what
// waits goes out of memory.
static void on_mail_ended(void *context)
{
    struct agent *agent = context;
    const struct config *config = agent_flows_config(agent->flows);
    if (mail_child_met_damage(agent->mail))
        standby_take_over(agent->runtime.standby, config, DB_ERROR_CORRUPT);
}

static void close_agent(struct agent *agent);

// At a stop: nothing is in flight any more.
static void close_when_idle(void *context)
{
    struct agent *agent = context;
    if (agent->runtime.engine->stopping && agent_flows_running(agent->flows) == 0 &&
        sweeps_running(agent->sweeps) == 0 && versions_running(agent->versions) == 0 &&
        !debts_are_busy(agent->debts))
        close_agent(agent);
}

// A debt is paid under one configuration, also where another one is read meanwhile.
static void *hold_config(void *context)
{
    struct agent *agent = context;
    return agent_flows_hold(agent->flows);
}

static void release_config(void *held, void *context)
{
    struct agent *agent = context;
    agent_flows_release(agent->flows, held);
}

static void pay_debts_when_due(struct agent *agent)
{
    g_autoptr(GError) error = NULL;
    struct clock_wall due =
        ledger_next_due(agent->reader, store_owner(agent->runtime.store), clock_wall_now(), &error);
    if (error && !is_in_trouble(agent))
        log_warning("the ledger cannot be read: %s", error->message);
    if (error)
        return;
    if (is_due(due) || debts_are_inherited(agent->debts))
        debts_pay(agent->debts, close_when_idle, agent);
}

// A debt that nobody will pay has left a record that a sweep may find.
static void look_for_lost(struct agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) lost = sweep_rows_lost(agent->reader, &error);
    if (lost)
        sweeps_note_lost(agent->sweeps, lost);
    else if (!is_in_trouble(agent))
        log_warning("the ledger cannot be read: %s", error->message);
}

/* Time */

// Wall against boot time shows a clock that was set, boot against monotonic time a suspend.
static void look_at_clock(void *context)
{
    struct agent *agent = context;
    struct clock_reading then = agent->clock, now = clock_read();
    int64_t set_us = (now.wall.us - now.boot_us) - (then.wall.us - then.boot_us);
    int64_t slept_us = (now.boot_us - now.mono.us) - (then.boot_us - then.mono.us);
    bool set = ABS(set_us) > CLOCK_JUMP_US, slept = slept_us > CLOCK_JUMP_US;
    const struct starts_jump jump = {
        set ? set_us : 0, {now.wall.us - (now.boot_us - then.boot_us)}, now.wall};
    agent->clock = now;
    if (set)
        log_warning("the clock was set by %+.1f s: the schedule is computed anew",
                    (double)set_us / G_USEC_PER_SEC);
    if (slept)
        log_warning("the machine was asleep: overdue flows run once, the rest is missed");
    if (!set && !slept)
        return;
    agent_flows_recompute(agent->flows, &jump);
    sweeps_configure(agent->sweeps, NULL);
}

static void on_tick(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    clock_timer_start(timer, on_tick, TICK_MS * 1000);
    agent->ticks++;
    look_at_clock(agent);
    start_mail_when_due(agent);
    serve_standby(agent);
    left_alone_learn(agent->runtime.left_alone, agent->reader);
    if (agent->ticks % WATCH_TICKS == 0)
        start_chore(agent, CHORE_TIME);
    if (agent->ticks % HEARTBEAT_TICKS == 0 || watchdog_is_due(agent))
        send_heartbeat(agent);
    if (agent->ticks % DEBTS_TICKS == 0) {
        pay_debts_when_due(agent);
        look_for_lost(agent);
        standby_use_file(agent->runtime.standby, agent_flows_config(agent->flows));
    }
    missed_flush(agent->missed);
    sweeps_tick(agent->sweeps);
    versions_tick(agent->versions);
    if (agent->ticks % PRUNE_TICKS == 0)
        prune(agent,
              agent->ticks % PRUNE_ALL_TICKS == PRUNE_TICKS ? STORE_PRUNE_ALL : STORE_PRUNE_OFTEN);
}

/* Signals */

static void use_config(struct agent *agent, struct config *config)
{
    if (!config) {
        log_error("the configuration is wrong: the former one stays in force");
        return;
    }
    const struct config *former = agent_flows_config(agent->flows);
    if (strcmp(config->agent.store, former->agent.store) != 0)
        log_warning("agent.store is another one now (%s): it is used once the agent is started "
                    "again; what waits in the former one stays there",
                    config->agent.store);
    agent_flows_set_config(agent->flows, config);
    mail_child_wake(agent->mail);
    if (!standby_is_used(agent->runtime.standby))
        start_mail_at_once(agent); // the server that mails wait for may be another one now
    sweeps_configure(agent->sweeps, NULL);
    start_chore(agent, CHORE_CONFIGURE);
    log_info("the configuration was read again: %u flows", config->flows->len);
}

static void reload(struct agent *agent);

static void on_config_read(struct config *config, void *context)
{
    struct agent *agent = context;
    bool again = agent->reading == READING_AGAIN;
    agent->reading = READING_NOT;
    agent->config_work = NULL;
    if (agent->stop) {
        config_work_free(config);
        return;
    }
    use_config(agent, config);
    service_manager_notify("READY=1");
    if (again)
        reload(agent);
}

// One at a time: what is changed while it is read may have been missed.
static void reload(struct agent *agent)
{
    if (agent->reading != READING_NOT) {
        agent->reading = READING_AGAIN;
        return;
    }
    agent->reading = READING_NOW;
    service_manager_notify("RELOADING=1");
    agent->config_work = config_work_read(&agent->loop, agent->path, on_config_read, agent);
}

static void stop(struct agent *agent)
{
    if (agent->stop)
        return;
    int64_t grace_ms = agent_flows_config(agent->flows)->agent.stop_ms;
    log_info("stopping: %u runs in flight have %d s", agent_flows_running(agent->flows),
             (int)(grace_ms / 1000));
    service_manager_notify("STOPPING=1");
    agent->stop = flow_stop_begin(agent->runtime.engine, grace_ms);
    sweeps_stop(agent->sweeps);
    versions_stop(agent->versions);
    agent_flows_stop(agent->flows);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct agent *agent = handle->data;
    if (number != SIGHUP)
        stop(agent);
    else if (!agent->stop)
        reload(agent);
}

/* Start and stop: two lists, the second the mirror of the first. */

static void start_signals(struct agent *agent)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uv_signal_init(&agent->loop, &agent->signals[i]);
        agent->signals[i].data = agent;
        uv_signal_start(&agent->signals[i], on_signal, numbers[i]);
    }
}

static void start_tick(struct agent *agent)
{
    agent->clock = clock_read();
    agent->watchdog_us = service_manager_watchdog_us();
    uv_timer_init(&agent->loop, &agent->tick);
    agent->tick.data = agent;
    clock_timer_start(&agent->tick, on_tick, TICK_MS * 1000);
}

static void start_sweeps(struct agent *agent)
{
    const struct sweeps_context context = {
        .runtime = &agent->runtime,
        .debts = agent->debts,
        .flows = agent->flows,
        .told = on_told,
        .idle = close_when_idle,
        .context = agent,
    };
    g_autoptr(GHashTable) last = sweep_rows_last(agent->reader, NULL);
    agent->sweeps = sweeps_new(&context);
    sweeps_configure(agent->sweeps, last);
}

static void start_versions(struct agent *agent)
{
    const struct versions_context context = {.runtime = &agent->runtime,
                                             .flows = agent->flows,
                                             .idle = close_when_idle,
                                             .context = agent};
    agent->versions = versions_new(&context, version_rows_asked(agent->reader, NULL));
}

// Runs that lie ahead: the clock was set back while nobody ran.
static void restore_ahead(struct agent *agent)
{
    g_autoptr(GError) error = NULL;
    struct clock_wall now = clock_wall_now();
    int64_t set_back_us = store_runs_heartbeat(agent->reader, NULL).us - now.us;
    g_autoptr(GHashTable) ahead = store_runs_begun_after(agent->reader, now, &error);
    GHashTableIter iterator;
    gpointer flow, started;
    if (!ahead) {
        log_warning("the last runs are not known: %s", error->message);
        return;
    }
    g_hash_table_iter_init(&iterator, ahead);
    while (g_hash_table_iter_next(&iterator, &flow, &started))
        agent_flows_remember(agent->flows, flow, (struct clock_wall){*(int64_t *)started},
                             set_back_us);
}

static void restore_confirming(struct agent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) pending = watch_pending(agent->reader, &error);
    if (!pending)
        log_warning("confirming runs are not known: %s", error->message);
    for (guint i = 0; pending && i < pending->len; i++) {
        const struct watch_pending *flow = pending->pdata[i];
        agent_flows_confirm(agent->flows, flow->flow, flow->due, flow->attempt);
    }
}

// What may refuse to open.
static bool open_store(struct agent *agent, const struct config *config, GError **error)
{
    if (!runtime_open(&agent->runtime, &agent->loop, config, config->agent.store, error))
        return false;
    agent->runtime.standby = standby_new(&agent->loop, config->agent.store, agent->path);
    if (!store_lock_agent(agent->runtime.store, error))
        return false;
    standby_use_file(agent->runtime.standby, config);
    agent->reader = store_open_reader(config->agent.store, error);
    return agent->reader != NULL;
}

static void start_agent(struct agent *agent, struct config *config)
{
    agent->debts = debts_new(&agent->runtime);
    agent->missed = missed_new(agent->runtime.writer);
    agent->mail =
        mail_child_new(&agent->loop, agent->path, config->agent.store, on_mail_ended, agent);
    const struct agent_flows_context context = {
        .runtime = &agent->runtime,
        .debts = agent->debts,
        .missed = agent->missed,
        .look_at_clock = look_at_clock,
        .told = on_told,
        .idle = close_when_idle,
        .context = agent,
    };
    agent->flows = agent_flows_new(&context);
    debts_hold_config(agent->debts, hold_config, release_config, agent);
    agent_flows_set_config(agent->flows, config);
    start_sweeps(agent);
    start_versions(agent);
    start_chore(agent, CHORE_CONFIGURE);
    restore_ahead(agent);
    restore_confirming(agent);
    start_signals(agent);
    start_tick(agent);
    send_heartbeat(agent);
    start_mail_at_once(agent);
    debts_pay(agent->debts, close_when_idle, agent);
}

static void on_closed(void *context)
{
    struct agent *agent = context;
    runtime_clear(&agent->runtime);
}

static void close_agent(struct agent *agent)
{
    if (agent->closing)
        return;
    agent->closing = true;
    (void)give_back(agent); // the last try
    uv_close((uv_handle_t *)&agent->tick, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(agent->signals); i++)
        uv_close((uv_handle_t *)&agent->signals[i], NULL);
    g_clear_pointer(&agent->config_work, config_work_drop);
    g_clear_pointer(&agent->stop, flow_stop_free);
    g_clear_pointer(&agent->mail, mail_child_free);
    g_clear_pointer(&agent->versions, versions_free);
    g_clear_pointer(&agent->sweeps, sweeps_free);
    missed_flush(agent->missed);
    g_clear_pointer(&agent->missed, missed_free);
    g_clear_pointer(&agent->debts, debts_free);
    g_clear_pointer(&agent->reader, db_close); // before the writer, who leaves no log behind
    runtime_close(&agent->runtime, on_closed, agent);
}

static int refuse_start(struct agent *agent, struct config *config, const char *why)
{
    int code = command_fail("run", "%s", why);
    if (agent->runtime.engine)
        runtime_close(&agent->runtime, on_closed, agent);
    uv_run(&agent->loop, UV_RUN_DEFAULT);
    uv_loop_close(&agent->loop);
    config_free(config);
    return code;
}

static void watch_until_told(struct agent *agent)
{
    log_info("erpwatch %s watches %u flows", ERPWATCH_VERSION,
             agent_flows_config(agent->flows)->flows->len);
    service_manager_notify("READY=1");
    uv_run(&agent->loop, UV_RUN_DEFAULT);
    g_clear_pointer(&agent->flows, agent_flows_free);
    uv_run(&agent->loop, UV_RUN_DEFAULT);
    uv_loop_close(&agent->loop);
    log_info("stopped");
}

int agent_run(const char *path)
{
    g_autoptr(GError) error = NULL;
    struct config *config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    if (!config)
        return COMMAND_UNKNOWN;
    struct agent agent = {.path = path};
    uv_loop_init(&agent.loop);
    g_autofree char *readable = config_literal_secret_readable(config);
    if (readable)
        return refuse_start(&agent, config, readable);
    if (!open_store(&agent, config, &error)) {
        g_autofree char *sentence = store_trouble_sentence(error);
        return refuse_start(&agent, config, sentence);
    }
    start_agent(&agent, config);
    watch_until_told(&agent);
    return COMMAND_OK;
}

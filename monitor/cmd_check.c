// SPDX-License-Identifier: MIT
// erpwatch check: runs flows once, now, and prints what each step did.
#include "check_runs.h"
#include "check_watch.h"
#include "command.h"
#include "debts.h"
#include "mail_child.h"

#include "../base/duration.h"
#include "../probes/flow_stop.h"
#include "store_trouble.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The plugin's time when none is given: Nagios ends a check after 60 s.
#define NAGIOS_DEADLINE "50s"

struct check_options {
    char *config, *format, *deadline;
    gboolean notify, no_store, now, verbose;
};

struct check_command {
    const struct check_options *options;
    const struct config *config;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct runtime runtime;
    struct check_runs *runs;
    struct debts *debts;
    struct flow_stop *stop;
    struct mail_child *mail;
    struct check_report report;
    const GPtrArray *flows; // of struct config_flow: those to run
    int64_t deadline_ms;
    bool interrupted, progress_shown, runs_ended, closing;
    bool store_fails; // incidents were kept in memory
};

static void show_progress(guint done, guint all, const char *flow, void *context)
{
    struct check_command *check = context;
    if (!isatty(STDERR_FILENO) || all < 2)
        return;
    check->progress_shown = true;
    fprintf(stderr, "\r\033[K%u of %u flows, last %s%s", done, all, flow,
            done == all ? "\r\033[K" : "");
}

static void on_closed(void *context)
{
    struct check_command *check = context;
    for (size_t i = 0; i < G_N_ELEMENTS(check->signals); i++)
        uv_close((uv_handle_t *)&check->signals[i], NULL);
}

static void close_all(struct check_command *check)
{
    check->closing = true;
    check_runs_report(check->runs);
    g_clear_pointer(&check->debts, debts_free);
    g_clear_pointer(&check->stop, flow_stop_free);
    g_clear_pointer(&check->mail, mail_child_free);
    runtime_close(&check->runtime, on_closed, check);
}

static void on_delivered(void *context)
{
    close_all(context);
}

static void end_check(struct check_command *check);

static void on_debts_idle(void *context)
{
    struct check_command *check = context;
    if (check->runs_ended)
        end_check(check);
}

// What earlier processes owe still is left to the next one.
static void on_runs_ended(void *context)
{
    struct check_command *check = context;
    check->runs_ended = true;
    if (check->debts)
        debts_stop(check->debts);
    if (!check->debts || !debts_are_busy(check->debts))
        end_check(check);
}

static const char *config_path(const struct check_command *check)
{
    return check->options->config ? check->options->config : config_default_path();
}

// check --notify delivers once before it exits.
static void deliver(void *context)
{
    struct check_command *check = context;
    if (standby_is_used(check->runtime.standby)) {
        check->store_fails = true;
        standby_deliver(check->runtime.standby, check->config, on_delivered, check);
        return;
    }
    check->mail = mail_child_new(&check->loop, config_path(check), check->config->agent.store,
                                 on_delivered, check);
    mail_child_start(check->mail);
    if (!mail_child_is_busy(check->mail))
        close_all(check);
}

static void end_check(struct check_command *check)
{
    if (check->options->notify && !check->interrupted)
        check_watch_tick(&check->runtime, check->config, deliver, check);
    else
        close_all(check);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    struct check_command *check = handle->data;
    if (check->interrupted || check->closing || !check->runs)
        return; // no run has begun, or all have ended
    check->interrupted = true;
    g_autofree char *grace = duration_format(check->config->agent.stop_ms);
    fprintf(stderr,
            "erpwatch check: stopping: calls in flight have %s to end, then what they created is "
            "removed\n",
            grace);
    check->stop = flow_stop_begin(check->runtime.engine, check->config->agent.stop_ms);
}

static bool is_chosen(const struct config_flow *flow, char **names)
{
    if (!*names)
        return flow->off == NULL;
    for (; *names; names++)
        if (strcmp(*names, flow->id) == 0 || (!flow->off && config_flow_uses(flow, *names)))
            return true;
    return false;
}

// The flows that were named, or all; NULL where a name is neither a flow nor a system.
static GPtrArray *choose_flows(const struct config *config, char **names)
{
    for (char **name = names; *name; name++)
        if (!command_find_name("check", config, COMMAND_FLOW | COMMAND_SYSTEM, *name))
            return NULL;
    GPtrArray *flows = g_ptr_array_new();
    for (guint i = 0; i < config->flows->len; i++)
        if (is_chosen(config->flows->pdata[i], names))
            g_ptr_array_add(flows, config->flows->pdata[i]);
    return flows;
}

static void watch_signals(struct check_command *check)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uv_signal_init(&check->loop, &check->signals[i]);
        check->signals[i].data = check;
        uv_signal_start(&check->signals[i], on_signal, numbers[i]);
    }
}

// Debts of processes that died are paid first, as the agent does.
static void start_debts(struct check_command *check)
{
    if (!check->runtime.store)
        return;
    struct debts *debts = debts_new(&check->runtime);
    if (!debts_are_inherited(debts)) {
        debts_free(debts);
        return;
    }
    check->debts = debts;
    debts_pay(debts, on_debts_idle, check);
}

static void start_runs(void *context)
{
    struct check_command *check = context;
    const struct check_plan plan = {
        .runtime = &check->runtime,
        .debts = check->debts,
        .config = check->config,
        .flows = check->flows,
        .deadline_ms = check->deadline_ms,
        .notify = check->options->notify,
        .report = &check->report,
        .progress = show_progress,
        .ended = on_runs_ended,
        .context = check,
    };
    check->runs = check_runs_start(&plan);
}

static void configure(void *context)
{
    struct check_command *check = context;
    check_watch_configure(&check->runtime, check->config, start_runs, check);
}

// What a former one kept while the store could not be written comes first.
static void start_watch(struct check_command *check)
{
    struct runtime *runtime = &check->runtime;
    runtime->standby = standby_new(&check->loop, check->config->agent.store, config_path(check));
    standby_use_file(runtime->standby, check->config);
    if (!standby_give_back(runtime->standby, runtime->writer, check->config, configure, check))
        configure(check);
}

static void print_unpaid(const struct check_command *check)
{
    const cJSON *flow, *undo;
    if (!check->options->no_store)
        return;
    cJSON_ArrayForEach(flow, check->report.flows)
    {
        cJSON_ArrayForEach(undo, json_member(flow, "undo"))
        {
            const char *state = json_text(undo, "state"), *problem = json_text(undo, "problem");
            if (!undo_state_is_settled(state))
                fprintf(stderr,
                        "erpwatch check: flow %s, run %s: what \"%s\" made may still be there "
                        "(%s%s%s); nothing will remove it, as no store is kept\n",
                        json_text(flow, "flow"), json_text(flow, "run"), json_text(undo, "step"),
                        state, problem ? ": " : "", problem ? problem : "");
        }
    }
}

// A store that cannot be written is our own fault: over a good result, below a failing one.
static int exit_code(const struct check_command *check)
{
    int code = check->report.exit_code;
    return check->interrupted || (check->store_fails && code != COMMAND_FAILED) ? COMMAND_UNKNOWN
                                                                                : code;
}

static int run_check(struct check_command *check)
{
    g_autoptr(GError) error = NULL;
    const char *path = check->options->no_store ? NULL : check->config->agent.store;
    uv_loop_init(&check->loop);
    if (!runtime_open(&check->runtime, &check->loop, check->config, path, &error)) {
        uv_loop_close(&check->loop);
        g_autofree char *sentence = store_trouble_sentence(error);
        return command_fail("check", "%s (--no-store runs without)", sentence);
    }
    if (check->options->now)
        flow_gate_open(check->runtime.engine->gate);
    check_report_init(&check->report, clock_wall_now());
    check->report.coloured = command_on_terminal();
    check->report.exchanges = check->options->verbose;
    watch_signals(check);
    start_debts(check);
    if (check->options->notify)
        start_watch(check);
    else
        start_runs(check);
    uv_run(&check->loop, UV_RUN_DEFAULT);
    g_clear_pointer(&check->runs, check_runs_free);
    uv_run(&check->loop, UV_RUN_DEFAULT);
    runtime_clear(&check->runtime);
    uv_loop_close(&check->loop);
    g_autofree char *text = check_report_format(&check->report, check->options->format);
    fputs(text, stdout);
    print_unpaid(check);
    int code = exit_code(check);
    check_report_clear(&check->report);
    return code;
}

static bool read_deadline(const struct check_options *options, int64_t *deadline_ms)
{
    const char *text = options->deadline;
    if (!text && strcmp(options->format, "nagios") == 0)
        text = NAGIOS_DEADLINE;
    *deadline_ms = 0;
    return command_read_duration("check", "--deadline", text, deadline_ms);
}

static bool is_format(const char *format)
{
    static const char *const formats[] = {"table", "json", "junit", "nagios", NULL};
    return g_strv_contains(formats, format);
}

// What is wrong with the options, or COMMAND_PARSED.
static int check_options(const struct check_options *options, int64_t *deadline_ms)
{
    if (!is_format(options->format))
        return command_fail("check", "there is no format %s: write table, json, junit or nagios",
                            options->format);
    if (!read_deadline(options, deadline_ms))
        return COMMAND_UNKNOWN;
    if (options->notify && options->no_store)
        return command_fail("check", "--notify needs the store that --no-store leaves out");
    return COMMAND_PARSED;
}

static int check_named(const struct check_options *options, char **names)
{
    int64_t deadline_ms = 0;
    int code = check_options(options, &deadline_ms);
    if (code != COMMAND_PARSED)
        return code;
    g_autoptr(config_t) config = command_load_config(options->config, CONFIG_MISSING_IS_NEED);
    if (!config)
        return COMMAND_UNKNOWN;
    g_autoptr(GPtrArray) flows = choose_flows(config, names);
    if (!flows)
        return COMMAND_UNKNOWN;
    if (flows->len == 0)
        return command_fail("check", "there is no flow to run");
    struct check_command check = {
        .options = options, .config = config, .flows = flows, .deadline_ms = deadline_ms};
    return run_check(&check);
}

int cmd_check(int argc, char **argv)
{
    struct check_options options = {0};
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&options.config),
        {"format", 0, 0, G_OPTION_ARG_STRING, &options.format,
         "table (default), json, junit or nagios", "FORMAT"},
        {"notify", 0, 0, G_OPTION_ARG_NONE, &options.notify,
         "Let incidents and mails follow, as the agent would", NULL},
        {"no-store", 0, 0, G_OPTION_ARG_NONE, &options.no_store, "Keep nothing", NULL},
        {"now", 0, 0, G_OPTION_ARG_NONE, &options.now,
         "Run them also where their system is left alone after a refusal", NULL},
        {"deadline", 0, 0, G_OPTION_ARG_STRING, &options.deadline,
         "End the steps after this time, then undo (nagios: " NAGIOS_DEADLINE ")", "DURATION"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options.verbose, "Show the exchanges", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 0, -1);
    if (!options.format)
        options.format = g_strdup("table");
    if (code == COMMAND_PARSED)
        code = check_named(&options, argv + 1);
    g_free(options.config);
    g_free(options.format);
    g_free(options.deadline);
    return code;
}

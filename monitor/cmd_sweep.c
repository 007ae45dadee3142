// SPDX-License-Identifier: MIT
// erpwatch sweep: looks for test records that were left behind, now, and deletes them;
// --dry-run only says which. Sweeps of one system run one after the other.
#include "command.h"
#include "report_view.h"
#include "sweep_job.h"
#include "table.h"

#include "../probes/flow_stop.h"
#include "store_trouble.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

// A sweep of the same system that another process runs is waited for so long.
#define LOCK_PATIENCE_US (INT64_C(120) * G_USEC_PER_SEC)
#define LOCK_WAIT_US (INT64_C(100) * 1000)

struct sweep_command {
    const struct config *config;
    bool dry_run;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct runtime runtime;
    struct flow_stop *stop;
    GPtrArray *runs; // of struct sweep_wait
    guint done;
};

// One sweep: waiting for its turn, or running.
struct sweep_wait {
    struct sweep_command *command;
    const struct config_sweep *sweep;
    uv_timer_t timer;
    struct clock_mono since;
    cJSON *json; // the result
    enum sweep_outcome outcome;
};

static void on_closed(void *context)
{
    struct sweep_command *command = context;
    for (size_t i = 0; i < G_N_ELEMENTS(command->signals); i++)
        uv_close((uv_handle_t *)&command->signals[i], NULL);
    for (guint i = 0; i < command->runs->len; i++) {
        struct sweep_wait *wait = command->runs->pdata[i];
        uv_close((uv_handle_t *)&wait->timer, NULL);
    }
}

static void end_sweep(struct sweep_wait *wait, const struct sweep_result *result, cJSON *json)
{
    struct sweep_command *command = wait->command;
    wait->json = json;
    wait->outcome = sweep_outcome(result);
    if (++command->done < command->runs->len)
        return;
    g_clear_pointer(&command->stop, flow_stop_free);
    runtime_close(&command->runtime, on_closed, command);
}

static void on_swept(const struct sweep_result *result, const cJSON *json, bool notices,
                     void *context)
{
    (void)notices; // the agent or deliver sends them
    end_sweep(context, result, cJSON_Duplicate(json, true));
}

static void give_up_waiting(struct sweep_wait *wait)
{
    const struct sweep_command *command = wait->command;
    g_autoptr(sweep_result_t) result = sweep_result_new(wait->sweep, clock_wall_now());
    result->dry_run = command->dry_run;
    result->cut_off = true;
    result->problem = g_strdup(command->stop ? "it was interrupted"
                                             : "another process sweeps this system, and has not "
                                               "ended in time");
    end_sweep(wait, result, sweep_result_to_json(result, command->runtime.engine->redact));
}

static void start_sweep(struct sweep_wait *wait);

static void on_wait_over(uv_timer_t *timer)
{
    struct sweep_wait *wait = timer->data;
    flow_engine_end_wait(wait->command->runtime.engine, timer);
    start_sweep(wait);
}

// True while a sweep before this one, of the same system, has not ended.
static bool waits_for_own(const struct sweep_wait *wait)
{
    const GPtrArray *runs = wait->command->runs;
    for (guint i = 0; runs->pdata[i] != wait; i++) {
        const struct sweep_wait *before = runs->pdata[i];
        if (before->sweep->system == wait->sweep->system && !before->json)
            return true;
    }
    return false;
}

static void start_sweep(struct sweep_wait *wait)
{
    struct sweep_command *command = wait->command;
    struct clock_mono now = clock_mono_now();
    bool own = waits_for_own(wait);
    if (own || wait->since.us == 0)
        wait->since = now;
    if (command->runtime.engine->stopping || now.us - wait->since.us > LOCK_PATIENCE_US)
        give_up_waiting(wait);
    else if (own || !sweep_job_start(&command->runtime, command->config, wait->sweep,
                                     command->dry_run, on_swept, wait))
        flow_engine_wait(command->runtime.engine, &wait->timer, on_wait_over, LOCK_WAIT_US);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct sweep_command *command = handle->data;
    (void)number;
    if (command->stop || command->done == command->runs->len)
        return;
    fprintf(stderr, "erpwatch sweep: stopping: the call in flight may end\n");
    command->stop = flow_stop_begin(command->runtime.engine, command->config->agent.stop_ms);
}

static void watch_signals(struct sweep_command *command)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        uv_signal_init(&command->loop, &command->signals[i]);
        command->signals[i].data = command;
        uv_signal_start(&command->signals[i], on_signal, numbers[i]);
    }
}

/* What is printed */

static char *known_of(const cJSON *record)
{
    GString *text = g_string_new(NULL);
    const cJSON *known = NULL;
    cJSON_ArrayForEach(known, json_member(record, "known"))
    {
        g_autofree char *value =
            cJSON_IsString(known) ? g_strdup(known->valuestring) : json_print(known, false);
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", known->string, value);
    }
    return g_string_free(text, FALSE);
}

static void add_records(struct table *table, const struct report_view *view, const cJSON *result)
{
    const cJSON *record = NULL;
    cJSON_ArrayForEach(record, json_member(result, "records"))
    {
        const char *problem = json_text(record, "problem");
        g_autofree char *known = known_of(record), *at = report_view_time(view, record, "at");
        g_autofree char *why =
            g_strconcat(json_text(record, "why"), problem ? ": " : NULL, problem, NULL);
        table_add(table, json_text(result, "sweep"), json_text(record, "name"), known, at,
                  json_text(record, "state"), why);
    }
}

static void print_table(const struct sweep_command *command)
{
    const struct report_view view = {.config = (struct config *)(uintptr_t)command->config};
    g_autoptr(table_t) table = table_new("SWEEP", "RECORD", "KNOWN", "TIME", "STATE", "WHAT", NULL);
    guint records = 0;
    for (guint i = 0; i < command->runs->len; i++) {
        const struct sweep_wait *wait = command->runs->pdata[i];
        records += (guint)cJSON_GetArraySize(json_member(wait->json, "records"));
        add_records(table, &view, wait->json);
    }
    g_autofree char *text = table_format(table, report_view_colour);
    if (records > 0)
        printf("%s\n", text);
    for (guint i = 0; i < command->runs->len; i++) {
        const struct sweep_wait *wait = command->runs->pdata[i];
        g_autofree char *summary = table_clean(json_text(wait->json, "summary"));
        printf("%s at %s: %s\n", wait->sweep->id, wait->sweep->system->id, summary);
    }
}

// 2 over 3 over 1 over 0.
static enum sweep_outcome worst_of(const struct sweep_command *command)
{
    static const int rank[] = {
        [SWEEP_OK] = 0, [SWEEP_LEFT] = 1, [SWEEP_UNKNOWN] = 2, [SWEEP_SEARCH_FAILED] = 3};
    enum sweep_outcome worst = SWEEP_OK;
    for (guint i = 0; i < command->runs->len; i++) {
        const struct sweep_wait *wait = command->runs->pdata[i];
        if (rank[wait->outcome] > rank[worst])
            worst = wait->outcome;
    }
    return worst;
}

static void print_json(const struct sweep_command *command, struct clock_wall started)
{
    g_autoptr(cJSON) document = cJSON_CreateObject();
    g_autofree char *at = clock_wall_format(started);
    json_add_text(document, "erpwatch", ERPWATCH_VERSION);
    json_add_text(document, "started", at);
    json_add_text(document, "state", sweep_outcome_word(worst_of(command)));
    cJSON_AddBoolToObject(document, "dry_run", command->dry_run);
    cJSON *sweeps = cJSON_AddArrayToObject(document, "sweeps");
    for (guint i = 0; i < command->runs->len; i++) {
        const struct sweep_wait *wait = command->runs->pdata[i];
        cJSON_AddItemToArray(sweeps, cJSON_Duplicate(wait->json, true));
    }
    report_view_print_json(document);
}

static int run_sweeps(struct sweep_command *command, bool json)
{
    g_autoptr(GError) error = NULL;
    struct clock_wall started = clock_wall_now();
    uv_loop_init(&command->loop);
    if (!runtime_open(&command->runtime, &command->loop, command->config,
                      command->config->agent.store, &error)) {
        uv_loop_close(&command->loop);
        return store_trouble_fail("sweep", error);
    }
    watch_signals(command);
    for (guint i = 0; i < command->runs->len; i++) {
        struct sweep_wait *wait = command->runs->pdata[i];
        uv_timer_init(&command->loop, &wait->timer);
        wait->timer.data = wait;
    }
    for (guint i = 0; i < command->runs->len; i++)
        start_sweep(command->runs->pdata[i]);
    uv_run(&command->loop, UV_RUN_DEFAULT);
    runtime_clear(&command->runtime);
    uv_loop_close(&command->loop);
    if (json)
        print_json(command, started);
    else
        print_table(command);
    return (int)worst_of(command);
}

/* Which sweeps */

static bool is_chosen(const struct config_sweep *sweep, char **names)
{
    if (!*names)
        return !sweep->off;
    for (; *names; names++)
        if (strcmp(*names, sweep->id) == 0 ||
            (!sweep->off && strcmp(*names, sweep->system->id) == 0))
            return true;
    return false;
}

static void free_wait(void *data)
{
    struct sweep_wait *wait = data;
    cJSON_Delete(wait->json);
    g_free(wait);
}

static void choose_sweeps(struct sweep_command *command, char **names)
{
    const GPtrArray *sweeps = command->config->sweeps;
    for (guint i = 0; i < sweeps->len; i++) {
        if (!is_chosen(sweeps->pdata[i], names))
            continue;
        struct sweep_wait *wait = g_new0(struct sweep_wait, 1);
        wait->command = command;
        wait->sweep = sweeps->pdata[i];
        g_ptr_array_add(command->runs, wait);
    }
}

static int sweep_named(const char *path, const char *format, bool dry_run, char **names)
{
    if (format && strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
        return command_fail("sweep", "there is no format %s: write table or json", format);
    g_autoptr(config_t) config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    if (!config)
        return COMMAND_UNKNOWN;
    for (char **name = names; *name; name++)
        if (!command_find_name("sweep", config, COMMAND_SWEEP | COMMAND_SYSTEM, *name))
            return COMMAND_UNKNOWN;
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func(free_wait);
    struct sweep_command command = {.config = config, .dry_run = dry_run, .runs = runs};
    choose_sweeps(&command, names);
    if (runs->len == 0)
        return command_fail(
            "sweep", "there is no sweep to run: neither \"sweeps\" nor a pack in use has one");
    return run_sweeps(&command, g_strcmp0(format, "json") == 0);
}

int cmd_sweep(int argc, char **argv)
{
    g_autofree char *path = NULL, *format = NULL;
    gboolean dry_run = FALSE;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run,
         "Only search: delete nothing, and say what would be", NULL},
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table (default) or json", "FORMAT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 0, -1);
    if (code != COMMAND_PARSED)
        return code;
    return sweep_named(path, format, dry_run, argv + 1);
}

// SPDX-License-Identifier: MIT
// `history FLOW`: its past runs, newest first; those of a sweep likewise.
#include "command.h"
#include "report.h"
#include "report_view.h"
#include "sweep_rows.h"
#include "table.h"

#include <stdio.h>

enum { RUNS_SHOWN = 50 };

static void print_runs(const struct report_view *view, const cJSON *history)
{
    g_autoptr(table_t) table = table_new("STARTED", "STATE", "TOOK", "RUN", "WHAT", NULL);
    const cJSON *run = NULL;
    cJSON_ArrayForEach(run, json_member(history, "runs"))
    {
        g_autofree char *started = report_view_time(view, run, "started");
        g_autofree char *took = report_view_span(json_integer(run, "duration_ms", 0));
        bool counted = cJSON_IsTrue(json_member(run, "counted"));
        g_autofree char *state =
            g_strdup_printf("%s%s", json_text(run, "state"), counted ? "" : " (not counted)");
        table_add(table, started, state, took, json_text(run, "run"), json_text(run, "summary"));
    }
    g_autofree char *text = table_format(table, report_view_colour);
    fputs(text, stdout);
}

static void print_sweeps(const struct report_view *view, const cJSON *history)
{
    g_autoptr(table_t) table = table_new("STARTED", "STATE", "TOOK", "WHAT", NULL);
    const cJSON *run = NULL;
    cJSON_ArrayForEach(run, json_member(history, "runs"))
    {
        g_autofree char *started = report_view_time(view, run, "started");
        g_autofree char *took = report_view_span(json_integer(run, "duration_ms", 0));
        table_add(table, started, json_text(run, "state"), took, json_text(run, "summary"));
    }
    g_autofree char *text = table_format(table, report_view_colour);
    fputs(text, stdout);
}

static int show_sweep(const struct report_view *view, const char *sweep, int limit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) history = sweep_rows_history(view->db, sweep, limit, &error);
    if (history == NULL) {
        return command_fail("history", "%s", error->message);
    }
    if (view->json) {
        report_view_print_json(history);
    } else {
        print_sweeps(view, history);
    }
    return COMMAND_OK;
}

static int show(const struct report_view *view, const char *flow, int limit)
{
    g_autoptr(GError) error = NULL;
    bool is_sweep = config_find_sweep(view->config, flow) && !config_find_flow(view->config, flow);
    if (is_sweep && view->db != NULL) {
        return show_sweep(view, flow, limit);
    }
    g_autoptr(cJSON) history =
        view->db != NULL ? report_history(view->db, flow, limit, &error) : NULL;
    if (error != NULL) {
        return command_fail("history", "%s", error->message);
    }
    int runs = cJSON_GetArraySize(json_member(history, "runs"));
    if (runs == 0 && !is_sweep && command_find_flow("history", view->config, flow) == NULL) {
        return COMMAND_UNKNOWN;
    }
    if (history == NULL) {
        return command_fail("history",
                            "there is no store %s yet: erpwatch run and erpwatch check make it",
                            view->config->agent.store);
    }
    if (view->json) {
        report_view_print_json(history);
    } else {
        print_runs(view, history);
    }
    return COMMAND_OK;
}

int cmd_history(int argc, char **argv)
{
    g_autofree char *path = NULL, *format = NULL;
    int limit = RUNS_SHOWN;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table or json", "FORMAT"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "At most so many runs (default 50)", "N"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    struct report_view view = {0};
    int code = command_parse(&argc, &argv, entries, 1, 1);
    if (code != COMMAND_PARSED) {
        return code;
    }
    if (limit < 1) {
        return command_fail("history", "--limit is a number from 1");
    }
    code = report_view_open(&view, "history", path, format) ? show(&view, argv[1], limit)
                                                            : COMMAND_UNKNOWN;
    report_view_clear(&view);
    return code;
}

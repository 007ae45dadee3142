// SPDX-License-Identifier: MIT
// `history FLOW`: its past runs, newest first, among them when one of its systems got another
// version; the runs of a sweep, and the versions of a system, likewise.
#include "command.h"
#include "report.h"
#include "report_view.h"
#include "store_trouble.h"
#include "sweep_rows.h"
#include "table.h"
#include "version_rows.h"

#include <stdio.h>
#include <string.h>

enum { RUNS_SHOWN = 50 };

// True where the note is of later than the run, or there is no run.
static bool is_newer(const cJSON *note, const cJSON *run)
{
    return note != NULL &&
           (run == NULL || strcmp(json_text(note, "at"), json_text(run, "started")) > 0);
}

static int compare_at(const void *left, const void *right)
{
    return strcmp(json_text(*(const cJSON *const *)right, "at"),
                  json_text(*(const cJSON *const *)left, "at"));
}

// Newest first, where they came from several places.
static void sort_by_time(cJSON *array)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    while (array->child != NULL) {
        g_ptr_array_add(sorted, cJSON_DetachItemViaPointer(array, array->child));
    }
    g_ptr_array_sort(sorted, compare_at);
    for (guint i = 0; i < sorted->len; i++) {
        cJSON_AddItemToArray(array, sorted->pdata[i]);
    }
}

static void add_note(cJSON *notes, const cJSON *of, const char *state, const char *what)
{
    cJSON *note = cJSON_CreateObject();
    json_add_text(note, "at", json_text(of, "at"));
    json_add_text(note, "state", state);
    json_add_text(note, "what", what);
    cJSON_AddItemToArray(notes, note);
}

// What stands between the runs: {"at", "state", "what"}, newest first.
static cJSON *notes_of(const cJSON *history)
{
    cJSON *notes = cJSON_CreateArray();
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(history, "versions"))
    {
        g_autofree char *what =
            g_strdup_printf("version of %s: %s became %s", json_text(item, "system"),
                            json_text(item, "from"), json_text(item, "to"));
        add_note(notes, item, "version", what);
    }
    cJSON_ArrayForEach(item, json_member(history, "missed"))
    {
        int starts = (int)json_integer(item, "starts", 0);
        g_autofree char *what = g_strdup_printf("%d start%s did not take place until then", starts,
                                                starts == 1 ? "" : "s");
        add_note(notes, item, "missed", what);
    }
    sort_by_time(notes);
    return notes;
}

static void add_line(struct table *table, const struct report_view *view, const cJSON *note)
{
    g_autofree char *at = report_view_time(view, note, "at");
    table_add(table, at, json_text(note, "state"), NULL, NULL, json_text(note, "what"));
}

static void print_runs(const struct report_view *view, const cJSON *history)
{
    g_autoptr(table_t) table = table_new("STARTED", "STATE", "TOOK", "RUN", "WHAT", NULL);
    g_autoptr(cJSON) notes = notes_of(history);
    const cJSON *note = notes->child, *run = NULL;
    cJSON_ArrayForEach(run, json_member(history, "runs"))
    {
        for (; is_newer(note, run); note = note->next) {
            add_line(table, view, note);
        }
        g_autofree char *started = report_view_time(view, run, "started");
        g_autofree char *took = report_view_span(json_integer(run, "duration_ms", 0));
        bool counted = cJSON_IsTrue(json_member(run, "counted"));
        g_autofree char *state =
            g_strdup_printf("%s%s", json_text(run, "state"), counted ? "" : " (not counted)");
        table_add(table, started, state, took, json_text(run, "run"), json_text(run, "summary"));
    }
    for (; is_newer(note, NULL); note = note->next) {
        add_line(table, view, note);
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
        return store_trouble_fail("history", error);
    }
    if (view->json) {
        report_view_print_json(history);
    } else {
        print_sweeps(view, history);
    }
    return COMMAND_OK;
}

// Adds to the history when a system that the flow (NULL: this system) calls got another version.
static bool add_versions(const struct report_view *view, cJSON *history,
                         const struct config_flow *flow, const char *system, int limit,
                         GError **error)
{
    cJSON *changes = cJSON_AddArrayToObject(history, "versions");
    GHashTableIter iterator;
    void *id;
    g_hash_table_iter_init(&iterator, view->config->systems);
    while (g_hash_table_iter_next(&iterator, &id, NULL)) {
        bool concerns = flow != NULL ? config_flow_uses(flow, id) : g_strcmp0(id, system) == 0;
        if (concerns &&
            !version_rows_changes(view->db, id, (struct clock_wall){0}, limit, changes, error)) {
            return false;
        }
    }
    sort_by_time(changes);
    return true;
}

static int show_system(const struct report_view *view, const char *system, int limit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) history = cJSON_CreateObject();
    json_add_text(history, "system", system);
    if (!add_versions(view, history, NULL, system, limit, &error)) {
        return store_trouble_fail("history", error);
    }
    if (view->json) {
        report_view_print_json(history);
    } else {
        print_runs(view, history);
    }
    return COMMAND_OK;
}

static int show(const struct report_view *view, const char *flow, int limit)
{
    g_autoptr(GError) error = NULL;
    const struct config_flow *known = config_find_flow(view->config, flow);
    bool is_sweep = known == NULL && config_find_sweep(view->config, flow) != NULL;
    bool is_system = known == NULL && g_hash_table_contains(view->config->systems, flow);
    if (is_sweep && view->db != NULL) {
        return show_sweep(view, flow, limit);
    }
    if (is_system && view->db != NULL) {
        return show_system(view, flow, limit);
    }
    g_autoptr(cJSON) history =
        view->db != NULL ? report_history(view->db, flow, limit, &error) : NULL;
    if (history != NULL && known != NULL) {
        (void)add_versions(view, history, known, NULL, limit, &error);
    }
    if (error != NULL) {
        return store_trouble_fail("history", error);
    }
    int runs = cJSON_GetArraySize(json_member(history, "runs"));
    if (runs == 0 && !command_find_name("history", view->config,
                                        COMMAND_FLOW | COMMAND_SWEEP | COMMAND_SYSTEM, flow)) {
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

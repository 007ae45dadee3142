// SPDX-License-Identifier: MIT
// `status`: the present state of each flow and the open incidents, from the store.
#include "command.h"
#include "report.h"
#include "report_view.h"
#include "store_trouble.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

// "failed, suspect 1", "ok, muted": the state, and what is to be said of it.
static char *state_of(const cJSON *flow)
{
    const char *phase = json_text(flow, "phase");
    GString *text = g_string_new(json_text(flow, "state"));
    if (g_strcmp0(phase, "suspect") == 0 || g_strcmp0(phase, "recovering") == 0) {
        g_string_append_printf(text, " (%s %d)", phase, (int)json_integer(flow, "count", 0));
    }
    if (cJSON_IsTrue(json_member(flow, "muted"))) {
        g_string_append(text, " (muted)");
    }
    return g_string_free(text, FALSE);
}

static void add_flow(struct table *table, const struct report_view *view, const cJSON *flow)
{
    g_autofree char *state = state_of(flow);
    g_autofree char *started = report_view_time(view, flow, "started");
    g_autofree char *good = report_view_time(view, flow, "last_good");
    bool ran = started != NULL;
    g_autofree char *took = ran ? report_view_span(json_integer(flow, "duration_ms", 0)) : NULL;
    const char *off = json_text(flow, "off"), *summary = json_text(flow, "summary");
    table_add(table, json_text(flow, "flow"), json_text(flow, "system"),
              json_text(flow, "priority"), state, started, took, good,
              off != NULL              ? off
              : ran || summary != NULL ? summary
                                       : "no run has counted yet");
}

static void print_table(struct table *table)
{
    g_autofree char *text = table_format(table, report_view_colour);
    fputs(text, stdout);
}

static void print_flows(const struct report_view *view, const cJSON *status)
{
    g_autoptr(table_t) table =
        table_new("FLOW", "SYSTEM", "P", "STATE", "LAST RUN", "TOOK", "LAST GOOD", "WHAT", NULL);
    const cJSON *flow = NULL;
    cJSON_ArrayForEach(flow, json_member(status, "flows"))
    {
        add_flow(table, view, flow);
    }
    print_table(table);
}

static void print_sweeps(const struct report_view *view, const cJSON *status)
{
    const cJSON *sweeps = json_member(status, "sweeps"), *sweep = NULL;
    if (cJSON_GetArraySize(sweeps) == 0) {
        return;
    }
    g_autoptr(table_t) table =
        table_new("SWEEP", "SYSTEM", "STATE", "LAST RUN", "LAST GOOD", "WHAT", NULL);
    cJSON_ArrayForEach(sweep, sweeps)
    {
        g_autofree char *started = report_view_time(view, sweep, "started");
        g_autofree char *good = report_view_time(view, sweep, "last_good");
        const char *off = json_text(sweep, "off"), *summary = json_text(sweep, "summary");
        table_add(table, json_text(sweep, "sweep"), json_text(sweep, "system"),
                  json_text(sweep, "state"), started, good,
                  off != NULL       ? off
                  : summary != NULL ? summary
                                    : "it has not run yet");
    }
    putchar('\n');
    print_table(table);
}

static void print_versions(const struct report_view *view, const cJSON *status)
{
    const cJSON *versions = json_member(status, "versions"), *version = NULL;
    if (cJSON_GetArraySize(versions) == 0) {
        return;
    }
    g_autoptr(table_t) table = table_new("SYSTEM", "VERSION", "SINCE", "SEEN", "WHAT", NULL);
    cJSON_ArrayForEach(version, versions)
    {
        g_autofree char *since = report_view_time(view, version, "since");
        g_autofree char *seen = report_view_time(view, version, "seen");
        g_autofree char *unknown = report_view_time(view, version, "unknown_since");
        g_autofree char *what =
            unknown != NULL
                ? g_strdup_printf("unknown since %s: %s", unknown, json_text(version, "problem"))
                : g_strdup(seen != NULL ? "" : "it has not been asked yet");
        table_add(table, json_text(version, "system"), json_text(version, "version"), since, seen,
                  what);
    }
    putchar('\n');
    print_table(table);
}

static void print_incidents(const struct report_view *view, const cJSON *status)
{
    const cJSON *incidents = json_member(status, "incidents");
    if (cJSON_GetArraySize(incidents) == 0) {
        return;
    }
    g_autoptr(table_t) table =
        table_new("INCIDENT", "SYSTEM", "STATE", "OPENED", "LASTS", "FLOWS", NULL);
    const cJSON *incident = NULL;
    cJSON_ArrayForEach(incident, incidents)
    {
        g_autofree char *opened = report_view_time(view, incident, "opened");
        g_autofree char *lasts = report_view_span(json_integer(incident, "duration_ms", 0));
        g_autofree char *flows = report_view_join(json_member(incident, "flows"));
        table_add(table, json_text(incident, "incident"), json_text(incident, "system"),
                  json_text(incident, "state"), opened, lasts, flows);
    }
    putchar('\n');
    print_table(table);
}

static void print_mutes(const struct report_view *view, const cJSON *status)
{
    const cJSON *mute = NULL;
    cJSON_ArrayForEach(mute, json_member(status, "mutes"))
    {
        g_autofree char *until = report_view_time(view, mute, "until");
        g_autofree char *why = table_clean(json_text(mute, "why"));
        printf("\nThe %s %s is muted until %s: %s\n", json_text(mute, "kind"),
               json_text(mute, "target"), until, why);
    }
}

static void print_left_alone(const struct report_view *view, const cJSON *status)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(status, "left_alone"))
    {
        g_autofree char *until = report_view_time(view, item, "until");
        printf("\nThe system %s is left alone until %s after %s: erpwatch check --now tries it at "
               "once.\n",
               json_text(item, "system"), until, json_text(item, "why"));
    }
}

static void print_budgets(const struct report_view *view, const cJSON *status)
{
    const cJSON *flow = NULL;
    cJSON_ArrayForEach(flow, json_member(status, "flows"))
    {
        const cJSON *budget = json_member(flow, "budget");
        gint64 runs = json_integer(budget, "runs_per_day", 0);
        if (runs == 0 || json_integer(budget, "spent", 0) < runs) {
            continue;
        }
        g_autofree char *until = report_view_time(view, budget, "until");
        printf("\nThe budget of %s, %d run%s a day, is spent until %s.\n", json_text(flow, "flow"),
               (int)runs, runs == 1 ? "" : "s", until);
    }
}

// "Mail to ops@agency.example (opened): given up after 1 attempt: what the server said".
static void print_mail_problem(const cJSON *problem)
{
    const char *said = json_text(problem, "reply"), *state = json_text(problem, "state");
    g_autofree char *reply = table_clean(said != NULL ? said : "no reply");
    int attempts = (int)json_integer(problem, "attempts", 0);
    printf("Mail to %s (%s): %s after %d attempt%s: %s\n", json_text(problem, "recipient"),
           json_text(problem, "kind"), strcmp(state, "given_up") == 0 ? "given up" : state,
           attempts, attempts == 1 ? "" : "s", reply);
}

static void print_mail(const cJSON *status)
{
    gint64 waiting = json_integer(json_member(status, "outbox"), "waiting", 0);
    const cJSON *problems = json_member(status, "mail_problems");
    const cJSON *problem = NULL;
    if (waiting > 0) {
        printf("\n%d mail%s wait%s to be sent: the agent or erpwatch deliver does it.\n",
               (int)waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
    }
    if (cJSON_GetArraySize(problems) > 0) {
        putchar('\n');
    }
    cJSON_ArrayForEach(problem, problems)
    {
        print_mail_problem(problem);
    }
    const cJSON *untold = NULL;
    cJSON_ArrayForEach(untold, json_member(status, "untold"))
    {
        printf("\nNobody could be told of the incident %s.\n", untold->valuestring);
    }
}

static void print_agent(const struct report_view *view, const cJSON *status)
{
    const cJSON *agent = json_member(status, "agent");
    g_autofree char *heartbeat = report_view_time(view, agent, "heartbeat");
    gint64 owed = json_integer(status, "undo_owed", 0);
    if (owed > 0) {
        printf("\n%d undo%s owed: test records that are still to be deleted.\n", (int)owed,
               owed == 1 ? " is" : "s are");
    }
    if (heartbeat == NULL) {
        puts("\nNo agent has run on this store yet: erpwatch run starts one.");
    } else if (!cJSON_IsTrue(json_member(agent, "running"))) {
        printf("\nThe agent is not running: its last sign of life was at %s.\n", heartbeat);
    }
}

static int show(const struct report_view *view)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) status = report_status(view->db, view->config, clock_wall_now(), &error);
    if (status == NULL) {
        return store_trouble_fail("status", error);
    }
    if (view->json) {
        report_view_print_json(status);
    } else {
        print_flows(view, status);
        print_sweeps(view, status);
        print_versions(view, status);
        print_incidents(view, status);
        print_mutes(view, status);
        print_left_alone(view, status);
        print_budgets(view, status);
        print_mail(status);
        print_agent(view, status);
    }
    return report_status_code(status);
}

int cmd_status(int argc, char **argv)
{
    g_autofree char *path = NULL, *format = NULL;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table or json", "FORMAT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    struct report_view view = {0};
    int code = command_parse(&argc, &argv, entries, 0, 0);
    if (code != COMMAND_PARSED) {
        return code;
    }
    code = report_view_open(&view, "status", path, format) ? show(&view) : COMMAND_UNKNOWN;
    report_view_clear(&view);
    return code;
}

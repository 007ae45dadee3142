// SPDX-License-Identifier: MIT
// `incidents` lists them; `incident ID` shows one: what failed, who was told, why
// each notice was sent, grouped, muted or held, and the evidence.
#include "check_report.h"
#include "command.h"
#include "report.h"
#include "report_view.h"
#include "store_trouble.h"
#include "table.h"
#include "watch.h"

#include <stdio.h>

enum { INCIDENTS_SHOWN = 50 };

static void print_table(struct table *table)
{
    g_autofree char *text = table_format(table, report_view_colour);
    fputs(text, stdout);
}

static void print_incidents(const struct report_view *view, const cJSON *incidents, bool open_only)
{
    if (cJSON_GetArraySize(incidents) == 0) {
        puts(open_only ? "No incident is open." : "There was no incident yet.");
        return;
    }
    g_autoptr(table_t) table =
        table_new("INCIDENT", "SYSTEM", "STATE", "OPENED", "LASTED", "FLOWS", "WHAT", NULL);
    const cJSON *incident = NULL;
    cJSON_ArrayForEach(incident, incidents)
    {
        g_autofree char *opened = report_view_time(view, incident, "opened");
        g_autofree char *lasted = report_view_span(json_integer(incident, "duration_ms", 0));
        g_autofree char *flows = report_view_join(json_member(incident, "flows"));
        table_add(table, json_text(incident, "incident"), json_text(incident, "system"),
                  json_text(incident, "state"), opened, lasted, flows,
                  json_text(incident, "summary"));
    }
    print_table(table);
}

static int show_all(const struct report_view *view, bool open_only, int limit)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) incidents =
        view->db != NULL ? report_incidents(view->db, open_only, limit, clock_wall_now(), &error)
                         : cJSON_CreateArray();
    if (error != NULL) {
        return store_trouble_fail("incidents", error);
    }
    if (view->json) {
        report_view_print_json(incidents);
    } else {
        print_incidents(view, incidents, open_only);
    }
    return COMMAND_OK;
}

int cmd_incidents(int argc, char **argv)
{
    g_autofree char *path = NULL, *format = NULL;
    int limit = INCIDENTS_SHOWN;
    gboolean open_only = FALSE;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table or json", "FORMAT"},
        {"limit", 0, 0, G_OPTION_ARG_INT, &limit, "At most so many (default 50)", "N"},
        {"open", 0, 0, G_OPTION_ARG_NONE, &open_only, "Only those that last", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    struct report_view view = {0};
    int code = command_parse(&argc, &argv, entries, 0, 0);
    if (code != COMMAND_PARSED) {
        return code;
    }
    if (limit < 1) {
        return command_fail("incidents", "--limit is a number from 1");
    }
    code = report_view_open(&view, "incidents", path, format) ? show_all(&view, open_only, limit)
                                                              : COMMAND_UNKNOWN;
    report_view_clear(&view);
    return code;
}

// "NAME  VALUE", where there is one.
static void print_fact(const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        g_autofree char *clean = table_clean(value);
        printf("%-13s %s\n", name, clean);
    }
}

static void print_facts(const struct report_view *view, const cJSON *incident)
{
    g_autofree char *opened = report_view_time(view, incident, "opened");
    g_autofree char *closed = report_view_time(view, incident, "closed");
    g_autofree char *lasted = report_view_span(json_integer(incident, "duration_ms", 0));
    g_autofree char *told = report_view_join(json_member(incident, "told"));
    print_fact("Incident", json_text(incident, "incident"));
    print_fact("System", json_text(incident, "system"));
    print_fact("State", json_text(incident, "state"));
    print_fact("Opened", opened);
    print_fact("Closed", closed);
    print_fact(closed != NULL ? "Lasted" : "Lasts", lasted);
    print_fact("What", json_text(incident, "summary"));
    print_fact("Told", told);
    print_fact("Acknowledged", json_text(incident, "by"));
    print_fact("Note", json_text(incident, "note"));
}

static void print_members(const struct report_view *view, const cJSON *incident)
{
    g_autoptr(table_t) table =
        table_new("FLOW", "STATE", "FIRST FAILED", "LAST FAILED", "LAST GOOD", "RUNS", NULL);
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, json_member(incident, "members"))
    {
        g_autofree char *first = report_view_time(view, member, "first_failed");
        g_autofree char *last = report_view_time(view, member, "last_failed");
        g_autofree char *good = report_view_time(view, member, "last_good");
        g_autofree char *runs =
            g_strdup_printf("%d failed", (int)json_integer(member, "runs_failed", 0));
        bool failing = cJSON_IsTrue(json_member(member, "failing"));
        table_add(table, json_text(member, "flow"), failing ? "failed" : "ok", first, last, good,
                  runs);
    }
    putchar('\n');
    print_table(table);
}

static void print_decisions(const struct report_view *view, const cJSON *incident)
{
    g_autoptr(table_t) table = table_new("WHEN", "DECISION", "WHY", NULL);
    const cJSON *decision = NULL;
    cJSON_ArrayForEach(decision, json_member(incident, "decisions"))
    {
        g_autofree char *at = report_view_time(view, decision, "at");
        table_add(table, at, json_text(decision, "kind"), json_text(decision, "text"));
    }
    putchar('\n');
    print_table(table);
}

static void print_notices(const struct report_view *view, const cJSON *incident)
{
    const cJSON *notices = json_member(incident, "notices");
    if (cJSON_GetArraySize(notices) == 0) {
        return;
    }
    g_autoptr(table_t) table =
        table_new("NOTICE", "CONTACT", "RECIPIENT", "STATE", "LAST TRIED", "ANSWER", NULL);
    const cJSON *notice = NULL;
    cJSON_ArrayForEach(notice, notices)
    {
        g_autofree char *last = report_view_time(view, notice, "last");
        table_add(table, json_text(notice, "kind"), json_text(notice, "contact"),
                  json_text(notice, "recipient"), json_text(notice, "state"), last,
                  json_text(notice, "reply"));
    }
    putchar('\n');
    print_table(table);
}

// As check -v shows a run: each step, and what was sent and came back.
static void print_evidence(const cJSON *incident)
{
    const cJSON *evidence = json_member(incident, "evidence");
    if (!cJSON_IsObject(evidence)) {
        return;
    }
    struct check_report report;
    check_report_init(&report, clock_wall_now());
    report.coloured = command_on_terminal();
    report.exchanges = true;
    cJSON_AddItemToArray(report.flows, cJSON_Duplicate(evidence, true));
    g_autofree char *text = check_report_format(&report, "table");
    puts("\nThe run that opened it:\n");
    fputs(text, stdout);
    check_report_clear(&report);
}

static int show_one(const struct report_view *view, const char *start)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *id = view->db != NULL ? watch_find_incident(view->db, start, &error) : NULL;
    g_autoptr(cJSON) incident =
        id != NULL ? report_incident(view->db, id, clock_wall_now(), &error) : NULL;
    if (view->db == NULL) {
        return command_fail("incident",
                            "there is no store %s yet: erpwatch run and erpwatch check make it",
                            view->config->agent.store);
    }
    if (incident == NULL) {
        return store_trouble_fail("incident", error);
    }
    if (view->json) {
        report_view_print_json(incident);
        return COMMAND_OK;
    }
    print_facts(view, incident);
    print_members(view, incident);
    print_decisions(view, incident);
    print_notices(view, incident);
    print_evidence(incident);
    return COMMAND_OK;
}

int cmd_incident(int argc, char **argv)
{
    g_autofree char *path = NULL, *format = NULL;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table or json", "FORMAT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    struct report_view view = {0};
    int code = command_parse(&argc, &argv, entries, 1, 1);
    if (code != COMMAND_PARSED) {
        return code;
    }
    code = report_view_open(&view, "incident", path, format) ? show_one(&view, argv[1])
                                                             : COMMAND_UNKNOWN;
    report_view_clear(&view);
    return code;
}

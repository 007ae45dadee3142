// SPDX-License-Identifier: MIT
// Reads what keeps flows from doing harm: keys of idempotency, budgets, leaving a system
// alone. Used by the readers of steps, flows and systems.
#include "config_read.h"

#include "../base/cron.h"
#include "../base/duration.h"
#include "../base/ids.h"
#include "../base/json.h"
#include "config_problem.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
#define MINUTES_A_DAY 1440

static void check_idempotency(struct config_reader *reader, const struct config_node *node,
                              const struct step *step)
{
    const struct call *call = step->call;

    if (!config_is_header_name(step->idempotency))
        config_problem_error(reader->problems, node->place,
                             "\"idempotency\" takes the name of a header: write "
                             "Idempotency-Key, or what the system calls it");
    if (call_is_safe(call))
        config_problem_error(reader->problems, node->place,
                             "%s only reads, so there is nothing that could be written twice: "
                             "leave \"idempotency\" out",
                             call->method);
    for (unsigned i = 0; i < call->headers->len; i++) {
        const struct call_field *field = call->headers->pdata[i];

        if (g_ascii_strcasecmp(field->name, step->idempotency) == 0)
            config_problem_error(reader->problems, node->place,
                                 "the header %s stands in \"headers\", too: leave one of them out",
                                 field->name);
    }
}

void config_read_idempotency(struct config_reader *reader, const struct config_node *node,
                             struct step *step)
{
    const struct config_node *key = config_node_get(node, "idempotency");

    step->idempotency = g_strdup(config_node_text(key));
    if (step->idempotency != NULL)
        check_idempotency(reader, key, step);
    else if (step->retry_on_any && !call_is_idempotent(step->call) &&
             config_node_get(node, "lookup") == NULL)
        config_problem_warn(reader->problems, config_node_entry(node, "retry")->place,
                            "on: any repeats a call that may have written, so that one order "
                            "becomes two: write idempotency: Idempotency-Key where the system "
                            "knows it, or a \"lookup\" that finds both");
}

// Starts on the day with most of them; one whose clocks change does not count.
static int starts_per_day(const struct config_flow *flow)
{
    g_autoptr(cron_t) cron = flow->cron != NULL ? cron_parse(flow->cron, NULL) : NULL;

    if (cron != NULL)
        return cron_starts_per_day(cron);
    return flow->every_ms > 0 ? (int)MIN((DAY_MS + flow->every_ms - 1) / flow->every_ms, G_MAXINT)
                              : 0;
}

// The shortest interval that the budget allows, to the minute where it is that long.
static char *fitting_interval(int runs_per_day)
{
    int64_t unit_ms = runs_per_day <= MINUTES_A_DAY ? 60000 : 1000;
    int64_t least_ms = (DAY_MS + runs_per_day - 1) / runs_per_day;

    return duration_format((least_ms + unit_ms - 1) / unit_ms * unit_ms);
}

void config_read_budget(struct config_reader *reader, const struct config_node *node,
                        struct config_flow *flow)
{
    const struct config_entry *entry = config_node_entry(node, "runs_per_day");

    if (entry == NULL)
        return;
    flow->runs_per_day = config_read_integer(entry->value, 0);
    int starts = starts_per_day(flow);

    if (flow->runs_per_day > 0 && starts > 0 && flow->confirm_runs > flow->runs_per_day)
        config_problem_warn(reader->problems, entry->place,
                            "an incident of %s opens after %d failed runs, and the budget allows "
                            "%d a day: raise it, or lower confirm.runs",
                            flow->id, flow->confirm_runs, flow->runs_per_day);
    g_autofree char *interval =
        flow->runs_per_day > 0 ? fitting_interval(flow->runs_per_day) : NULL;

    if (flow->runs_per_day <= 0 || starts <= flow->runs_per_day)
        return;
    if (flow->cron != NULL)
        config_problem_warn(reader->problems, entry->place,
                            "the schedule of %s starts it %d times a day, more than its budget: "
                            "write fewer starts in \"cron\", or a budget of %d and some for "
                            "confirming runs",
                            flow->id, starts, starts);
    else
        config_problem_warn(reader->problems, entry->place,
                            "the schedule of %s starts it %d times a day, more than its budget: "
                            "write every: %s, or a budget of %d and some for confirming runs",
                            flow->id, starts, interval, starts);
}

void config_read_backoff(struct config_reader *reader, const struct config_node *node,
                         struct config_system *system)
{
    const struct config_entry *up_to = config_node_entry(node, "up_to");

    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    system->backoff_after_ms = config_read_duration(config_node_get(node, "after"), 900000);
    system->backoff_up_to_ms = config_read_duration(config_node_get(node, "up_to"), 14400000);
    if (system->backoff_up_to_ms >= system->backoff_after_ms)
        return;
    if (up_to != NULL)
        config_problem_error(reader->problems, up_to->place,
                             "\"up_to\" is shorter than \"after\", from which the wait grows: "
                             "write more");
    system->backoff_up_to_ms = system->backoff_after_ms;
}

struct digest {
    const struct config_reader *reader;
    GString *text;
};

static void add_reference(const char *name, const struct template_reference *reference, void *user)
{
    struct digest *digest = user;
    const char *value =
        reference != NULL ? secret_store_find(digest->reader->config->secrets, reference) : NULL;

    (void)name;
    g_string_append_printf(digest->text, "\n%s", value != NULL ? value : "");
}

static void add_node(struct digest *digest, const struct config_node *node)
{
    g_autoptr(cJSON) json = node != NULL ? config_node_to_json(node) : NULL;
    g_autofree char *text = json != NULL ? json_print(json, false) : NULL;
    g_autoptr(template_t) template = json != NULL ? template_new_json(json, true, NULL) : NULL;

    g_string_append_printf(digest->text, "\n%s", text != NULL ? text : "");
    if (template != NULL)
        template_foreach(template, add_reference, digest);
}

// The secrets' part is 12 bits: enough to see that a password was changed, of no use to whoever
// reads the store and would like to know which it is.
char *config_read_digest(struct config_reader *reader, const struct config_node *url,
                         const struct config_node *const *others, unsigned count)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct digest digest = {reader, text};
    const char *address = config_node_text(url);
    g_autofree char *of_address = ids_hash(16, address != NULL ? address : "", NULL);

    add_node(&digest, url);
    for (unsigned i = 0; i < count; i++)
        add_node(&digest, others[i]);
    return g_strdup_printf("%s.%03x", of_address, (unsigned)(ids_number(text->str) & 0xfff));
}

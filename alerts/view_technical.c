// SPDX-License-Identifier: MIT
// The technical blocks of a mail, each one function, called in the order in
// which they are read: call, answer, when, meaning, steps, request, ids, times.
#include "view_technical.h"
#include "difference.h"
#include "facts.h"
#include "safe_text.h"
#include "tell_failure.h"

#include "../probes/exchange.h"

#include <string.h>

enum { EXCERPT_BYTES = 4096, REQUEST_BYTES = 4096, CURL_BYTES = 16384, TEXT_CHARS = 200 };

static const char *word(const struct tell *tell, const char *text)
{
    return words_get(tell->words, text);
}

// "POST https://erp.example/salesOrders"
static char *full_call(const cJSON *step)
{
    const char *method = facts_text(step, "request", "method");
    const char *url = facts_text(step, "request", "url");

    return method != NULL && url != NULL ? g_strdup_printf("%s %s", method, url) : NULL;
}

// "Acme Business Central (acme-erp, production)"
static char *system_text(const struct tell *tell)
{
    const cJSON *system = json_member(tell->facts, "system");
    g_autofree char *title = safe_text_line(json_text(system, "title"), TEXT_CHARS);
    g_autofree char *id = safe_text_line(json_text(system, "id"), TEXT_CHARS);
    g_autofree char *environment = safe_text_line(json_text(system, "environment"), TEXT_CHARS);

    if (strcmp(title, id) == 0)
        return g_strdup_printf("%s (%s)", title, environment);
    return g_strdup_printf("%s (%s, %s)", title, id, environment);
}

static void add_call(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    g_autofree char *call = full_call(tell->step);
    g_autofree char *system = system_text(tell);

    view_rows_add_literal(rows, word(tell, "Call"), call);
    view_rows_add(rows, word(tell, "Step"), json_text(tell->step, "step"));
    view_rows_add(rows, word(tell, "Flow"), json_text(tell->flow, "title"));
    view_rows_add(rows, word(tell, "System"), system);
    view_rows_add_literal(rows, word(tell, "Address"), json_text(tell->exchange, "peer"));
    view_add_rows(view, VIEW_ROWS, word(tell, "The call that failed"), rows);
}

static char *status_of(const struct tell *tell)
{
    gint64 status = json_integer(tell->step, "status", 0);

    if (status == 0)
        return g_strdup(word(tell, "no answer"));
    return g_strdup_printf("%" G_GINT64_FORMAT, status);
}

static void add_answer_rows(GPtrArray *rows, const struct tell *tell)
{
    g_autofree char *status = status_of(tell);

    view_rows_add_literal(rows, word(tell, "Status"), status);
    view_rows_add_literal(rows, word(tell, "Code"), json_text(tell->verdict, "code"));
    view_rows_add_literal(rows, word(tell, "Message"), json_text(tell->verdict, "message"));
    view_rows_add_literal(rows, word(tell, "Not as expected"),
                          json_text(tell->verdict, "failed_expectation"));
}

static const char *excerpt_title(const struct tell *tell)
{
    gboolean shape = cJSON_IsTrue(json_member(tell->exchange, "shape"));

    return shape ? word(tell, "The shape of the answer (its contents are not for this contact)")
                 : word(tell, "The answer, as it came");
}

static void add_answer(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();

    add_answer_rows(rows, tell);
    view_add_rows(view, VIEW_ROWS, word(tell, "What came back"), rows);
    view_add_code(view, excerpt_title(tell), json_text(tell->exchange, "response_body"),
                  EXCERPT_BYTES);
}

static void add_time(GPtrArray *rows, const struct tell *tell, const char *label, const char *key)
{
    view_rows_add_time(rows, tell->words, label, json_text(tell->flow, key), tell->timezone);
}

static void add_when(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    gint64 failed = json_integer(tell->flow, "runs_failed", 0);
    g_autofree char *runs = words_count(tell->words, "{n} run", "{n} runs", failed);

    add_time(rows, tell, word(tell, "First failure"), "first_failed");
    add_time(rows, tell, word(tell, "Last failure"), "last_failed");
    add_time(rows, tell, word(tell, "Last success"), "last_good");
    view_rows_add(rows, word(tell, "Failed so far"), failed > 0 ? runs : NULL);
    view_add_rows(view, VIEW_ROWS, word(tell, "When"), rows);
}

// The system's version became another one shortly before.
static char *new_version(const struct tell *tell)
{
    const cJSON *change = json_member(json_member(tell->facts, "result"), "version_change");
    g_autofree char *on = words_short_time(tell->words, json_text(change, "at"), tell->timezone);

    if (on == NULL)
        return NULL;
    return words_fill(tell->words, "The version of {system} changed from {from} to {to} on {time}.",
                      "system", json_text(change, "system"), "from", json_text(change, "from"),
                      "to", json_text(change, "to"), "time", on, NULL);
}

static void add_meaning(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    g_autofree char *class = tell->verdict ? tell_class(tell->words, tell->verdict) : NULL;
    g_autofree char *meaning = tell_meaning(tell);
    g_autofree char *next = tell_next(tell);
    g_autofree char *act = tell_act(tell);
    g_autofree char *version = new_version(tell);
    gboolean first_seen = cJSON_IsTrue(json_member(tell->facts, "first_seen"));

    view_rows_add(rows, word(tell, "Kind of failure"), class);
    view_rows_add(rows, word(tell, "Meaning"), meaning);
    view_rows_add(rows, word(tell, "What to do"), next);
    view_rows_add(rows, word(tell, "For this step"), json_text(tell->step, "means"));
    view_rows_add(rows, word(tell, "Who can act"), act);
    view_rows_add(rows, word(tell, "New"),
                  first_seen ? word(tell, "This failure was never seen before on this system.")
                             : NULL);
    view_rows_add(rows, word(tell, "New version"), version);
    view_add_rows(view, VIEW_ROWS, word(tell, "What it means"), rows);
}

static void add_other_flows(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    const cJSON *flow;
    int index = 0;

    cJSON_ArrayForEach(flow, json_member(tell->facts, "flows"))
    {
        if (index++ > 0)
            view_rows_add(rows, word(tell, "Flow"), json_text(flow, "title"));
    }
    view_add_rows(view, VIEW_ROWS, word(tell, "Also failing, for the same reason"), rows);
}

static enum view_tone tone_of(const char *state)
{
    static const struct {
        const char *state;
        enum view_tone tone;
    } tones[] = {{"ok", VIEW_GOOD}, {"slow", VIEW_WARN}, {"failed", VIEW_BAD}};

    for (gsize i = 0; state != NULL && i < G_N_ELEMENTS(tones); i++) {
        if (strcmp(state, tones[i].state) == 0)
            return tones[i].tone;
    }
    return VIEW_PLAIN;
}

// "POST /customers · 201 · 120 ms"
static char *step_note(const struct tell *tell, const cJSON *step)
{
    g_autofree char *call = cJSON_IsObject(json_member(step, "request")) ? tell_call(step) : NULL;
    gint64 status = json_integer(step, "status", 0);
    gint64 ms = json_integer(step, "duration_ms", -1);
    GString *note = g_string_new(call);
    const char *system = json_text(step, "system");

    if (system != NULL && g_strcmp0(system, facts_text(tell->facts, "result", "system")) != 0) {
        g_autofree char *clean = safe_text_line(system, TEXT_CHARS);
        g_string_append_printf(note, "%s%s", note->len ? " · " : "", clean);
    }
    if (status > 0)
        g_string_append_printf(note, "%s%" G_GINT64_FORMAT, note->len ? " · " : "", status);
    if (ms >= 0 && call != NULL)
        g_string_append_printf(note, " · %" G_GINT64_FORMAT " ms", ms);
    if (g_strcmp0(json_text(step, "state"), "skipped") == 0)
        g_string_append_printf(note, "%s%s", note->len ? " · " : "", word(tell, "not tried"));
    return g_string_free(note, FALSE);
}

void view_add_steps(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    const cJSON *step;

    cJSON_ArrayForEach(step, json_member(json_member(tell->facts, "result"), "steps"))
    {
        struct view_row *row = view_rows_add(rows, "", json_text(step, "step"));
        if (row == NULL)
            continue;
        row->note = step_note(tell, step);
        row->tone = tone_of(json_text(step, "state"));
    }
    view_add_rows(view, VIEW_STEPS, word(tell, "The steps of this run"), rows);
}

static void append_headers(GString *text, const cJSON *headers)
{
    const cJSON *header;

    cJSON_ArrayForEach(header, headers)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(header, 0));
        const char *value = cJSON_GetStringValue(cJSON_GetArrayItem(header, 1));
        g_autofree char *clean = safe_text_line(value, 1000);
        if (name != NULL)
            g_string_append_printf(text, "%s: %s\n", name, clean);
    }
}

static void add_request(struct view *view, const struct tell *tell)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *call = full_call(tell->step);
    g_autofree char *curl = NULL;
    const char *body = json_text(tell->exchange, "request_body");

    if (tell->exchange == NULL || call == NULL)
        return;
    g_string_append_printf(text, "%s\n", call);
    append_headers(text, json_member(tell->exchange, "request_headers"));
    if (body != NULL && *body != '\0')
        g_string_append_printf(text, "\n%s", body);
    view_add_code(view, word(tell, "The request, as sent (secrets taken out)"), text->str,
                  REQUEST_BYTES);
    curl = exchange_curl_line(tell->exchange);
    view_add_code(view, word(tell, "To try it yourself"), curl, CURL_BYTES);
}

static void add_correlation(GPtrArray *rows, const struct tell *tell)
{
    const cJSON *id;

    cJSON_ArrayForEach(id, json_member(tell->verdict, "correlation"))
    {
        if (cJSON_IsString(id))
            view_rows_add_literal(rows, id->string, id->valuestring);
    }
}

static void add_ids(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();

    add_correlation(rows, tell);
    view_rows_add_literal(rows, word(tell, "Run"), facts_text(tell->facts, "result", "run"));
    view_rows_add_literal(rows, word(tell, "Incident"), json_text(tell->facts, "incident"));
    view_add_rows(view, VIEW_ROWS, word(tell, "To quote to support"), rows);
}

// The phases of a call; the JSON has the moment when each ended, counted from the start.
static const struct {
    const char *key, *label;
} phases[] = {
    {"dns", WORDS_MARK("Name found")}, {"connect", WORDS_MARK("Connected")},
    {"tls", WORDS_MARK("TLS ready")},  {"first_byte", WORDS_MARK("First byte")},
    {"total", WORDS_MARK("Total")},
};

// How long one phase took; -1 where it did not take place.
static gint64 phase_ms(const cJSON *timing, gsize phase)
{
    gint64 end = json_integer(timing, phases[phase].key, -1);

    if (phase + 1 == G_N_ELEMENTS(phases) || end < 0)
        return end;
    for (gsize before = phase; before-- > 0;) {
        gint64 start = json_integer(timing, phases[before].key, -1);
        if (start >= 0)
            return MAX(end - start, 0);
    }
    return end;
}

static void add_timings(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    const cJSON *timing = json_member(tell->step, "timing_ms");
    const cJSON *usual = difference_last_good_timing(tell->facts);

    for (gsize i = 0; i < G_N_ELEMENTS(phases); i++) {
        gint64 ms = phase_ms(timing, i);
        gint64 usual_ms = phase_ms(usual, i);
        g_autofree char *value = g_strdup_printf("%" G_GINT64_FORMAT " ms", ms);
        g_autofree char *note = g_strdup_printf("%" G_GINT64_FORMAT " ms", usual_ms);
        struct view_row *row =
            ms >= 0 ? view_rows_add(rows, word(tell, phases[i].label), value) : NULL;
        if (row != NULL && usual_ms >= 0)
            row->note = words_fill(tell->words, "last good run: {time}", "time", note, NULL);
    }
    view_add_rows(view, VIEW_ROWS, word(tell, "Time by phase"), rows);
}

static void add_difference(struct view *view, const struct tell *tell)
{
    g_autofree char *text = difference_text(tell->facts, tell->words);

    view_add_text(view, word(tell, "Against the last good answer"), text);
}

void view_add_technical(struct view *view, const struct tell *tell)
{
    add_call(view, tell);
    add_answer(view, tell);
    add_when(view, tell);
    add_meaning(view, tell);
    add_other_flows(view, tell);
    view_add_steps(view, tell);
    add_request(view, tell);
    add_ids(view, tell);
    add_timings(view, tell);
    add_difference(view, tell);
}

void view_add_technical_short(struct view *view, const struct tell *tell)
{
    GPtrArray *rows = view_rows_new();
    g_autofree char *call = full_call(tell->step);
    g_autofree char *meaning = tell_meaning(tell);
    g_autofree char *next = tell_next(tell);
    g_autofree char *act = tell_act(tell);
    g_autofree char *version = new_version(tell);

    view_rows_add_literal(rows, word(tell, "Call"), call);
    add_answer_rows(rows, tell);
    view_rows_add(rows, word(tell, "Meaning"), meaning);
    view_rows_add(rows, word(tell, "What to do"), next);
    view_rows_add(rows, word(tell, "For this step"), json_text(tell->step, "means"));
    view_rows_add(rows, word(tell, "Who can act"), act);
    view_rows_add(rows, word(tell, "New version"), version);
    add_correlation(rows, tell);
    view_add_rows(view, VIEW_ROWS, word(tell, "Technical details, in short"), rows);
}

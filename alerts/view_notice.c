// SPDX-License-Identifier: MIT
// What a mail says first: the headline, the answers to what, since when and what
// now, for each kind of notice and style of reader. The technical blocks follow
// from view_technical.c.
#include "view_notice.h"
#include "facts.h"
#include "safe_text.h"
#include "view_technical.h"

#include <string.h>

enum { NAME_CHARS = 80, MESSAGE_CHARS = 300 };

static const char *word(const struct tell *tell, const char *text)
{
    return words_get(tell->words, text);
}

// When the notice's transition happened.
static void add_at(GPtrArray *rows, const struct tell *tell, const char *label)
{
    view_rows_add_time(rows, tell->words, label, json_text(tell->facts, "at"), tell->timezone);
}

static char *short_time_of(const struct tell *tell, const cJSON *object, const char *key)
{
    return words_short_time(tell->words, json_text(object, key), tell->timezone);
}

static char *join_names(const cJSON *names)
{
    GString *joined = g_string_new(NULL);
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        g_autofree char *clean = safe_text_line(cJSON_GetStringValue(name), NAME_CHARS);
        g_string_append_printf(joined, "%s%s", joined->len > 0 ? ", " : "", clean);
    }
    return g_string_free(joined, FALSE);
}

// The first failure of all flows: since then something does not work.
static const char *since(const struct tell *tell)
{
    const char *first = json_text(tell->facts, "opened");
    const cJSON *flow;

    cJSON_ArrayForEach(flow, json_member(tell->facts, "flows"))
    {
        const char *failed = json_text(flow, "first_failed");
        if (failed != NULL && (first == NULL || strcmp(failed, first) < 0))
            first = failed; // RFC 3339 in UTC sorts as text
    }
    return first;
}

static void add_since(GPtrArray *rows, const struct tell *tell)
{
    view_rows_add_time(rows, tell->words, word(tell, "Since"), since(tell), tell->timezone);
}

// Every impact once, however many flows name it.
static void add_impact(GPtrArray *rows, const struct tell *tell)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    const cJSON *flow;

    cJSON_ArrayForEach(flow, json_member(tell->facts, "flows"))
    {
        const char *impact = json_text(flow, "impact");
        if (impact == NULL || g_ptr_array_find_with_equal_func(seen, impact, g_str_equal, NULL))
            continue;
        view_rows_add(rows, seen->len == 0 ? word(tell, "Impact") : "", impact);
        g_ptr_array_add(seen, (gpointer)(gsize)impact);
    }
}

static void add_told(GPtrArray *rows, const struct tell *tell)
{
    g_autofree char *told = join_names(json_member(tell->facts, "told"));

    view_rows_add(rows, word(tell, "Who was told"), told);
}

static void add_flow_names(GPtrArray *rows, const struct tell *tell, const char *label)
{
    const char *system = facts_text(tell->facts, "system", "title");
    const cJSON *flow;
    gboolean first = TRUE;

    cJSON_ArrayForEach(flow, json_member(tell->facts, "flows"))
    {
        struct view_row *row = view_rows_add(rows, first ? label : "", json_text(flow, "title"));
        if (row != NULL && first)
            row->note = safe_text_line(system, NAME_CHARS);
        first = FALSE;
    }
}

// Is the one who can act among those who were told?
static gboolean actor_was_told(const struct tell *tell)
{
    const char *actor = facts_text(tell->facts, "act", "contact");
    const cJSON *name;

    cJSON_ArrayForEach(name, json_member(tell->facts, "told"))
    {
        if (actor != NULL && g_strcmp0(cJSON_GetStringValue(name), actor) == 0)
            return TRUE;
    }
    return FALSE;
}

// Who can act, as the beginning of a sentence: a contact's name stays as it is.
static char *actor_of(const struct tell *tell)
{
    g_autofree char *act = tell_act(tell);
    g_autofree char *first = NULL;

    if (act == NULL || *act == '\0' || facts_text(tell->facts, "act", "contact") != NULL)
        return g_steal_pointer(&act);
    first = g_utf8_strup(act, (gssize)(g_utf8_next_char(act) - act));
    return g_strconcat(first, g_utf8_next_char(act), NULL);
}

static char *next_of(const struct tell *tell)
{
    g_autofree char *act = actor_of(tell);
    const char *text = WORDS_MARK("Somebody has to look at the technical details below. You get a "
                                  "mail as soon as it works again.");

    if (act != NULL && actor_was_told(tell))
        text = WORDS_MARK("{act} can mend this and has the failing call. You get a mail as soon "
                          "as it works again.");
    else if (act != NULL)
        text = WORDS_MARK("{act} can mend this: please make sure that they know. You get a mail "
                          "as soon as it works again.");
    return words_fill(tell->words, text, "act", act, NULL);
}

static void fill_business(struct view *view, const struct tell *tell)
{
    g_autofree char *next = next_of(tell);

    add_flow_names(view->key, tell, word(tell, "Does not work"));
    add_since(view->key, tell);
    add_impact(view->key, tell);
    add_told(view->key, tell);
    view_rows_add(view->key, word(tell, "What happens next"), next);
    view_add_technical_short(view, tell);
}

// The one sentence that the ERP gives away.
static void add_message(GPtrArray *rows, const struct tell *tell)
{
    g_autofree char *message = safe_text_line(json_text(tell->verdict, "message"), MESSAGE_CHARS);
    gboolean answered = json_integer(tell->step, "status", 0) > 0;
    struct view_row *row =
        answered ? view_rows_add(rows, word(tell, "The system says"), message) : NULL;

    if (row != NULL)
        row->tone = VIEW_BAD;
}

static void fill_technical(struct view *view, const struct tell *tell)
{
    g_autofree char *act = tell_act(tell);
    g_autofree char *meaning = tell_meaning(tell);
    g_autofree char *next = tell_next(tell);

    view->summary = tell_what(tell);
    add_message(view->key, tell);
    add_since(view->key, tell);
    view_rows_add(view->key, word(tell, "What it means"), meaning);
    view_rows_add(view->key, word(tell, "What to do"), next);
    view_rows_add(view->key, word(tell, "Who can act"), act);
    add_impact(view->key, tell);
    view_add_technical(view, tell);
}

static void fill_failing(struct view *view, const struct tell *tell)
{
    view->tone = tell_is(tell, "changed") ? VIEW_WARN : VIEW_BAD;
    if (tell->business)
        fill_business(view, tell);
    else
        fill_technical(view, tell);
    if (!tell_is(tell, "test"))
        return;
    view->tone = VIEW_PLAIN;
    g_free(view->summary);
    view->summary =
        g_strdup(word(tell, "This is a sample: nothing has failed. An alert looks like this."));
}

static void fill_acknowledged(struct view *view, const struct tell *tell)
{
    view_rows_add(view->key, word(tell, "Who"), json_text(tell->facts, "by"));
    view_rows_add(view->key, word(tell, "Note"), json_text(tell->facts, "note"));
    add_at(view->key, tell, word(tell, "At"));
    add_flow_names(view->key, tell, word(tell, "Does not work"));
    add_since(view->key, tell);
    view_rows_add(view->key, word(tell, "What happens next"),
                  word(tell, "It still fails. You get a mail as soon as it works again."));
}

static gint64 runs_failed(const struct tell *tell)
{
    const cJSON *flow;
    gint64 runs = 0;

    cJSON_ArrayForEach(flow, json_member(tell->facts, "flows"))
    {
        runs += json_integer(flow, "runs_failed", 0);
    }
    return runs;
}

// erpwatch sees its own test calls, not the shop's: it says so rather than guess.
static char *what_is_known(const struct tell *tell)
{
    g_autofree char *from = words_short_time(tell->words, since(tell), tell->timezone);
    g_autofree char *to = short_time_of(tell, tell->facts, "at");

    return words_fill(tell->words,
                      "What the shop handed over between {from} and {to} may not have been "
                      "processed: compare both systems for this time. erpwatch sees its own test "
                      "calls, not the shop's.",
                      "from", from, "to", to, NULL);
}

static void fill_recovered(struct view *view, const struct tell *tell)
{
    g_autofree char *lasted =
        words_duration(tell->words, json_integer(tell->facts, "duration_ms", 0));
    g_autofree char *runs =
        words_count(tell->words, "{n} run failed", "{n} runs failed", runs_failed(tell));
    g_autofree char *known = what_is_known(tell);

    view->tone = VIEW_GOOD;
    add_flow_names(view->key, tell, word(tell, "Works again"));
    view_rows_add(view->key, word(tell, "Lasted"), lasted);
    add_since(view->key, tell);
    add_at(view->key, tell, word(tell, "Until"));
    view_rows_add(view->key, word(tell, "Missed"), runs);
    add_impact(view->key, tell);
    view_rows_add(view->key, word(tell, "To be checked"), known);
    if (!tell->business)
        view_add_steps(view, tell);
}

static void fill_withdrawn(struct view *view, const struct tell *tell)
{

    view->tone = VIEW_WARN;
    add_flow_names(view->key, tell, word(tell, "Not watched any more"));
    add_since(view->key, tell);
    add_at(view->key, tell, word(tell, "Until"));
    view_rows_add(view->key, word(tell, "What happens next"),
                  word(tell, "It was taken out of the configuration while it failed. Whether it "
                             "works again is not known, and nothing more is told about it."));
}

static void fill_plain(struct view *view, const struct tell *tell)
{
    view->tone = tell_is(tell, "test") ? VIEW_PLAIN : VIEW_WARN;
    view_add_text(view, NULL, json_text(tell->facts, "text"));
}

static const struct {
    const char *kind, *badge;
    void (*fill)(struct view *view, const struct tell *tell);
} kinds[] = {
    {"opened", WORDS_MARK("Failing"), fill_failing},
    {"changed", WORDS_MARK("Failing differently"), fill_failing},
    {"acknowledged", WORDS_MARK("Taken on"), fill_acknowledged},
    {"recovered", WORDS_MARK("Works again"), fill_recovered},
    {"withdrawn", WORDS_MARK("Withdrawn"), fill_withdrawn},
    {"test", WORDS_MARK("Test"), fill_failing},
    {"debt", WORDS_MARK("A test record is left over"), NULL},
    {"sweep", WORDS_MARK("Test records are left over"), NULL},
    {"monitor", WORDS_MARK("The monitor itself"), NULL},
    {"summary", WORDS_MARK("Summary"), NULL},
};

static char *badge_of(const struct tell *tell, const char *text)
{
    g_autofree char *client = safe_text_line(json_text(tell->facts, "client"), NAME_CHARS);
    int priority = (int)json_integer(tell->facts, "priority", 3);
    const char *environment = facts_text(tell->facts, "system", "environment");
    gboolean uat = environment != NULL && strcmp(environment, "uat") == 0;

    if (tell_is_plain(tell))
        return g_strdup(word(tell, text));
    return g_strdup_printf("P%d · %s%s · %s", priority, client, uat ? " (UAT)" : "",
                           word(tell, text));
}

static char *footer_of(const struct tell *tell)
{
    g_autofree char *incident = safe_text_line(json_text(tell->facts, "incident"), NAME_CHARS);

    if (tell_is_plain(tell))
        return g_strdup(word(tell, "Sent by erpwatch."));
    if (!tell->attached)
        return words_fill(tell->words, "Sent by erpwatch. Incident {incident}.", "incident",
                          incident, NULL);
    return words_fill(tell->words,
                      "Sent by erpwatch. Incident {incident}. The attachment exchange.har holds "
                      "the calls with their answers: the network tab of a browser's developer "
                      "tools opens it.",
                      "incident", incident, NULL);
}

struct view *view_notice(const struct tell *tell)
{
    const char *language = facts_text(tell->facts, "contact", "language");
    struct view *view = view_new(tell->words, language);
    const char *badge = "erpwatch";

    view->headline = tell_headline(tell);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!tell_is(tell, kinds[i].kind))
            continue;
        badge = kinds[i].badge;
        if (kinds[i].fill != NULL && !tell_is_plain(tell))
            kinds[i].fill(view, tell);
    }
    if (tell_is_plain(tell))
        fill_plain(view, tell);
    view->badge = badge_of(tell, badge);
    view->footer = footer_of(tell);
    return view;
}

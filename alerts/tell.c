// SPDX-License-Identifier: MIT
// The phrases of a mail: comes between the facts and view.c, which puts them in
// order. All text from outside passes safe_text_line here.
#include "tell.h"
#include "facts.h"
#include "safe_text.h"
#include "tell_failure.h"

#include <string.h>

enum { NAME_CHARS = 80, SUBJECT_CHARS = 300, MEANING_CHARS = 1000 };

void tell_init(struct tell *tell, const cJSON *facts)
{
    const char *kind = json_text(facts, "kind");
    const char *style = facts_text(facts, "contact", "style");

    tell->facts = facts;
    tell->words = words_for(facts_text(facts, "contact", "language"));
    tell->kind = kind != NULL ? kind : "";
    tell->timezone = facts_text(facts, "contact", "timezone");
    tell->business = style != NULL && strcmp(style, "business") == 0;
    tell->flow = facts_item(facts, "flows", 0);
    tell->step = facts_decisive_step(json_member(facts, "result"));
    tell->verdict = json_member(tell->step, "verdict");
    tell->exchange = facts_last_exchange(tell->step);
    tell->attached = FALSE;
}

gboolean tell_is(const struct tell *tell, const char *kind)
{
    return strcmp(tell->kind, kind) == 0;
}

gboolean tell_is_failing(const struct tell *tell)
{
    return tell_is(tell, "opened") || tell_is(tell, "changed") || tell_is(tell, "test");
}

gboolean tell_is_plain(const struct tell *tell)
{
    return tell->flow == NULL;
}

static char *flows_text(const struct tell *tell)
{
    g_autofree char *title = safe_text_line(json_text(tell->flow, "title"), NAME_CHARS);
    g_autofree char *more = NULL;
    int count = cJSON_GetArraySize(json_member(tell->facts, "flows"));

    if (count < 2)
        return g_steal_pointer(&title);
    more = words_count(tell->words, "{n} more", "{n} more", count - 1);
    return words_fill(tell->words, "{flow} and {more}", "flow", title, "more", more, NULL);
}

// What became of the flows, by kind; {flows}, {by} and {duration} are filled in.
struct headline {
    const char *kind, *one, *many;
};

static const struct headline headlines[] = {
    {"opened", WORDS_MARK("{flows} fails"), WORDS_MARK("{flows} fail")},
    {"test", WORDS_MARK("{flows} fails"), WORDS_MARK("{flows} fail")},
    {"changed", WORDS_MARK("{flows} still fails, now differently"),
     WORDS_MARK("{flows} still fail, now differently")},
    {"acknowledged", WORDS_MARK("{by} takes care of it: {flows}"),
     WORDS_MARK("{by} takes care of it: {flows}")},
    {"recovered", WORDS_MARK("{flows} works again after {duration}"),
     WORDS_MARK("{flows} work again after {duration}")},
    {"withdrawn", WORDS_MARK("{flows} is no longer watched"),
     WORDS_MARK("{flows} are no longer watched")},
};

static const char *headline_of(const struct tell *tell)
{
    gboolean many = cJSON_GetArraySize(json_member(tell->facts, "flows")) > 1;

    for (gsize i = 0; i < G_N_ELEMENTS(headlines); i++) {
        if (tell_is(tell, headlines[i].kind))
            return many ? headlines[i].many : headlines[i].one;
    }
    return "{flows}";
}

char *tell_headline(const struct tell *tell)
{
    g_autofree char *flows = NULL, *by = NULL, *duration = NULL;

    if (tell_is_plain(tell))
        return safe_text_line(json_text(tell->facts, "subject"), SUBJECT_CHARS);
    flows = flows_text(tell);
    by = safe_text_line(json_text(tell->facts, "by"), NAME_CHARS);
    duration = words_duration(tell->words, json_integer(tell->facts, "duration_ms", 0));
    return words_fill(tell->words, headline_of(tell), "flows", flows, "by",
                      *by ? by : words_get(tell->words, "Somebody"), "duration", duration, NULL);
}

char *tell_what(const struct tell *tell)
{
    return tell->step != NULL ? tell_failure(tell->words, tell->step) : NULL;
}

// "Acme", or "Acme (UAT)": nobody should be called at night for a test system.
static char *client_of(const struct tell *tell)
{
    g_autofree char *client = safe_text_line(json_text(tell->facts, "client"), NAME_CHARS);
    const char *environment = facts_text(tell->facts, "system", "environment");

    if (environment != NULL && strcmp(environment, "uat") == 0)
        return g_strconcat(client, " (UAT)", NULL);
    return g_steal_pointer(&client);
}

// One subject through the whole incident: of what never changes in it.
static char *thread_subject(const struct tell *tell, const char *client)
{
    g_autofree char *system =
        safe_text_line(facts_text(tell->facts, "system", "title"), NAME_CHARS);
    g_autofree char *incident = safe_text_line(json_text(tell->facts, "incident"), 8);

    return words_fill(tell->words, "[erpwatch] {client}: {system} fails (incident {incident})",
                      "client", client, "system", system, "incident", incident, NULL);
}

static char *plain_subject(const struct tell *tell)
{
    g_autofree char *headline = tell_headline(tell);

    return g_strconcat(tell_is(tell, "test") ? "[test] " : "[erpwatch] ", headline, NULL);
}

// A colon has a space in front of it in some languages.
static char *with_colon(const struct tell *tell, const char *what, const char *how)
{
    return words_fill(tell->words, "{what}: {how}", "what", what, "how", how, NULL);
}

static char *incident_subject(const struct tell *tell, const char *client)
{
    g_autofree char *headline = tell_headline(tell);
    g_autofree char *what = tell_is_failing(tell) ? tell_what(tell) : NULL;
    int priority = (int)json_integer(tell->facts, "priority", 3);
    g_autofree char *news = with_colon(tell, client, headline);
    g_autofree char *told = what != NULL ? with_colon(tell, news, what) : NULL;

    return g_strdup_printf("%s[P%d] %s", tell_is(tell, "test") ? "[test] " : "", priority,
                           told != NULL ? told : news);
}

char *tell_subject(const struct tell *tell)
{
    g_autofree char *client = client_of(tell);
    g_autofree char *subject = NULL;
    const char *mode = facts_text(tell->facts, "thread", "mode");

    if (tell_is_plain(tell))
        subject = plain_subject(tell);
    else if (mode != NULL && strcmp(mode, "subject") == 0 && !tell_is(tell, "test"))
        subject = thread_subject(tell, client);
    else
        subject = incident_subject(tell, client);
    return safe_text_line(subject, SUBJECT_CHARS);
}

// The roles that the configuration knows by convention.
static const char *const roles[][2] = {
    {"erp-partner", WORDS_MARK("the ERP partner")},
    {"client", WORDS_MARK("the client")},
    {"integrator", WORDS_MARK("the integrator")},
    {"hosting", WORDS_MARK("the hosting provider")},
};

static char *role_text(const struct words *words, const char *role)
{
    for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
        if (strcmp(roles[i][0], role) == 0)
            return g_strdup(words_get(words, roles[i][1]));
    }
    return safe_text_line(role, NAME_CHARS);
}

char *tell_act(const struct tell *tell)
{
    const char *role = facts_text(tell->facts, "act", "role");
    const char *contact = facts_text(tell->facts, "act", "contact");
    g_autofree char *role_words = NULL, *name = NULL;

    if (role == NULL)
        return NULL;
    role_words = role_text(tell->words, role);
    if (contact == NULL)
        return g_steal_pointer(&role_words);
    name = safe_text_line(contact, NAME_CHARS);
    return g_strdup_printf("%s (%s)", name, role_words);
}

// What an entry of a pack says in the reader's language; NULL where it has not spoken.
static const char *own_text(const struct tell *tell, const char *key)
{
    const char *language = facts_text(tell->facts, "contact", "language");
    const cJSON *languages = json_member(tell->verdict, "languages");

    return language != NULL ? json_text(json_member(languages, language), key) : NULL;
}

char *tell_next(const struct tell *tell)
{
    const char *own = own_text(tell, "next");
    const char *next = own != NULL ? own : json_text(tell->verdict, "next");

    return next != NULL ? safe_text_line(next, MEANING_CHARS) : NULL;
}

char *tell_meaning(const struct tell *tell)
{
    const char *explanation = json_text(tell->verdict, "explanation");
    const char *own = own_text(tell, "explanation");

    if (tell->verdict == NULL)
        return NULL;
    if (own != NULL)
        return safe_text_line(own, MEANING_CHARS);
    if (explanation != NULL)
        return safe_text_line(words_get(tell->words, explanation), MEANING_CHARS);
    return tell_class_meaning(tell->words, tell->verdict);
}

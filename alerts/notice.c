// SPDX-License-Identifier: MIT
// From a transition to what one contact is told about it: the facts document,
// complete in itself. Made by route in the transaction of the transition, kept
// by the outbox, written into a mail by compose_mail.
//
// The facts, an object; times are RFC 3339 in UTC, null where not known:
//
//   notice, incident   ids
//   kind               opened changed acknowledged recovered withdrawn, or test debt monitor
//   number             of this kind in the incident, from 1
//   at                 when it happened: the mail's Date
//   contact            {id, name, email: [address], language, timezone, style, evidence}
//   client             for the subject: the name of the system's client, else its title
//   system             {id, title, environment}
//   priority           1 to 4: the highest of the flows
//   flows              [{flow, title, impact, failing, first_failed, last_failed, last_good,
//                        runs_failed}], the deciding one first
//   opened, ended      of the incident; ended is null while it lasts
//   duration_ms        from the first failed run to `at`
//   told               names of the contacts that are told, this one included
//   act                {role, contact}: who can mend it, contact is a name; or null
//   first_seen         true: this failure text was never seen before on the system
//   by, note           of an acknowledgement
//   result             the deciding run (run_result_to_json), reduced to what this contact may
//                      see; or null. "last_good" in it may hold the flow's last good run
//   thread             {mode: incident | subject, root: Message-ID of the opening's mail}
//   from, domain       the sender, and what stands behind the @ in Message-IDs
//   subject, text      of a plain notice (debt, monitor), in place of all about flows
#include "notice.h"
#include "evidence.h"
#include "facts.h"

#include "../base/ids.h"

#include <string.h>

static const char *const style_words[] = {"technical", "business"};
static const char *const evidence_words[] = {"full", "shape", "none"};
static const char default_from[] = "erpwatch <erpwatch@localhost>";

enum { DEFAULT_PRIORITY = 3, ID_LENGTH = 26 };

static char *notice_id(const char *incident, const char *kind, int number, const char *contact)
{
    g_autofree char *digits = g_strdup_printf("%d", number);

    return ids_hash(ID_LENGTH, "notice", incident, kind, digits, contact, NULL);
}

// What stands behind the @ of a mailbox, as far as it is plain: it goes into Message-IDs, which
// the MIME library does not check.
static char *mail_domain(const char *from)
{
    const char *at = strrchr(from, '@');
    size_t length = 0;

    while (at != NULL && (g_ascii_isalnum(at[1 + length]) || strchr("-.", at[1 + length])) &&
           at[1 + length] != '\0')
        length++;
    return length > 0 ? g_strndup(at + 1, length) : g_strdup("localhost");
}

static void add_mail(cJSON *facts, const struct config *config)
{
    const char *from = config->mail.from != NULL ? config->mail.from : default_from;
    g_autofree char *domain = mail_domain(from);

    json_add_text(facts, "from", from);
    json_add_text(facts, "domain", domain);
}

static void add_thread(cJSON *facts, const struct config *config, const char *root)
{
    cJSON *thread = cJSON_AddObjectToObject(facts, "thread");
    g_autofree char *id = g_strdup_printf("%s@%s", root, json_text(facts, "domain"));

    json_add_text(thread, "mode",
                  config->mail.thread == CONFIG_THREAD_SUBJECT ? "subject" : "incident");
    json_add_text(thread, "root", id);
}

static void add_contact(cJSON *facts, const struct config_contact *contact)
{
    cJSON *object = cJSON_AddObjectToObject(facts, "contact");
    cJSON *email = cJSON_AddArrayToObject(object, "email");

    json_add_text(object, "id", contact->id);
    json_add_text(object, "name", contact->name);
    for (guint i = 0; contact->email != NULL && i < contact->email->len; i++)
        cJSON_AddItemToArray(email, cJSON_CreateString(g_ptr_array_index(contact->email, i)));
    json_add_text(object, "language", contact->language);
    json_add_text(object, "timezone", contact->timezone);
    json_add_text(object, "style", style_words[contact->style]);
    json_add_text(object, "evidence", evidence_words[contact->evidence]);
}

static const char *contact_name(const struct config *config, const char *id)
{
    const struct config_contact *contact = id != NULL ? config_find_contact(config, id) : NULL;

    if (contact == NULL)
        return NULL;
    return contact->name != NULL ? contact->name : contact->id;
}

// The name of who has the role at the system that failed. The client and the integrator are
// the flow's own where that system names none; a partner of another system is not.
static const char *role_name(const struct transition *transition, const struct config *config,
                             const char *system_id, const char *role)
{
    const struct config_system *system =
        system_id != NULL ? g_hash_table_lookup(config->systems, system_id) : NULL;
    const struct transition_flow *leader =
        transition->flows->len > 0 ? g_ptr_array_index(transition->flows, 0) : NULL;
    const struct config_flow *flow = leader != NULL ? config_find_flow(config, leader->flow) : NULL;
    bool shared = strcmp(role, "client") == 0 || strcmp(role, "integrator") == 0;
    const char *id = system != NULL ? config_role_contact(system, role) : NULL;

    if (id == NULL && shared && flow != NULL)
        id = config_role_contact(flow->system, role);
    return contact_name(config, id);
}

static void add_system(cJSON *facts, const struct config *config,
                       const struct transition *transition)
{
    const char *id = transition->system;
    const struct config_system *system =
        id != NULL ? g_hash_table_lookup(config->systems, id) : NULL;
    const char *title = system != NULL && system->title != NULL ? system->title : id;
    const char *client = role_name(transition, config, id, "client");
    cJSON *object = cJSON_AddObjectToObject(facts, "system");

    json_add_text(facts, "client", client != NULL ? client : title);
    json_add_text(object, "id", id);
    json_add_text(object, "title", title);
    json_add_text(object, "environment", system != NULL && system->uat ? "uat" : "production");
}

static void add_flow(cJSON *flows, const struct transition_flow *flow, const struct config *config)
{
    const struct config_flow *known = config_find_flow(config, flow->flow);
    cJSON *object = cJSON_CreateObject();

    json_add_text(object, "flow", flow->flow);
    json_add_text(object, "title", known != NULL && known->title ? known->title : flow->flow);
    json_add_text(object, "impact", known != NULL ? known->impact : NULL);
    cJSON_AddBoolToObject(object, "failing", flow->failing);
    json_add_time(object, "first_failed", flow->first_failed);
    json_add_time(object, "last_failed", flow->last_failed);
    json_add_time(object, "last_good", flow->last_good);
    json_add_integer(object, "runs_failed", flow->runs_failed);
    cJSON_AddItemToArray(flows, object);
}

static int priority_of(const struct transition *transition, const struct config *config)
{
    int priority = 0;

    for (guint i = 0; i < transition->flows->len; i++) {
        const struct transition_flow *flow = g_ptr_array_index(transition->flows, i);
        const struct config_flow *known = config_find_flow(config, flow->flow);
        if (known != NULL && (priority == 0 || known->priority < priority))
            priority = known->priority;
    }
    return priority >= 1 && priority <= 4 ? priority : DEFAULT_PRIORITY;
}

static int64_t first_failure_us(const struct transition *transition)
{
    int64_t first = transition->opened.us;

    for (guint i = 0; i < transition->flows->len; i++) {
        const struct transition_flow *flow = g_ptr_array_index(transition->flows, i);
        if (flow->first_failed.us > 0 && flow->first_failed.us < first)
            first = flow->first_failed.us;
    }
    return first;
}

static void add_times(cJSON *facts, const struct transition *transition)
{
    bool ended =
        transition->kind == TRANSITION_RECOVERED || transition->kind == TRANSITION_WITHDRAWN;
    int64_t lasted_us = transition->at.us - first_failure_us(transition);

    json_add_time(facts, "opened", transition->opened);
    json_add_time(facts, "ended", ended ? transition->at : (struct clock_wall){0});
    json_add_integer(facts, "duration_ms", MAX(lasted_us, 0) / 1000);
}

static void add_told(cJSON *facts, const struct transition *transition, const struct config *config)
{
    cJSON *told = cJSON_AddArrayToObject(facts, "told");

    for (guint i = 0; i < transition->told->len; i++) {
        const char *name = contact_name(config, g_ptr_array_index(transition->told, i));
        if (name != NULL)
            cJSON_AddItemToArray(told, cJSON_CreateString(name));
    }
}

// Who can mend it is somebody of the system that the failing step called.
static void add_act(cJSON *facts, const struct config *config, const struct transition *transition)
{
    const cJSON *step = facts_decisive_step(json_member(facts, "result"));
    const char *role = facts_text(step, "verdict", "act");
    cJSON *act;

    if (role == NULL) {
        json_add_text(facts, "act", NULL);
        return;
    }
    const char *called = json_text(step, "system");

    act = cJSON_AddObjectToObject(facts, "act");
    json_add_text(act, "role", role);
    json_add_text(
        act, "contact",
        role_name(transition, config, called != NULL ? called : transition->system, role));
}

static void add_result(cJSON *facts, const cJSON *result, enum config_evidence evidence)
{
    cJSON *reduced = evidence_reduce(result, evidence);

    cJSON_AddItemToObject(facts, "result", reduced != NULL ? reduced : cJSON_CreateNull());
}

// The part that all facts have in common.
static cJSON *facts_new(const struct notice *notice, struct clock_wall at)
{
    cJSON *facts = cJSON_CreateObject();

    json_add_text(facts, "notice", notice->id);
    json_add_text(facts, "incident", notice->incident);
    json_add_text(facts, "kind", notice->kind);
    json_add_integer(facts, "number", notice->number);
    json_add_time(facts, "at", at);
    json_add_integer(facts, "priority", notice->priority);
    return facts;
}

static void add_incident(cJSON *facts, const struct transition *transition,
                         const struct config *config)
{
    cJSON *flows = cJSON_AddArrayToObject(facts, "flows");

    for (guint i = 0; i < transition->flows->len; i++)
        add_flow(flows, g_ptr_array_index(transition->flows, i), config);
    add_times(facts, transition);
    add_told(facts, transition, config);
    cJSON_AddBoolToObject(facts, "first_seen", transition->first_seen);
    json_add_text(facts, "by", transition->by);
    json_add_text(facts, "note", transition->note);
}

struct notice *notice_new(const struct transition *transition, const struct config *config,
                          const struct config_contact *contact, const cJSON *result)
{
    struct notice *notice = g_new0(struct notice, 1);
    const char *kind = transition_kind_word(transition->kind);
    g_autofree char *opening =
        notice_id(transition->incident, transition_kind_word(TRANSITION_OPENED), 1, contact->id);

    notice->id = notice_id(transition->incident, kind, transition->number, contact->id);
    notice->incident = g_strdup(transition->incident);
    notice->contact = g_strdup(contact->id);
    notice->kind = g_strdup(kind);
    notice->number = transition->number;
    notice->priority = priority_of(transition, config);
    notice->facts = facts_new(notice, transition->at);
    add_contact(notice->facts, contact);
    add_system(notice->facts, config, transition);
    add_incident(notice->facts, transition, config);
    add_result(notice->facts, result, contact->evidence);
    add_act(notice->facts, config, transition);
    add_mail(notice->facts, config);
    add_thread(notice->facts, config, opening);
    return notice;
}

struct notice *notice_new_plain(const char *kind, const struct config *config,
                                const struct config_contact *contact, const char *subject,
                                const char *text, struct clock_wall at)
{
    struct notice *notice = g_new0(struct notice, 1);
    g_autofree char *time = clock_wall_format(at);

    notice->incident = ids_hash(ID_LENGTH, "plain", kind, subject, text, time, NULL);
    notice->id = notice_id(notice->incident, kind, 1, contact->id);
    notice->contact = g_strdup(contact->id);
    notice->kind = g_strdup(kind);
    notice->number = 1;
    notice->priority = DEFAULT_PRIORITY;
    notice->facts = facts_new(notice, at);
    add_contact(notice->facts, contact);
    add_mail(notice->facts, config);
    add_thread(notice->facts, config, notice->id);
    json_add_text(notice->facts, "subject", subject);
    json_add_text(notice->facts, "text", text);
    return notice;
}

void notice_free(struct notice *notice)
{
    if (notice == NULL)
        return;
    g_free(notice->id);
    g_free(notice->incident);
    g_free(notice->contact);
    g_free(notice->kind);
    cJSON_Delete(notice->facts);
    g_free(notice);
}

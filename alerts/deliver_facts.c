// SPDX-License-Identifier: MIT
// One notice without a store: mailing from memory, while the store cannot be
// written. The same rules for replies as with an outbox, but what waits is the
// caller's to try again.
#include "deliver.h"
#include "mailer.h"

static GPtrArray *recipients_of(const cJSON *facts)
{
    const cJSON *addresses = json_member(facts, "recipients");
    const cJSON *address = NULL;
    GPtrArray *recipients = g_ptr_array_new_with_free_func(g_free);
    if (addresses == NULL)
        addresses = json_member(json_member(facts, "contact"), "email");
    cJSON_ArrayForEach(address, addresses)
    {
        if (cJSON_IsString(address))
            g_ptr_array_add(recipients, g_strdup(address->valuestring));
    }
    return recipients;
}

static void count(struct deliver_tally *tally, enum delivery_fate fate)
{
    int *counter = fate == DELIVERY_ACCEPTED   ? &tally->accepted
                   : fate == DELIVERY_GIVEN_UP ? &tally->given_up
                                               : &tally->waiting;
    (*counter)++;
}

static void add_outcome(cJSON *outcomes, const char *address, const struct delivery_reply *reply,
                        enum delivery_fate fate)
{
    cJSON *outcome = cJSON_CreateObject();
    json_add_text(outcome, "recipient", address);
    json_add_text(outcome, "state", delivery_fate_word(fate));
    json_add_text(outcome, "stage", delivery_stage_word(reply->stage));
    json_add_integer(outcome, "code", reply->code);
    json_add_text(outcome, "reply", reply->text);
    cJSON_AddItemToArray(outcomes, outcome);
}

// Sends once; recipients that should get it without attachments are appended to `again`.
static bool attempt(const struct mailer *mailer, const cJSON *facts, const GPtrArray *recipients,
                    GPtrArray *again, cJSON *outcomes, struct deliver_tally *tally, GError **error)
{
    bool lighter = again == NULL;
    g_autoptr(GBytes) mail = mailer_compose(facts, lighter, error);
    if (mail == NULL)
        return false;
    g_autoptr(delivery_report_t) report = mailer_send(mailer, facts, recipients, mail);
    for (guint i = 0; i < report->count; i++) {
        const struct delivery_reply *reply = &report->replies[i];
        enum delivery_fate fate = delivery_plan_fate(reply, lighter, 1);
        if (fate == DELIVERY_LIGHTER) {
            g_ptr_array_add(again, recipients->pdata[i]);
            continue;
        }
        add_outcome(outcomes, recipients->pdata[i], reply, fate);
        count(tally, fate);
    }
    return true;
}

cJSON *deliver_facts(const cJSON *facts, const struct config *config,
                     const struct deliver_options *options, struct deliver_tally *tally,
                     GError **error)
{
    g_autoptr(GPtrArray) recipients = recipients_of(facts);
    g_autoptr(GPtrArray) again = g_ptr_array_new();
    g_autoptr(cJSON) result = cJSON_CreateObject();
    *tally = (struct deliver_tally){0};
    if (recipients->len == 0) {
        g_set_error_literal(error, DELIVERY_ERROR, DELIVERY_ERROR_NOTICE,
                            "the notice names no recipient: contact.email is empty");
        return NULL;
    }
    g_autoptr(mailer_t) mailer = mailer_new(config, options->session_ms, NULL, error);
    if (mailer == NULL)
        return NULL;
    json_add_text(result, "notice", json_text(facts, "notice"));
    cJSON *outcomes = cJSON_AddArrayToObject(result, "recipients");
    if (!attempt(mailer, facts, recipients, again, outcomes, tally, error) ||
        (again->len > 0 && !attempt(mailer, facts, again, NULL, outcomes, tally, error)))
        return NULL;
    return g_steal_pointer(&result);
}

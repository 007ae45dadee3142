// SPDX-License-Identifier: MIT
// Telling a person of a record that erpwatch left behind, and the fallback of what ails
// the monitor. Comes after the ledger, before the outbox.
#include "watch_debts.h"

#include "../alerts/outbox.h"
#include "../alerts/route.h"
#include "../alerts/words.h"
#include "../base/ids.h"
#include "ledger.h"
#include "store_runs.h"
#include "watch.h"

#include <string.h>

enum { DEBTS_AT_ONCE = 20, KEY_LENGTH = 12 };

static const struct {
    const char *state, *sentence;
} sentences[] = {
    {"owed", WORDS_MARK("It has been tried for a day, and is tried again once a day.")},
    {"uncertain",
     WORDS_MARK("Whether the record is there, and which it is, is not known: it is not touched.")},
    {"orphaned", WORDS_MARK("The system of this name is another one now: nothing is sent to it.")},
    {"given_up", WORDS_MARK("It is not tried any more.")},
};

static const char *sentence_of(const char *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++) {
        if (strcmp(sentences[i].state, state) == 0) {
            return sentences[i].sentence;
        }
    }
    return "";
}

static void add_row(GString *text, const struct words *words, const char *label, const char *value)
{
    g_autofree char *row =
        words_fill(words, "{what}: {how}", "what", words_get(words, label), "how", value, NULL);
    if (value != NULL) {
        g_string_append_printf(text, "%s\n", row);
    }
}

static char *text_of(const struct flow_debt *debt, const struct words *words)
{
    g_autofree char *sent = clock_wall_format(debt->sent_at);
    g_autofree char *values = debt->values != NULL ? json_print(debt->values, true) : NULL;
    g_autofree char *first =
        words_fill(words,
                   "A test record may have been left behind in {system}, and has to be deleted by "
                   "hand.",
                   "system", debt->system, NULL);
    GString *text = g_string_new(first);
    g_string_append(text, "\n\n");
    add_row(text, words, WORDS_MARK("Flow"), debt->flow);
    add_row(text, words, WORDS_MARK("Step"), debt->step);
    add_row(text, words, WORDS_MARK("Run"), debt->run);
    add_row(text, words, WORDS_MARK("Sent"), sent);
    add_row(text, words, WORDS_MARK("Last answer"), debt->problem);
    g_string_append_printf(text, "%s\n\n%s\n%s\n", words_get(words, sentence_of(debt->state)),
                           words_get(words, WORDS_MARK("Known of the record:")),
                           values != NULL ? values : words_get(words, WORDS_MARK("nothing")));
    return g_string_free(text, FALSE);
}

static bool tell(struct db *db, const struct config *config, const struct flow_debt *debt,
                 struct clock_wall now, bool *notices, GError **error)
{
    g_autoptr(GPtrArray) contacts =
        route_leftovers(config, g_hash_table_lookup(config->systems, debt->system), NULL,
                        config_find_flow(config, debt->flow));
    for (guint i = 0; i < contacts->len; i++) {
        const struct config_contact *contact = contacts->pdata[i];
        const struct words *words = words_for(contact->language);
        g_autofree char *text = text_of(debt, words);
        g_autofree char *subject =
            words_fill(words, "{system}: the record of \"{step}\" could not be deleted", "system",
                       debt->system, "step", debt->step, NULL);
        g_autoptr(notice_t) notice = notice_new_plain("debt", config, contact, subject, text, now);
        if (!outbox_add(db, notice, now, now, error)) {
            return false;
        }
        *notices = true;
    }
    return ledger_mark_told(db, debt, error);
}

bool watch_debts_tell(struct db *db, const struct config *config, struct clock_wall now,
                      bool *notices, GError **error)
{
    g_autoptr(GPtrArray) debts = ledger_untold(db, now, DEBTS_AT_ONCE, error);
    for (guint i = 0; debts != NULL && i < debts->len; i++) {
        if (!tell(db, config, debts->pdata[i], now, notices, error)) {
            return false;
        }
    }
    return debts != NULL;
}

// True where this was told less than a day ago.
static bool told_lately(struct db *db, const char *key, struct clock_wall now)
{
    g_autofree char *at = store_runs_get(db, key, NULL);
    int64_t told_us = at != NULL ? g_ascii_strtoll(at, NULL, 10) : 0;
    return at != NULL && ABS(now.us - told_us) < INT64_C(86400) * G_USEC_PER_SEC;
}

const struct words *watch_monitor_words(const struct config *config)
{
    const struct config_contact *contact =
        config->mail.fallback != NULL ? config_find_contact(config, config->mail.fallback) : NULL;
    return words_for(contact != NULL ? contact->language : NULL);
}

bool watch_tell_monitor(struct db *db, const struct config *config, const char *subject,
                        const char *text, struct clock_wall now, GError **error)
{
    const struct config_contact *contact =
        config->mail.fallback != NULL ? config_find_contact(config, config->mail.fallback) : NULL;
    g_autofree char *hash = ids_hash(KEY_LENGTH, subject, text, NULL);
    g_autofree char *key = g_strconcat("told-", hash, NULL);
    if (contact == NULL || told_lately(db, key, now)) {
        return true;
    }
    g_autofree char *at = g_strdup_printf("%" G_GINT64_FORMAT, now.us);
    g_autoptr(notice_t) notice = notice_new_plain("monitor", config, contact, subject, text, now);
    return store_runs_set(db, key, at, error) && outbox_add(db, notice, now, now, error);
}

// SPDX-License-Identifier: MIT
// Holding back above the limit, and the one summary that stands for what was
// held. Comes between taking a notice from the outbox and sending it.
#include "outbox_flood.h"
#include "mail_subject.h"
#include "words.h"

#include <string.h>

#define HOUR_US ((int64_t)3600 * G_USEC_PER_SEC)

// Notices that began to go out to a contact in the last hour.
static bool sent_lately(struct db *db, const char *contact, struct clock_wall now, int64_t *count,
                        GError **error)
{
    return db_take_integer(db_query(db, error,
                                    "SELECT count(*) FROM outbox_notice WHERE contact = ?"
                                    " AND kind <> 'summary' AND first_us > ? AND first_us <= ?",
                                    "sii", contact, now.us - HOUR_US, now.us),
                           0, count, error);
}

static bool is_holding(struct db *db, const char *contact, int64_t *count, GError **error)
{
    return db_take_integer(db_query(db, error,
                                    "SELECT count(*) FROM outbox_recipient r JOIN outbox_notice n"
                                    " USING (sequence) WHERE r.state = 'held'"
                                    " AND " OUTBOX_IS_OPEN " AND n.contact = ?",
                                    "s", contact),
                           0, count, error);
}

bool outbox_flood_admit(struct db *db, const struct outbox_item *item, int limit,
                        struct clock_wall now, GError **error)
{
    int64_t sent = 0, held = 0;
    if (item->exempt || item->tried || limit <= 0)
        return true;
    // What comes behind held ones is held too: the summary tells them in their order.
    if (!sent_lately(db, item->contact, now, &sent, error) ||
        !is_holding(db, item->contact, &held, error))
        return false;
    if (sent < limit && held == 0)
        return true;
    db_run(db, error,
           "UPDATE outbox_recipient SET state = 'held' WHERE sequence = ? AND state = 'waiting'",
           "i", item->sequence);
    return false;
}

// The contacts with held notices whose last summary is an hour old, or was never.
static GPtrArray *contacts_due(struct db *db, struct clock_wall now, GError **error)
{
    return db_take_texts(
        db_query(db, error,
                 "SELECT DISTINCT n.contact FROM outbox_recipient r JOIN outbox_notice n"
                 " USING (sequence) WHERE r.state = 'held' AND " OUTBOX_IS_OPEN
                 " AND NOT EXISTS (SELECT 1 FROM outbox_notice s WHERE s.contact = n.contact"
                 " AND s.kind = 'summary' AND s.queued_us > ? AND s.queued_us <= ?)",
                 "ii", now.us - HOUR_US, now.us),
        error);
}

// A contact that is no longer configured cannot be written a summary: its notices go singly.
static bool release(struct db *db, const char *contact, GError **error)
{
    return db_run(db, error, "UPDATE outbox_notice SET exempt = 1 WHERE contact = ?", "s",
                  contact) &&
           db_run(db, error,
                  "UPDATE outbox_recipient SET state = 'waiting' WHERE state = 'held' AND"
                  " sequence IN (SELECT sequence FROM outbox_notice WHERE contact = ?)",
                  "s", contact);
}

static void add_line(GString *text, const char *facts_text, int *count)
{
    g_autoptr(cJSON) facts = json_parse(facts_text, strlen(facts_text), NULL);
    g_autofree char *subject = facts ? mail_subject(facts) : NULL;
    const char *at = json_text(facts, "at");
    g_string_append_printf(text, "%2d. %s  %s\n", ++*count, at ? at : "", subject ? subject : "");
}

// The list of what a contact's summary stands for, oldest first; NULL on failure.
static char *list_held(struct db *db, const char *contact, int *count, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT facts FROM outbox_notice n WHERE contact = ? AND EXISTS (SELECT 1 FROM"
                 " outbox_recipient r WHERE r.sequence = n.sequence AND r.state = 'held')"
                 " ORDER BY sequence",
                 "s", contact);
    while (db_rows_next(rows, error))
        add_line(text, db_rows_text(rows, 0), count);
    return db_rows_failed(rows) ? NULL : g_string_free(g_steal_pointer(&text), FALSE);
}

static bool settle_held(struct db *db, const char *contact, const char *summary,
                        struct clock_wall now, GError **error)
{
    return db_run(db, error,
                  "UPDATE outbox_notice SET summary = ?, ended_us = ? WHERE contact = ? AND EXISTS"
                  " (SELECT 1 FROM outbox_recipient r WHERE r.sequence = outbox_notice.sequence"
                  " AND r.state = 'held')",
                  "sis", summary, now.us, contact) &&
           db_run(db, error,
                  "UPDATE outbox_recipient SET state = 'summarised' WHERE state = 'held' AND"
                  " sequence IN (SELECT sequence FROM outbox_notice WHERE contact = ?)",
                  "s", contact);
}

static bool summarise(struct db *db, const struct config *config,
                      const struct config_contact *contact, struct clock_wall now, GError **error)
{
    int count = 0;
    g_autofree char *list = list_held(db, contact->id, &count, error);
    if (list == NULL)
        return false;
    const struct words *words = words_for(contact->language);
    g_autofree char *number = g_strdup_printf("%d", count);
    g_autofree char *limit = g_strdup_printf("%d", config->mail.limit);
    g_autofree char *subject =
        words_fill(words, "{count} notices not sent singly", "count", number, NULL);
    g_autofree char *reason = words_fill(words,
                                         "There were more than {limit} notices in an hour. "
                                         "The following were therefore not sent singly:",
                                         "limit", limit, NULL);
    g_autofree char *text = g_strdup_printf("%s\n\n%s", reason, list);
    g_autoptr(notice_t) notice = notice_new_plain("summary", config, contact, subject, text, now);
    return outbox_add(db, notice, now, now, error) &&
           settle_held(db, contact->id, notice->id, now, error);
}

int outbox_flood_summarise(struct db *db, const struct config *config, struct clock_wall now,
                           GError **error)
{
    g_autoptr(GPtrArray) contacts = contacts_due(db, now, error);
    if (contacts == NULL)
        return -1;
    for (guint i = 0; i < contacts->len; i++) {
        const struct config_contact *contact = config_find_contact(config, contacts->pdata[i]);
        bool ok = contact ? summarise(db, config, contact, now, error)
                          : release(db, contacts->pdata[i], error);
        if (!ok)
            return -1;
    }
    return (int)contacts->len;
}

struct outbox_item *outbox_flood_take(struct db *db, const struct config *config,
                                      struct clock_wall now, GError **error)
{
    g_autoptr(GError) problem = NULL;
    for (;;) {
        g_autoptr(outbox_item_t) item = outbox_take(db, now, &problem);
        if (item && outbox_flood_admit(db, item, config->mail.limit, now, &problem))
            return g_steal_pointer(&item);
        if (!item && !problem && outbox_flood_summarise(db, config, now, &problem) <= 0 && !problem)
            return NULL;
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
    }
}

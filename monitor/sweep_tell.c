// SPDX-License-Identifier: MIT
// Who is told of what a sweep could not do, when, and in which words: plain notices, like
// those of debts. Comes after sweep_rows, before the outbox.
#include "sweep_tell.h"

#include "../alerts/outbox.h"

#include <string.h>

// A record is told of after so many rounds, or a day; a failing search after a day.
enum { ROUNDS = 3, RECORDS_SHOWN = 50 };

static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

static void add_contact(GPtrArray *contacts, const struct config *config, const char *id)
{
    struct config_contact *contact = id != NULL ? config_find_contact(config, id) : NULL;
    if (contact != NULL && !g_ptr_array_find(contacts, contact, NULL)) {
        g_ptr_array_add(contacts, contact);
    }
}

static void add_technical(GPtrArray *contacts, const struct config *config,
                          const struct config_flow *flow)
{
    for (guint i = 0; i < flow->notify->len; i++) {
        const struct config_contact *contact = config_find_contact(config, flow->notify->pdata[i]);
        if (contact != NULL && contact->style == CONFIG_STYLE_TECHNICAL) {
            add_contact(contacts, config, contact->id);
        }
    }
}

// Of struct config_contact, borrowed: those of the sweep, else the system's integrator,
// else the technical contacts of its flows, else the fallback.
static GPtrArray *contacts_of(const struct config *config, const struct config_sweep *sweep)
{
    GPtrArray *contacts = g_ptr_array_new();
    for (guint i = 0; i < sweep->notify->len; i++) {
        add_contact(contacts, config, sweep->notify->pdata[i]);
    }
    if (contacts->len == 0) {
        add_contact(contacts, config, config_role_contact(sweep->system, "integrator"));
    }
    for (guint i = 0; contacts->len == 0 && i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];
        if (flow->system == sweep->system) {
            add_technical(contacts, config, flow);
        }
    }
    if (contacts->len == 0) {
        add_contact(contacts, config, config->mail.fallback);
    }
    return contacts;
}

struct letter {
    const char *subject, *text;
    struct clock_wall at;
};

static bool queue(struct db *db, const struct config *config, const struct config_sweep *sweep,
                  const struct letter *letter, bool *notices, GError **error)
{
    g_autoptr(GPtrArray) contacts = contacts_of(config, sweep);
    for (guint i = 0; i < contacts->len; i++) {
        g_autoptr(notice_t) notice = notice_new_plain("sweep", config, contacts->pdata[i],
                                                      letter->subject, letter->text, letter->at);
        if (!outbox_add(db, notice, letter->at, letter->at, error)) {
            return false;
        }
        *notices = true;
    }
    return true;
}

// "ERPW-0K3V9Z8T1ABC, order 42, of 2026-11-21T11:00:00.000Z: DELETE answered 403"
static void append_record(GString *text, const cJSON *record)
{
    const char *at = json_text(record, "at"), *problem = json_text(record, "problem");
    const cJSON *known = NULL;
    g_string_append_printf(text, "- %s", json_text(record, "name"));
    cJSON_ArrayForEach(known, json_member(record, "known"))
    {
        g_autofree char *value = json_print(known, false);
        g_string_append_printf(text, ", %s %s", known->string, value);
    }
    if (at != NULL) {
        g_string_append_printf(text, ", of %s", at);
    }
    g_string_append_printf(text, "%s%s\n", problem != NULL ? ": " : "",
                           problem != NULL ? problem : "");
}

/* Records that could not be deleted */

// Of cJSON, owned; NULL and `error` where they cannot be read.
static GPtrArray *untold_records(struct db *db, const char *sweep, struct clock_wall now,
                                 GError **error)
{
    g_autoptr(GPtrArray) records = json_list_new();
    g_autoptr(GPtrArray) texts = db_take_texts(
        db_query(db, error,
                 "SELECT record FROM sweep_record WHERE sweep = ? AND told = 0"
                 " AND (rounds >= ? OR first < ?) ORDER BY first, id LIMIT ?",
                 "siii", sweep, (int64_t)ROUNDS, now.us - day_us, (int64_t)RECORDS_SHOWN),
        error);
    if (texts == NULL) {
        return NULL;
    }
    for (guint i = 0; i < texts->len; i++) {
        const char *text = texts->pdata[i];
        g_ptr_array_add(records, json_parse(text, strlen(text), NULL));
    }
    return g_steal_pointer(&records);
}

static bool mark_told(struct db *db, const char *sweep, struct clock_wall now, GError **error)
{
    return db_run(db, error,
                  "UPDATE sweep_record SET told = 1 WHERE sweep = ?1 AND id IN (SELECT id FROM"
                  " sweep_record WHERE sweep = ?1 AND told = 0 AND (rounds >= ?2 OR first < ?3)"
                  " ORDER BY first, id LIMIT ?4)",
                  "siii", sweep, (int64_t)ROUNDS, now.us - day_us, (int64_t)RECORDS_SHOWN);
}

static bool tell_records(struct db *db, const struct config *config,
                         const struct config_sweep *sweep, struct clock_wall now, bool *notices,
                         GError **error)
{
    g_autoptr(GPtrArray) records = untold_records(db, sweep->id, now, error);
    if (records == NULL || records->len == 0) {
        return records != NULL;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text,
                           "Test records were left behind in %s, and the sweep %s cannot delete "
                           "them: they have to be deleted by hand.\n\n",
                           sweep->system->id, sweep->id);
    for (guint i = 0; i < records->len; i++) {
        append_record(text, records->pdata[i]);
    }
    g_string_append(text, "\nEach run of the sweep tries again; you are told of each record "
                          "once. erpwatch status shows how the sweep went.\n");
    g_autofree char *subject = g_strdup_printf(
        records->len == 1 ? "%s: %u test record is left over and cannot be deleted"
                          : "%s: %u test records are left over and cannot be deleted",
        sweep->system->id, records->len);
    const struct letter letter = {subject, text->str, now};
    return queue(db, config, sweep, &letter, notices, error) &&
           mark_told(db, sweep->id, now, error);
}

/* What is wrong with the sweep as a whole */

static char *text_of_problem(const struct config_sweep *sweep, const cJSON *result, bool searched)
{
    GString *text = g_string_new(NULL);
    const cJSON *record = NULL;
    int shown = 0;
    g_string_append_printf(text,
                           "The sweep %s looks for test records that were left behind in "
                           "%s.\n\n%s.\n",
                           sweep->id, sweep->system->id, json_text(result, "problem"));
    if (!searched) {
        g_string_append(text, "\nIt has failed for a day. Meanwhile such records are neither found "
                              "nor deleted.\n");
        return g_string_free(text, FALSE);
    }
    g_string_append(text, "\nFound:\n");
    cJSON_ArrayForEach(record, json_member(result, "records"))
    {
        if (shown++ < RECORDS_SHOWN) {
            append_record(text, record);
        }
    }
    g_string_append_printf(text,
                           "\nLook whether they are ours. If so, delete them by hand, or raise "
                           "\"at_most\" and run: erpwatch sweep %s\n",
                           sweep->id);
    return g_string_free(text, FALSE);
}

// Too many records are told of at once, a failing search after a day.
static bool tell_problem(struct db *db, const struct config *config,
                         const struct config_sweep *sweep, const cJSON *result,
                         struct clock_wall now, bool *notices, GError **error)
{
    bool searched = g_strcmp0(json_text(result, "state"), "left") == 0;
    bool untold = false;
    if (json_text(result, "problem") == NULL) {
        return true;
    }
    if (!db_take_any(db_query(db, error,
                              "SELECT 1 FROM sweep WHERE id = ? AND told = 0 AND failing <= ?",
                              "si", sweep->id, searched ? now.us : now.us - day_us),
                     &untold, error)) {
        return false;
    }
    if (!untold) {
        return true;
    }
    g_autofree char *text = text_of_problem(sweep, result, searched);
    g_autofree char *subject = g_strdup_printf(searched ? "%s: the sweep %s deletes nothing"
                                                        : "%s: the sweep %s has failed for a day",
                                               sweep->system->id, sweep->id);
    const struct letter letter = {subject, text, now};
    return queue(db, config, sweep, &letter, notices, error) &&
           db_run(db, error, "UPDATE sweep SET told = 1 WHERE id = ?", "s", sweep->id);
}

bool sweep_tell(struct db *db, const struct config *config, const struct config_sweep *sweep,
                const cJSON *result, struct clock_wall now, bool *notices, GError **error)
{
    return tell_records(db, config, sweep, now, notices, error) &&
           tell_problem(db, config, sweep, result, now, notices, error);
}

// SPDX-License-Identifier: MIT
// When somebody is told of what a sweep could not do, and in which words: plain notices in
// the reader's language, like those of debts. Comes after sweep_rows, before the outbox.
#include "sweep_tell.h"

#include "../alerts/outbox.h"
#include "../alerts/route.h"
#include "../alerts/words.h"

#include <string.h>

// A record is told of after so many rounds, or a day; a failing search after a day.
enum { ROUNDS = 3, RECORDS_SHOWN = 50 };

static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

// What a notice says, in the reader's words; the caller frees both texts.
struct letter {
    char *subject, *text;
};

// Writes the letter of `content`: records, or a sweep's result.
typedef struct letter (*letter_write)(const struct words *words, const struct config_sweep *sweep,
                                      const void *content);

static bool queue(struct db *db, const struct config *config, const struct config_sweep *sweep,
                  letter_write write, const void *content, struct clock_wall now, GError **error)
{
    g_autoptr(GPtrArray) contacts = route_leftovers(config, sweep->system, sweep->notify, NULL);
    bool queued = true;
    for (guint i = 0; queued && i < contacts->len; i++) {
        const struct config_contact *contact = contacts->pdata[i];
        struct letter letter = write(words_for(contact->language), sweep, content);
        g_autoptr(notice_t) notice =
            notice_new_plain("sweep", config, contact, letter.subject, letter.text, now);
        queued = outbox_add(db, notice, now, now, error);
        g_free(letter.subject);
        g_free(letter.text);
    }
    return queued;
}

static void append_line(GString *text, const struct words *words, const char *line)
{
    g_string_append_printf(text, "%s\n", words_get(words, line));
}

// "ERPW-0K3V9Z8T1ABC, order 42, of 2026-11-21T11:00:00.000Z: DELETE answered 403"
static void append_record(GString *text, const struct words *words, const cJSON *record)
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
        g_autofree char *of = words_fill(words, "of {time}", "time", at, NULL);
        g_string_append_printf(text, ", %s", of);
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

static struct letter write_records(const struct words *words, const struct config_sweep *sweep,
                                   const void *content)
{
    const GPtrArray *records = content;
    GString *text = g_string_new(NULL);
    g_autofree char *first =
        words_fill(words,
                   "Test records were left behind in {system}, and the sweep {sweep} cannot delete "
                   "them: they have to be deleted by hand.",
                   "system", sweep->system->id, "sweep", sweep->id, NULL);
    g_string_append_printf(text, "%s\n\n", first);
    for (guint i = 0; i < records->len; i++) {
        append_record(text, words, records->pdata[i]);
    }
    g_string_append_c(text, '\n');
    append_line(text, words,
                WORDS_MARK("Each run of the sweep tries again; you are told of each record once. "
                           "erpwatch status shows how the sweep went."));
    g_autofree char *count =
        words_count(words, "{n} test record is left over and cannot be deleted",
                    "{n} test records are left over and cannot be deleted", records->len);
    char *subject =
        words_fill(words, "{what}: {how}", "what", sweep->system->id, "how", count, NULL);
    return (struct letter){subject, g_string_free(text, FALSE)};
}

static bool tell_records(struct db *db, const struct config *config,
                         const struct config_sweep *sweep, struct clock_wall now, bool *notices,
                         GError **error)
{
    g_autoptr(GPtrArray) records = untold_records(db, sweep->id, now, error);
    if (records == NULL || records->len == 0) {
        return records != NULL;
    }
    *notices = true;
    return queue(db, config, sweep, write_records, records, now, error) &&
           mark_told(db, sweep->id, now, error);
}

/* What is wrong with the sweep as a whole */

// True where the records were found, but are too many to be ours.
static bool is_refused(const cJSON *result)
{
    return g_strcmp0(json_text(result, "state"), "left") == 0;
}

static void append_found(GString *text, const struct words *words, const struct config_sweep *sweep,
                         const cJSON *result)
{
    const cJSON *record = NULL;
    int shown = 0;
    append_line(text, words, WORDS_MARK("Found:"));
    cJSON_ArrayForEach(record, json_member(result, "records"))
    {
        if (shown++ < RECORDS_SHOWN) {
            append_record(text, words, record);
        }
    }
    g_autofree char *command = g_strdup_printf("erpwatch sweep %s", sweep->id);
    g_autofree char *advice =
        words_fill(words,
                   "Look whether they are ours. If so, delete them by hand, or raise \"at_most\" "
                   "and run: {command}",
                   "command", command, NULL);
    g_string_append_printf(text, "\n%s\n", advice);
}

static struct letter write_problem(const struct words *words, const struct config_sweep *sweep,
                                   const void *content)
{
    const cJSON *result = content;
    GString *text = g_string_new(NULL);
    const char *title = is_refused(result)
                            ? WORDS_MARK("{system}: the sweep {sweep} deletes nothing")
                            : WORDS_MARK("{system}: the sweep {sweep} has failed for a day");
    g_autofree char *first = words_fill(
        words, "The sweep {sweep} looks for test records that were left behind in {system}.",
        "sweep", sweep->id, "system", sweep->system->id, NULL);
    g_string_append_printf(text, "%s\n\n%s.\n\n", first, json_text(result, "problem"));
    if (is_refused(result)) {
        append_found(text, words, sweep, result);
    } else {
        append_line(text, words,
                    WORDS_MARK("It has failed for a day. Meanwhile such records are neither found "
                               "nor deleted."));
    }
    char *subject = words_fill(words, title, "system", sweep->system->id, "sweep", sweep->id, NULL);
    return (struct letter){subject, g_string_free(text, FALSE)};
}

// Too many records are told of at once, a failing search after a day.
static bool tell_problem(struct db *db, const struct config *config,
                         const struct config_sweep *sweep, const cJSON *result,
                         struct clock_wall now, bool *notices, GError **error)
{
    bool untold = false;
    if (json_text(result, "problem") == NULL) {
        return true;
    }
    if (!db_take_any(db_query(db, error,
                              "SELECT 1 FROM sweep WHERE id = ? AND told = 0 AND failing <= ?",
                              "si", sweep->id, is_refused(result) ? now.us : now.us - day_us),
                     &untold, error)) {
        return false;
    }
    if (!untold) {
        return true;
    }
    *notices = true;
    return queue(db, config, sweep, write_problem, result, now, error) &&
           db_run(db, error, "UPDATE sweep SET told = 1 WHERE id = ?", "s", sweep->id);
}

bool sweep_tell(struct db *db, const struct config *config, const struct config_sweep *sweep,
                const cJSON *result, struct clock_wall now, bool *notices, GError **error)
{
    return tell_records(db, config, sweep, now, notices, error) &&
           tell_problem(db, config, sweep, result, now, notices, error);
}

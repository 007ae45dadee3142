// SPDX-License-Identifier: MIT
// The tables of the outbox and their life: queued by watch in the transaction
// of the transition, taken, marked and settled by deliver. Decides nothing
// about replies: that is delivery_plan's.
#include "outbox.h"

#include <string.h>

const char outbox_schema[] =
    "CREATE TABLE outbox_notice ("
    " sequence INTEGER PRIMARY KEY, notice TEXT NOT NULL UNIQUE, incident TEXT NOT NULL,"
    " contact TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, queued_us INTEGER NOT NULL, first_us INTEGER, ended_us INTEGER,"
    " exempt INTEGER NOT NULL DEFAULT 0, lighter INTEGER NOT NULL DEFAULT 0, summary TEXT,"
    " facts TEXT NOT NULL, mail BLOB, mail_lighter BLOB);"
    "CREATE INDEX outbox_notice_incident ON outbox_notice(incident);"
    "CREATE INDEX outbox_notice_contact ON outbox_notice(contact, first_us);"
    "CREATE TABLE outbox_recipient ("
    " sequence INTEGER NOT NULL REFERENCES outbox_notice(sequence) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, address TEXT NOT NULL, state TEXT NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, due_us INTEGER NOT NULL, interval_us INTEGER NOT NULL,"
    " last_us INTEGER, stage TEXT, code INTEGER, reply TEXT,"
    " PRIMARY KEY (sequence, address)) WITHOUT ROWID;"
    "CREATE INDEX outbox_recipient_open ON outbox_recipient(state, sequence)"
    " WHERE state IN ('waiting', 'sending', 'held');"
    "CREATE TABLE outbox_server ("
    " server TEXT PRIMARY KEY, digest TEXT NOT NULL, failures INTEGER NOT NULL,"
    " due_us INTEGER NOT NULL, interval_us INTEGER NOT NULL, last_us INTEGER NOT NULL,"
    " reply TEXT NOT NULL) WITHOUT ROWID;";

// Openings and recoveries of P1 are never held, nor is a summary.
static bool is_exempt(const struct notice *notice)
{
    if (strcmp(notice->kind, "summary") == 0)
        return true;
    return notice->priority == 1 &&
           (strcmp(notice->kind, "opened") == 0 || strcmp(notice->kind, "recovered") == 0);
}

static bool add_recipients(struct db *db, const struct notice *notice, int64_t sequence,
                           int64_t due_us, int64_t interval_us, GError **error)
{
    const cJSON *address = NULL;
    int64_t position = 0;
    cJSON_ArrayForEach(address, json_member(json_member(notice->facts, "contact"), "email"))
    {
        if (cJSON_IsString(address) &&
            !db_run(db, error,
                    "INSERT OR IGNORE INTO outbox_recipient"
                    " (sequence, position, address, state, due_us, interval_us)"
                    " VALUES (?, ?, ?, 'waiting', ?, ?)",
                    "iisii", sequence, position++, address->valuestring, due_us, interval_us))
            return false;
    }
    return true;
}

bool outbox_add(struct db *db, const struct notice *notice, struct clock_wall now,
                struct clock_wall due, GError **error)
{
    g_autofree char *facts = json_print(notice->facts, false);
    if (!db_run(db, error,
                "INSERT INTO outbox_notice"
                " (notice, incident, contact, kind, number, priority, queued_us, exempt, facts)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (notice) DO NOTHING",
                "ssssiiiis", notice->id, notice->incident ? notice->incident : "", notice->contact,
                notice->kind, (int64_t)notice->number, (int64_t)notice->priority, now.us,
                (int64_t)is_exempt(notice), facts))
        return false;
    if (db_changes(db) == 0)
        return true;
    return add_recipients(db, notice, db_last_rowid(db), due.us, MAX(due.us - now.us, 0), error);
}

bool outbox_update(struct db *db, const struct notice *notice, GError **error)
{
    g_autofree char *facts = json_print(notice->facts, false);
    return db_run(db, error,
                  "UPDATE outbox_notice SET facts = ?, priority = ?, exempt = ?"
                  " WHERE notice = ? AND first_us IS NULL AND mail IS NULL AND ended_us IS NULL",
                  "siis", facts, (int64_t)notice->priority, (int64_t)is_exempt(notice), notice->id);
}

GPtrArray *outbox_begun(struct db *db, const char *incident, GError **error)
{
    return db_take_texts(db_query(db, error,
                                  "SELECT DISTINCT contact FROM outbox_notice WHERE incident = ?"
                                  " AND kind = 'opened' AND (first_us IS NOT NULL"
                                  " OR mail IS NOT NULL OR ended_us IS NOT NULL) ORDER BY contact",
                                  "s", incident),
                         error);
}

// A waiting recipient behind an earlier notice of its incident waits for that one. What is
// marked as sending belongs to a running deliver, or to one that was killed. What is further off
// than its own interval is due now: the clock was set back.
static const char waiting_sql[] =
    "SELECT min(CASE WHEN r.state = 'sending' THEN r.last_us + ?2"
    " WHEN r.due_us - ?1 > r.interval_us THEN ?1 ELSE r.due_us END)"
    " FROM outbox_recipient r JOIN outbox_notice n USING (sequence)"
    " WHERE r.state IN ('waiting', 'sending') AND " OUTBOX_IS_OPEN
    " AND NOT EXISTS (SELECT 1 FROM outbox_notice m JOIN outbox_recipient q USING (sequence)"
    "  WHERE m.incident = n.incident AND m.incident <> '' AND m.sequence < n.sequence"
    "  AND q.address = r.address AND q.state IN ('waiting', 'sending'))";

// What is held goes out with the next summary, an hour after the last one.
static const char held_sql[] =
    "SELECT min(max(n.queued_us, coalesce((SELECT max(s.queued_us) + ? FROM outbox_notice s"
    " WHERE s.contact = n.contact AND s.kind = 'summary'), 0)))"
    " FROM outbox_recipient r JOIN outbox_notice n USING (sequence)"
    " WHERE r.state = 'held' AND " OUTBOX_IS_OPEN;

static const char server_sql[] =
    "SELECT max(CASE WHEN due_us - ?1 > interval_us THEN ?1 ELSE due_us END) FROM outbox_server";

struct clock_wall outbox_next_due(struct db *db, GError **error)
{
    const struct clock_wall none = {-1};
    int64_t now_us = clock_wall_now().us;
    int64_t waiting_us, held_us, server_us;
    if (!db_take_integer(
            db_query(db, error, waiting_sql, "ii", now_us, delivery_plan_interval_us(1)), -1,
            &waiting_us, error) ||
        !db_take_integer(db_query(db, error, held_sql, "i", (int64_t)3600 * G_USEC_PER_SEC), -1,
                         &held_us, error) ||
        !db_take_integer(db_query(db, error, server_sql, "i", now_us), -1, &server_us, error))
        return none;
    if (waiting_us < 0 && held_us < 0)
        return none;
    bool held_first = waiting_us < 0 || (held_us >= 0 && held_us < waiting_us);
    return (struct clock_wall){MAX(held_first ? held_us : waiting_us, server_us)};
}

bool outbox_server_waits(struct db *db, const char *server, const char *digest,
                         struct clock_wall now, struct clock_wall *until, GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error,
                                         "SELECT due_us, interval_us FROM outbox_server"
                                         " WHERE server = ? AND digest = ?",
                                         "ss", server, digest);
    if (!db_rows_next(rows, error))
        return false;
    until->us = db_rows_integer(rows, 0);
    return !delivery_plan_is_due(*until, db_rows_integer(rows, 1), now);
}

// What outbox_take reads: one row for each address that is due of the first notice.
static const char take_sql[] =
    "SELECT n.sequence, n.notice, n.incident, n.contact, n.kind, n.priority, n.facts, n.lighter,"
    " CASE n.lighter WHEN 0 THEN n.mail ELSE n.mail_lighter END, n.exempt, n.first_us,"
    " r.address, r.attempts"
    " FROM outbox_recipient r JOIN outbox_notice n USING (sequence)"
    " WHERE r.state = 'waiting' AND " OUTBOX_IS_OPEN
    " AND (r.due_us <= ?1 OR r.due_us - ?1 > r.interval_us)"
    " AND NOT EXISTS (SELECT 1 FROM outbox_notice m JOIN outbox_recipient q USING (sequence)"
    "  WHERE m.incident = n.incident AND m.incident <> '' AND m.sequence < n.sequence"
    "  AND q.address = r.address AND q.state IN ('waiting', 'sending'))"
    " ORDER BY n.sequence, r.position";

enum take_column {
    TAKE_SEQUENCE,
    TAKE_NOTICE,
    TAKE_INCIDENT,
    TAKE_CONTACT,
    TAKE_KIND,
    TAKE_PRIORITY,
    TAKE_FACTS,
    TAKE_LIGHTER,
    TAKE_MAIL,
    TAKE_EXEMPT,
    TAKE_FIRST,
    TAKE_ADDRESS,
    TAKE_ATTEMPTS
};

static struct outbox_item *item_of_row(const struct db_rows *rows)
{
    struct outbox_item *item = g_new0(struct outbox_item, 1);
    const char *facts = db_rows_text(rows, TAKE_FACTS);
    item->sequence = db_rows_integer(rows, TAKE_SEQUENCE);
    item->notice = g_strdup(db_rows_text(rows, TAKE_NOTICE));
    item->incident = g_strdup(db_rows_text(rows, TAKE_INCIDENT));
    item->contact = g_strdup(db_rows_text(rows, TAKE_CONTACT));
    item->kind = g_strdup(db_rows_text(rows, TAKE_KIND));
    item->priority = (int)db_rows_integer(rows, TAKE_PRIORITY);
    item->facts = json_parse(facts, strlen(facts), NULL);
    item->lighter = db_rows_integer(rows, TAKE_LIGHTER) != 0;
    item->mail = db_rows_blob(rows, TAKE_MAIL);
    item->exempt = db_rows_integer(rows, TAKE_EXEMPT) != 0;
    item->tried = db_rows_text(rows, TAKE_FIRST) != NULL;
    item->recipients = g_ptr_array_new_with_free_func(g_free);
    item->attempts = g_array_new(FALSE, FALSE, sizeof(int));
    return item;
}

struct outbox_item *outbox_take(struct db *db, struct clock_wall now, GError **error)
{
    struct outbox_item *item = NULL;
    g_autoptr(db_rows_t) rows = db_query(db, error, take_sql, "i", now.us);
    while (db_rows_next(rows, error)) {
        if (item == NULL)
            item = item_of_row(rows);
        if (db_rows_integer(rows, TAKE_SEQUENCE) != item->sequence)
            break;
        int attempts = (int)db_rows_integer(rows, TAKE_ATTEMPTS);
        g_ptr_array_add(item->recipients, g_strdup(db_rows_text(rows, TAKE_ADDRESS)));
        g_array_append_val(item->attempts, attempts);
    }
    if (db_rows_failed(rows)) {
        outbox_item_free(item);
        return NULL;
    }
    return item;
}

bool outbox_keep_mail(struct db *db, const struct outbox_item *item, GBytes *mail, GError **error)
{
    return db_run(db, error,
                  item->lighter ? "UPDATE outbox_notice SET mail_lighter = ? WHERE sequence = ?"
                                : "UPDATE outbox_notice SET mail = ? WHERE sequence = ?",
                  "bi", mail, item->sequence);
}

bool outbox_mark_sending(struct db *db, struct outbox_item *item, struct clock_wall now,
                         GError **error)
{
    if (!db_run(db, error,
                "UPDATE outbox_notice SET first_us = coalesce(first_us, ?) WHERE sequence = ?",
                "ii", now.us, item->sequence))
        return false;
    for (guint i = 0; i < item->recipients->len; i++)
        if (!db_run(db, error,
                    "UPDATE outbox_recipient SET state = 'sending', attempts = attempts + 1,"
                    " last_us = ? WHERE sequence = ? AND address = ?",
                    "iis", now.us, item->sequence, (const char *)item->recipients->pdata[i]))
            return false;
    return true;
}

// A failure of the server as a whole leaves the notice due: the server's own back-off holds it.
static int64_t next_due_us(const struct delivery_reply *reply, enum delivery_fate fate,
                           int64_t attempts, struct clock_wall now)
{
    if (fate != DELIVERY_AGAIN || delivery_plan_is_server_wide(reply))
        return now.us;
    return now.us + delivery_plan_interval_us((int)attempts);
}

static bool end_notice(struct db *db, int64_t sequence, struct clock_wall now, GError **error)
{
    return db_run(db, error,
                  "UPDATE outbox_notice SET ended_us = ? WHERE sequence = ? AND NOT EXISTS"
                  " (SELECT 1 FROM outbox_recipient r WHERE r.sequence = outbox_notice.sequence"
                  " AND r.state IN ('waiting', 'sending', 'held'))",
                  "ii", now.us, sequence);
}

static int attempts_of(const struct outbox_item *item, const char *address)
{
    for (guint i = 0; i < item->recipients->len; i++)
        if (strcmp(item->recipients->pdata[i], address) == 0)
            return g_array_index(item->attempts, int, i) + 1;
    return 1;
}

bool outbox_record(struct db *db, const struct outbox_item *item, const char *address,
                   const struct delivery_reply *reply, enum delivery_fate fate,
                   struct clock_wall now, GError **error)
{
    int64_t due_us = next_due_us(reply, fate, attempts_of(item, address), now);
    return db_run(db, error,
                  "UPDATE outbox_recipient SET state = ?, due_us = ?, interval_us = ?, stage = ?,"
                  " code = ?, reply = ? WHERE sequence = ? AND address = ?",
                  "siisisis", delivery_fate_word(fate), due_us, due_us - now.us,
                  delivery_stage_word(reply->stage), (int64_t)reply->code, reply->text,
                  item->sequence, address) &&
           end_notice(db, item->sequence, now, error);
}

bool outbox_settle(struct db *db, const char *notice, const char *address, struct clock_wall now,
                   GError **error)
{
    int64_t sequence = 0;
    return db_take_integer(db_query(db, error,
                                    "SELECT sequence FROM outbox_notice WHERE notice = ?", "s",
                                    notice),
                           0, &sequence, error) &&
           db_run(db, error,
                  "UPDATE outbox_notice SET first_us = coalesce(first_us, ?) WHERE sequence = ?",
                  "ii", now.us, sequence) &&
           db_run(db, error,
                  "UPDATE outbox_recipient SET state = 'accepted', attempts = attempts + 1,"
                  " last_us = ? WHERE sequence = ? AND address = ?"
                  " AND state IN ('waiting', 'held')",
                  "iis", now.us, sequence, address) &&
           end_notice(db, sequence, now, error);
}

bool outbox_make_lighter(struct db *db, const struct outbox_item *item, GError **error)
{
    return db_run(db, error, "UPDATE outbox_notice SET lighter = 1 WHERE sequence = ?", "i",
                  item->sequence);
}

static bool server_failures(struct db *db, const char *server, const char *digest,
                            int64_t *failures, GError **error)
{
    return db_take_integer(db_query(db, error,
                                    "SELECT failures FROM outbox_server"
                                    " WHERE server = ? AND digest = ?",
                                    "ss", server, digest),
                           0, failures, error);
}

bool outbox_server_record(struct db *db, const char *server, const char *digest,
                          const struct delivery_reply *reply, struct clock_wall now, GError **error)
{
    int64_t failures = 0;
    char text[DELIVERY_REPLY_LINE];
    // One mail server at a time: what is known of a former one is of no use.
    if (reply == NULL)
        return db_run(db, error, "DELETE FROM outbox_server", "");
    if (!server_failures(db, server, digest, &failures, error) ||
        !db_run(db, error, "DELETE FROM outbox_server", ""))
        return false;
    int64_t interval_us = delivery_plan_interval_us((int)++failures);
    delivery_reply_format(reply, text, sizeof text);
    return db_run(db, error,
                  "INSERT INTO outbox_server"
                  " (server, digest, failures, due_us, interval_us, last_us, reply)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?)",
                  "ssiiiis", server, digest, failures, now.us + interval_us, interval_us, now.us,
                  text);
}

bool outbox_reclaim(struct db *db, GError **error)
{
    return db_run(db, error,
                  "UPDATE outbox_recipient SET state = 'waiting', due_us = last_us,"
                  " interval_us = 0 WHERE state = 'sending'",
                  "");
}

void outbox_item_free(struct outbox_item *item)
{
    if (item == NULL)
        return;
    g_free(item->notice);
    g_free(item->incident);
    g_free(item->contact);
    g_free(item->kind);
    cJSON_Delete(item->facts);
    g_clear_pointer(&item->mail, g_bytes_unref);
    g_ptr_array_unref(item->recipients);
    g_array_unref(item->attempts);
    g_free(item);
}

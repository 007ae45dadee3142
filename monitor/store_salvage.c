// SPDX-License-Identifier: MIT
// What can be read of a damaged store. A table is copied whole where that can be
// done; else entry by entry: those that a walk along its primary key finds from either
// end, then those that an index of it names. An entry that an index names and that
// cannot be read is lost, and said to be. Comes after store_repair has set the file aside,
// and before the standby works with what it could read of a store.
#include "store_salvage.h"

#include <string.h>

enum { KEYS_AT_MOST = 2 };

// In the order of copying. `keys` is the primary key; `index` is one that names all entries
// that matter, with its condition.
static const struct table {
    const char *name;
    const char *keys[KEYS_AT_MOST];
    const char *index;
    enum store_salvage_part part;
    bool unchecked; // of no weight at a start
} tables[] = {
    {"debt", {"seq"}, "sqlite_autoindex_debt_1", STORE_SALVAGE_LEDGER, false},
    {"outbox_notice",
     {"sequence"},
     "sqlite_autoindex_outbox_notice_1",
     STORE_SALVAGE_OUTBOX,
     false},
    {"outbox_recipient",
     {"sequence", "address"},
     "outbox_recipient_open WHERE state IN ('waiting', 'sending', 'held')",
     STORE_SALVAGE_OUTBOX,
     false},
    {"incident", {"id"}, "incident_opened", STORE_SALVAGE_INCIDENTS, false},
    {"incident_flow", {"incident", "place"}, NULL, STORE_SALVAGE_INCIDENTS, false},
    {"flow_state", {"flow"}, NULL, STORE_SALVAGE_INCIDENTS, false},
    {"decision", {"seq"}, "decision_incident", STORE_SALVAGE_INCIDENTS, false},
    {"meta", {"key"}, NULL, STORE_SALVAGE_REST, false},
    {"mute", {"seq"}, NULL, STORE_SALVAGE_REST, false},
    {"seen", {"system", "text"}, NULL, STORE_SALVAGE_REST, false},
    {"left_alone", {"system"}, NULL, STORE_SALVAGE_REST, false},
    {"spent", {"flow", "day"}, NULL, STORE_SALVAGE_REST, false},
    {"token", {"key"}, NULL, STORE_SALVAGE_REST, false},
    {"sweep", {"id"}, NULL, STORE_SALVAGE_REST, false},
    {"sweep_record", {"sweep", "id"}, NULL, STORE_SALVAGE_REST, false},
    {"version", {"system"}, NULL, STORE_SALVAGE_REST, false},
    {"version_change", {"seq"}, NULL, STORE_SALVAGE_REST, false},
    {"flow", {"no"}, NULL, STORE_SALVAGE_REST, true},
};

static bool is_ok(struct db *db, const char *sql, GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error, sql, "");
    if (rows == NULL || !db_rows_next(rows, error)) {
        return false;
    }
    if (g_strcmp0(db_rows_text(rows, 0), "ok") == 0) {
        return true;
    }
    g_set_error(error, DB_ERROR, DB_ERROR_CORRUPT, "the store is damaged: %s",
                db_rows_text(rows, 0));
    return false;
}

bool store_salvage_check(struct db *db, bool all, GError **error)
{
    if (all) {
        return is_ok(db, "PRAGMA integrity_check(1)", error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("PRAGMA quick_check(%s)", tables[i].name);
        if (!tables[i].unchecked && !is_ok(db, sql, error)) {
            return false;
        }
    }
    return true;
}

// A table on its way: the statement that copies one entry, and what has not come along.
struct copying {
    struct db *db;
    const struct table *table;
    char *keys, *copy_all, *copy_one;
    bool lost;
};

// The columns that the old table has: an older store may have fewer. NULL: it cannot be told.
static char *columns_of(struct db *db, const struct table *table)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('%s', 'old')",
        table->name);
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    return rows != NULL && db_rows_next(rows, NULL) ? g_strdup(db_rows_text(rows, 0)) : NULL;
}

static bool prepare(struct copying *copying)
{
    const struct table *table = copying->table;
    bool two = table->keys[1] != NULL;
    g_autofree char *columns = columns_of(copying->db, table);
    if (columns == NULL) {
        return false;
    }
    copying->keys = g_strconcat(table->keys[0], two ? ", " : "", two ? table->keys[1] : "", NULL);
    copying->copy_all = g_strdup_printf("INSERT OR IGNORE INTO main.%s(%s) SELECT %s FROM old.%s",
                                        table->name, columns, columns, table->name);
    copying->copy_one =
        g_strdup_printf("%s WHERE %s = ?%s%s%s", copying->copy_all, table->keys[0],
                        two ? " AND " : "", two ? table->keys[1] : "", two ? " = ?" : "");
    return true;
}

static void copy_one(struct copying *copying, const char *key, const char *second)
{
    bool copied = second != NULL ? db_run(copying->db, NULL, copying->copy_one, "ss", key, second)
                                 : db_run(copying->db, NULL, copying->copy_one, "s", key);
    copying->lost |= !copied;
}

// The keys that `sql` names, KEYS_AT_MOST texts each. `*whole` is false where it cannot be read to
// its end.
static GPtrArray *find_keys(struct copying *copying, const char *sql, bool *whole)
{
    int count = copying->table->keys[1] != NULL ? 2 : 1;
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(db_rows_t) rows = db_query(copying->db, NULL, sql, "");
    while (db_rows_next(rows, NULL)) {
        for (int i = 0; i < KEYS_AT_MOST; i++) {
            g_ptr_array_add(keys, i < count ? g_strdup(db_rows_text(rows, i)) : NULL);
        }
    }
    *whole = !db_rows_failed(rows);
    return keys;
}

// Copies what `sql` names, up to its end (true) or to where it cannot be read. All keys are read
// before one is copied: a copy that fails makes SQLite look for its place again, and where keys are
// out of order that is one that it has passed, without end.
static bool copy_named(struct copying *copying, const char *sql)
{
    bool whole;
    g_autoptr(GPtrArray) keys = find_keys(copying, sql, &whole);
    for (guint i = 0; i < keys->len; i += KEYS_AT_MOST) {
        copy_one(copying, keys->pdata[i], keys->pdata[i + 1]);
    }
    return whole;
}

// True where the walk came to the other end.
static bool walk(struct copying *copying, const char *direction)
{
    const struct table *table = copying->table;
    bool two = table->keys[1] != NULL;
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM old.%s NOT INDEXED ORDER BY %s %s%s%s %s", copying->keys,
                        table->name, table->keys[0], direction, two ? ", " : "",
                        two ? table->keys[1] : "", two ? direction : "");
    return copy_named(copying, sql);
}

// The entries between two damaged places, which no walk comes to. True where all are known.
static bool copy_by_index(struct copying *copying)
{
    const struct table *table = copying->table;
    if (table->index == NULL) {
        return false;
    }
    g_autofree char *sql = g_strdup_printf("SELECT %s FROM old.%s INDEXED BY %s", copying->keys,
                                           table->name, table->index);
    return copy_named(copying, sql);
}

static void copy_in_parts(struct copying *copying)
{
    if (walk(copying, "ASC")) {
        return;
    }
    (void)walk(copying, "DESC");
    copying->lost |= !copy_by_index(copying);
}

// True where all of it has come along.
static bool copy_table(struct db *db, const struct table *table)
{
    struct copying copying = {.db = db, .table = table};
    bool known = prepare(&copying);
    if (known && !db_run(db, NULL, copying.copy_all, "")) {
        copy_in_parts(&copying);
    }
    g_free(copying.keys);
    g_free(copying.copy_all);
    g_free(copying.copy_one);
    return known && !copying.lost;
}

// A table that an older store has not yet is no loss; what cannot be told is one.
static bool is_there(struct db *db, const struct table *table)
{
    bool any = true;
    (void)db_take_any(db_query(db, NULL,
                               "SELECT 1 FROM old.sqlite_master WHERE type = 'table' AND name = ?",
                               "s", table->name),
                      &any, NULL);
    return any;
}

unsigned store_salvage_copy(struct db *db)
{
    unsigned lost = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (is_there(db, &tables[i]) && !copy_table(db, &tables[i]) && !tables[i].unchecked) {
            lost |= tables[i].part;
        }
    }
    // The evidence of what is open, and events that are younger than those of before.
    (void)db_run(db, NULL,
                 "INSERT OR IGNORE INTO main.run SELECT * FROM old.run WHERE id IN"
                 " (SELECT run FROM main.incident WHERE closed = 0)",
                 "");
    (void)db_run(db, NULL,
                 "INSERT INTO main.sqlite_sequence(name, seq) SELECT name, seq"
                 " FROM old.sqlite_sequence WHERE name = 'event'",
                 "");
    return lost;
}

// In this order: each stands on those before it.
static const char *const tie_sql[] = {
    // a recipient without a notice is nobody's; a notice that is not done is owed to its contact
    "DELETE FROM outbox_recipient WHERE sequence NOT IN (SELECT sequence FROM outbox_notice)",
    "INSERT OR IGNORE INTO outbox_recipient(sequence, position, address, state, due_us,"
    " interval_us) SELECT n.sequence, a.key, a.value, 'waiting', n.queued_us, 0"
    " FROM outbox_notice n, json_each(CASE WHEN json_valid(n.facts) THEN n.facts END,"
    " '$.contact.email') a WHERE n.ended_us IS NULL AND a.type = 'text'",
    // a flow whose incident is lost begins to fail anew
    "DELETE FROM flow_state WHERE incident IS NOT NULL AND incident NOT IN"
    " (SELECT id FROM incident)",
    "DELETE FROM incident_flow WHERE incident NOT IN (SELECT id FROM incident)",
    // a flow and its place in the incident say the same
    "INSERT INTO incident_flow SELECT incident, 1000000 + row_number() OVER (ORDER BY flow), flow,"
    " 1, first_failed, last_failed, last_good, runs_failed FROM flow_state s"
    " WHERE incident IS NOT NULL AND NOT EXISTS (SELECT 1 FROM incident_flow f"
    " WHERE f.incident = s.incident AND f.flow = s.flow)",
    "INSERT OR IGNORE INTO flow_state SELECT f.flow, i.system, 'failing', 0, i.id, i.fingerprint,"
    " 1, f.first_failed, f.last_failed, f.last_good, f.runs_failed, 0, i.first_seq"
    " FROM incident_flow f JOIN incident i ON i.id = f.incident WHERE f.failing AND i.closed = 0",
    // an incident without a flow would never end
    "UPDATE incident SET closed = CAST(strftime('%s') AS INTEGER) * 1000000, held = 0"
    " WHERE closed = 0 AND id NOT IN (SELECT incident FROM incident_flow WHERE failing)",
    // a new incident is younger than those that were carried over
    "INSERT INTO sqlite_sequence(name, seq) SELECT 'event', 0 WHERE NOT EXISTS"
    " (SELECT 1 FROM sqlite_sequence WHERE name = 'event')",
    "UPDATE sqlite_sequence SET seq = max(seq, (SELECT coalesce(max(max(first_seq, open_seq)), 0)"
    " FROM incident), (SELECT coalesce(max(first_seq), 0) FROM flow_state),"
    " (SELECT coalesce(max(event), 0) FROM decision)) WHERE name = 'event'",
};

bool store_salvage_tie(struct db *db, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tie_sql); i++) {
        if (!db_run(db, error, tie_sql[i], "")) {
            return false;
        }
    }
    return true;
}

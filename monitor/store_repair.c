// SPDX-License-Identifier: MIT
// What becomes of a damaged store. Tables are copied whole where they can be read,
// else entry by entry from both ends, as far as the damage lets us. Comes before
// the writer starts: nothing else uses the files then.
#include "store_repair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// What is carried over; `key` names an integer to go along where the table
// cannot be read as a whole, NULL: all or nothing.
static const struct table {
    const char *name, *key;
} tables[] = {
    {"debt", "seq"}, {"outbox_notice", "sequence"}, {"outbox_recipient", "sequence"},
    {"meta", NULL},  {"flow_state", NULL},          {"incident", NULL},
    {"mute", NULL},  {"incident_flow", NULL},       {"decision", NULL},
    {"seen", NULL},  {"left_alone", NULL},          {"spent", NULL},
    {"token", NULL},
};

bool store_repair_check(struct db *db, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *sql = g_strdup_printf("PRAGMA quick_check(%s)", tables[i].name);
        g_autoptr(db_rows_t) rows = db_query(db, error, sql, "");
        if (rows == NULL || !db_rows_next(rows, error)) {
            return false;
        }
        if (g_strcmp0(db_rows_text(rows, 0), "ok") != 0) {
            g_set_error(error, DB_ERROR, DB_ERROR_CORRUPT, "the store is damaged: %s",
                        db_rows_text(rows, 0));
            return false;
        }
    }
    return true;
}

char *store_repair_set_aside(const char *path, struct clock_wall now, GError **error)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    g_autofree char *when = clock_wall_format(now);
    g_autofree char *aside = g_strdup_printf("%s.damaged-%s", path, when);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *from = g_strconcat(path, ends[i], NULL);
        g_autofree char *to = g_strconcat(aside, ends[i], NULL);
        if (rename(from, to) != 0 && (i == 0 || errno != ENOENT)) {
            g_set_error(error, DB_ERROR, DB_ERROR_CORRUPT,
                        "the store %s is damaged and cannot be set aside: %s", path,
                        g_strerror(errno));
            return NULL;
        }
    }
    return g_steal_pointer(&aside);
}

// The next key above (or below) `from`; false at the end or at the damage.
static bool next_key(struct db *db, const struct table *table, bool up, int64_t from, int64_t *key)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT %s FROM old.%s WHERE %s %s ? ORDER BY %s %s LIMIT 1", table->key,
                        table->name, table->key, up ? ">" : "<", table->key, up ? "ASC" : "DESC");
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "i", from);
    if (rows == NULL || !db_rows_next(rows, NULL)) {
        return false;
    }
    *key = db_rows_integer(rows, 0);
    return true;
}

// Copies entries from one end until the damage.
static void copy_from_end(struct db *db, const struct table *table, bool up)
{
    g_autofree char *sql =
        g_strdup_printf("INSERT OR IGNORE INTO main.%s SELECT * FROM old.%s WHERE %s = ?",
                        table->name, table->name, table->key);
    int64_t key = up ? INT64_MIN : INT64_MAX;
    while (next_key(db, table, up, key, &key)) {
        if (!db_run(db, NULL, sql, "i", key)) {
            return;
        }
    }
}

static void copy_table(struct db *db, const struct table *table)
{
    g_autofree char *sql = g_strdup_printf("INSERT OR IGNORE INTO main.%s SELECT * FROM old.%s",
                                           table->name, table->name);
    if (db_run(db, NULL, sql, "") || table->key == NULL) {
        return;
    }
    copy_from_end(db, table, true);
    copy_from_end(db, table, false);
}

static int64_t count(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    return rows != NULL && db_rows_next(rows, NULL) ? db_rows_integer(rows, 0) : 0;
}

char *store_repair_carry_over(struct db *db, const char *path, const char *aside)
{
    if (db_run(db, NULL, "ATTACH DATABASE ? AS old", "s", aside)) {
        for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
            copy_table(db, &tables[i]);
        }
        (void)db_script(db, "DETACH DATABASE old", NULL);
    }
    int64_t debts = count(db, "SELECT count(*) FROM debt WHERE state = 'owed'");
    int64_t notices = count(db, "SELECT count(DISTINCT sequence) FROM outbox_recipient"
                                " WHERE state IN ('waiting', 'sending', 'held')");
    int64_t open = count(db, "SELECT count(*) FROM incident WHERE closed = 0");
    return g_strdup_printf(
        "The store %s was damaged and is kept as %s. Carried over into a new one: %" G_GINT64_FORMAT
        " owed undos, %" G_GINT64_FORMAT " notices that wait to be sent, %" G_GINT64_FORMAT
        " open incidents. The history of runs is in the old file alone.",
        path, aside, debts, notices, open);
}

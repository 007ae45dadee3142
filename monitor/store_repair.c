// SPDX-License-Identifier: MIT
// What becomes of a damaged store: what can be read of it is carried over into a new
// file, which takes its place when it is whole, so that a kill at any moment leaves one of the
// two; and the sentence that says what was carried over and what not. Comes before the
// writer starts: nothing else uses the files then.
#include "store_repair.h"

#include "../alerts/words.h"
#include "schema.h"
#include "store_runs.h"
#include "store_salvage.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const char KEY[] = "repaired", LOST[] = "lost"; // in meta, until somebody was told
static const char *const ends[] = {"-wal", "-shm"};

static bool move(const char *from, const char *to, const char *what, GError **error)
{
    if (rename(from, to) == 0) {
        return true;
    }
    g_set_error(error, DB_ERROR, DB_ERROR_CANNOT_OPEN,
                "the store %s is damaged and cannot be %s: %s", from, what, g_strerror(errno));
    return false;
}

// The file's log goes with it: beside a new file it would be taken for that one's.
static void move_log(const char *path, const char *aside)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *from = g_strconcat(path, ends[i], NULL);
        g_autofree char *to = g_strconcat(aside, ends[i], NULL);
        (void)rename(from, to);
    }
}

static void remove_with_log(const char *path)
{
    unlink(path);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *log = g_strconcat(path, ends[i], NULL);
        unlink(log);
    }
}

static char *aside_name(const char *path, struct clock_wall now)
{
    g_autofree char *when = clock_wall_format(now);
    return g_strdup_printf("%s.damaged-%s", path, when);
}

static int64_t count(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    return rows != NULL && db_rows_next(rows, NULL) ? db_rows_integer(rows, 0) : 0;
}

// What is lost, and what that means.
static const struct {
    enum store_salvage_part part;
    const char *text;
} losses[] = {
    {STORE_SALVAGE_LEDGER, "the ledger: records that flows have created may be left in the systems "
                           "(their marks begin with ERPW-; a sweep finds them)"},
    {STORE_SALVAGE_OUTBOX, "the notices: some that waited may never arrive"},
    {STORE_SALVAGE_INCIDENTS, "the incidents: who was told of one may not hear of its end; what "
                              "still fails is told anew"},
    {STORE_SALVAGE_REST, "mutes, tokens, or what is known of versions and sweeps"},
};

static void add_losses(GString *text, unsigned lost)
{
    const char *before = " Not all could be read of ";
    for (size_t i = 0; i < G_N_ELEMENTS(losses); i++) {
        if (lost & losses[i].part) {
            g_string_append_printf(text, "%s%s", before, losses[i].text);
            before = "; of ";
        }
    }
    g_string_append(text, lost != 0 ? "." : "");
}

static unsigned carry(struct db *db, const char *path)
{
    static const unsigned all =
        STORE_SALVAGE_LEDGER | STORE_SALVAGE_OUTBOX | STORE_SALVAGE_INCIDENTS | STORE_SALVAGE_REST;
    // Without it, SQLite reads nothing at all of a file that was cut short.
    if (!db_script(db, "PRAGMA writable_schema=ON", NULL) ||
        !db_run(db, NULL, "ATTACH DATABASE ? AS old", "s", path)) {
        return all;
    }
    unsigned lost = store_salvage_copy(db);
    (void)db_script(db, "DETACH DATABASE old; PRAGMA writable_schema=OFF", NULL);
    return lost;
}

static char *sentence(struct db *db, const char *path, const char *aside, unsigned lost)
{
    int64_t debts = count(db, "SELECT count(*) FROM debt WHERE state = 'owed'");
    int64_t notices = count(db, "SELECT count(DISTINCT sequence) FROM outbox_recipient"
                                " WHERE state IN ('waiting', 'sending', 'held')");
    int64_t open = count(db, "SELECT count(*) FROM incident WHERE closed = 0");
    GString *text = g_string_new(NULL);
    g_string_printf(text,
                    "The store %s was damaged and is kept as %s. Carried over into a new one: "
                    "%" G_GINT64_FORMAT " owed undos, %" G_GINT64_FORMAT
                    " notices that wait to be sent, %" G_GINT64_FORMAT
                    " open incidents. The history of runs is in the old file alone.",
                    path, aside, debts, notices, open);
    add_losses(text, lost);
    return g_string_free(text, FALSE);
}

// The new store, whole, under the name `part`.
static bool build(const char *path, const char *part, const char *aside, GError **error)
{
    remove_with_log(part);
    g_autoptr(db_t) db = db_open(part, DB_CREATE, error);
    if (db == NULL || !schema_migrate(db, part, error)) {
        return false;
    }
    unsigned lost = carry(db, path);
    db_clear_suspect(part); // what is damaged is the old one
    if (!store_salvage_tie(db, error)) {
        return false;
    }
    g_autofree char *text = sentence(db, path, aside, lost);
    return store_runs_set(db, KEY, text, error) &&
           db_run(db, error, "PRAGMA wal_checkpoint(TRUNCATE)", "");
}

bool store_repair_replace(const char *path, struct clock_wall now, GError **error)
{
    g_autofree char *aside = aside_name(path, now);
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    g_autofree char *repaired = g_strconcat(path, ".repaired", NULL);
    if (!build(path, part, aside, error)) {
        remove_with_log(part);
        return false;
    }
    if (!move(part, repaired, "replaced", error) || !move(path, aside, "set aside", error)) {
        return false;
    }
    move_log(path, aside);
    return move(repaired, path, "replaced", error);
}

bool store_repair_finish(const char *path, struct clock_wall now, GError **error)
{
    g_autofree char *repaired = g_strconcat(path, ".repaired", NULL);
    if (!g_file_test(repaired, G_FILE_TEST_EXISTS)) {
        return true;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        unlink(repaired); // made of a file that may have changed since
        return true;
    }
    g_autofree char *aside = aside_name(path, now);
    move_log(path, aside);
    return move(repaired, path, "replaced", error);
}

bool store_repair_note_lost(struct db *db, const char *path, int64_t commits, GError **error)
{
    g_autofree char *replaced = store_runs_get(db, KEY, NULL);
    g_autofree char *text = g_strdup_printf(
        "The last %" G_GINT64_FORMAT " commits of the store %s are gone: its log %s-wal was cut "
        "short, or an older copy of the store was put back. What they held is not known any more "
        "of the ledger: records that flows have created may be left in the systems (their marks "
        "begin with ERPW-; a sweep finds them); of the notices: some may arrive twice, or never; "
        "of incidents, acknowledgements and mutes.",
        commits, path, path);
    return replaced != NULL || store_runs_set(db, LOST, text, error);
}

char *store_repair_text(struct db *db, const char **subject)
{
    char *text = store_runs_get(db, KEY, NULL);
    *subject = WORDS_MARK("the store was damaged and has been replaced");
    if (text == NULL) {
        text = store_runs_get(db, LOST, NULL);
        *subject = WORDS_MARK("the store has lost its last entries");
    }
    return text;
}

bool store_repair_was_told(struct db *db, GError **error)
{
    return db_run(db, error, "DELETE FROM meta WHERE key IN (?, ?)", "ss", KEY, LOST);
}

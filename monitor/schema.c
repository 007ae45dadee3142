// SPDX-License-Identifier: MIT
// The store's schema. A step, once released, is never changed: the next change
// is a new step at the end. The number of steps done is PRAGMA user_version.
// Comes before everything that reads or writes the store.
#include "schema.h"

#include "../alerts/outbox.h"
#include "missed.h"
#include "sweep_rows.h"
#include "version_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// Times are microseconds since the epoch, UTC. `flow.no` stands for a flow's name
// where rows are many. Good runs of a flow that is well have a table of their own:
// they are most of all rows, and the first to go.
static const char core[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE flow(no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, system TEXT NOT NULL,"
    " state TEXT, started INTEGER, ended INTEGER, duration_us INTEGER, last_good INTEGER,"
    " run TEXT, summary TEXT, good_at INTEGER);"
    "CREATE TABLE last_good(flow TEXT PRIMARY KEY, result TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE good_run(seq INTEGER PRIMARY KEY, flow INTEGER NOT NULL,"
    " started INTEGER NOT NULL, duration_us INTEGER NOT NULL);"
    "CREATE INDEX good_run_flow ON good_run(flow, started);"
    "CREATE TABLE run(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, flow INTEGER NOT NULL,"
    " started INTEGER NOT NULL, duration_us INTEGER NOT NULL, state TEXT NOT NULL,"
    " counted INTEGER NOT NULL, fingerprint TEXT, summary TEXT, result TEXT, evidence TEXT);"
    "CREATE INDEX run_flow ON run(flow, started);"
    "CREATE INDEX run_evidence ON run(seq) WHERE evidence IS NOT NULL;"
    "CREATE TABLE hourly(flow INTEGER, hour INTEGER, runs INTEGER NOT NULL,"
    " total_us INTEGER NOT NULL, longest_us INTEGER NOT NULL, below_100ms INTEGER NOT NULL,"
    " below_300ms INTEGER NOT NULL, below_1s INTEGER NOT NULL, below_3s INTEGER NOT NULL,"
    " below_10s INTEGER NOT NULL, below_30s INTEGER NOT NULL, longer INTEGER NOT NULL,"
    " PRIMARY KEY(flow, hour)) WITHOUT ROWID;"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " kind TEXT NOT NULL, data TEXT NOT NULL);"
    "CREATE TABLE flow_state(flow TEXT PRIMARY KEY, system TEXT NOT NULL, state TEXT NOT NULL,"
    " count INTEGER NOT NULL, incident TEXT, fingerprint TEXT, same INTEGER NOT NULL,"
    " first_failed INTEGER NOT NULL, last_failed INTEGER NOT NULL, last_good INTEGER NOT NULL,"
    " runs_failed INTEGER NOT NULL, confirm_due INTEGER NOT NULL, first_seq INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE incident(id TEXT PRIMARY KEY, system TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " run TEXT NOT NULL, opened INTEGER NOT NULL, closed INTEGER NOT NULL, first_seq INTEGER"
    " NOT NULL, open_seq INTEGER NOT NULL, held INTEGER NOT NULL, state TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX incident_held ON incident(id) WHERE held = 1;"
    "CREATE INDEX incident_open ON incident(system, open_seq) WHERE closed = 0;"
    "CREATE INDEX incident_opened ON incident(opened);"
    "CREATE TABLE incident_flow(incident TEXT, place INTEGER, flow TEXT NOT NULL,"
    " failing INTEGER NOT NULL, first_failed INTEGER NOT NULL, last_failed INTEGER NOT NULL,"
    " last_good INTEGER NOT NULL, runs_failed INTEGER NOT NULL, PRIMARY KEY(incident, place))"
    " WITHOUT ROWID;"
    "CREATE TABLE decision(seq INTEGER PRIMARY KEY, incident TEXT NOT NULL, event INTEGER"
    " NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX decision_incident ON decision(incident);"
    "CREATE TABLE mute(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, target TEXT NOT NULL,"
    " since INTEGER NOT NULL, until INTEGER NOT NULL, why TEXT NOT NULL, ended INTEGER"
    " NOT NULL);"
    "CREATE TABLE seen(system TEXT, text TEXT, at INTEGER NOT NULL, PRIMARY KEY(system, text))"
    " WITHOUT ROWID;"
    "CREATE TABLE debt(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, run TEXT NOT NULL,"
    " flow TEXT NOT NULL, system TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL,"
    " owner TEXT NOT NULL, sent_at INTEGER NOT NULL, timeout_ms INTEGER NOT NULL,"
    " undo TEXT NOT NULL, origin TEXT, url TEXT, digest TEXT, known TEXT, state TEXT NOT NULL,"
    " problem TEXT, tries INTEGER NOT NULL, due INTEGER, told INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, UNIQUE(id, sent_at));"
    "CREATE INDEX debt_owed ON debt(owner, due) WHERE state = 'owed';";

// Systems that refused us, and how often flows with a budget ran on a day (as yyyymmdd, in
// the agent's zone).
static const char care[] =
    "CREATE TABLE left_alone(system TEXT PRIMARY KEY, level INTEGER NOT NULL, since INTEGER"
    " NOT NULL, until INTEGER NOT NULL, flow TEXT, allowed INTEGER NOT NULL, why TEXT,"
    " digest TEXT) WITHOUT ROWID;"
    "CREATE TABLE spent(flow TEXT, day INTEGER, runs INTEGER NOT NULL, PRIMARY KEY(flow, day))"
    " WITHOUT ROWID;";

// Debts that somebody is to be told of: looked for all the time, among very many that are paid.
static const char untold[] = "CREATE INDEX debt_untold ON debt(told) WHERE told = 0"
                             " AND state IN ('uncertain', 'orphaned', 'given_up');";

// Access tokens and the refresh tokens behind them (probes/token_store.h): the only secrets that
// the store holds, as a refresh token that is exchanged at each use is nowhere else.
static const char tokens[] =
    "CREATE TABLE token(key TEXT PRIMARY KEY, refresh TEXT, former TEXT, access TEXT, purpose TEXT,"
    " access_until INTEGER NOT NULL, obtained INTEGER NOT NULL, asking INTEGER NOT NULL,"
    " changed INTEGER NOT NULL) WITHOUT ROWID;";

// Each run wrote a page of it of its own, and half of what the file held was this index. Who asks
// for the last runs of a flow finds them from the newest on.
static const char unindexed[] = "DROP INDEX good_run_flow;";

static const char *const steps_done[] = {
    core,          outbox_schema, care,     sweep_rows_schema, tokens, version_rows_schema,
    missed_schema, untold,        unindexed};

G_DEFINE_QUARK(erpwatch - schema - error, schema_error)

static int schema_version(void)
{
    return (int)G_N_ELEMENTS(steps_done);
}

static bool read_integer(struct db *db, const char *sql, int64_t *value, GError **error)
{
    return db_take_integer(db_query(db, error, sql, ""), 0, value, error);
}

// Refuses what this program may not touch.
static bool version_is_ours(struct db *db, const char *path, int64_t version, int count,
                            GError **error)
{
    int64_t tables = 0;
    if (version > count) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_NEWER,
                    "the store %s was written by a newer erpwatch (its version is %d, this one "
                    "knows %d): use the newer erpwatch, or name another file as agent.store",
                    path, (int)version, count);
        return false;
    }
    if (version > 0) {
        return true;
    }
    if (!read_integer(db, "SELECT count(*) FROM sqlite_master", &tables, error)) {
        return false;
    }
    if (tables > 0) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN,
                    "%s is a database, but no store of erpwatch: name another file as agent.store",
                    path);
        return false;
    }
    return true;
}

// Copies the store as it is now. A copy of that version that is there already
// is of an earlier try, whose migration did not come about.
static bool keep_copy(struct db *db, const char *path, int64_t version, GError **error)
{
    g_autofree char *copy = g_strdup_printf("%s.v%d", path, (int)version);
    unlink(copy);
    int fd = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, DB_ERROR, DB_ERROR_CANNOT_OPEN,
                    "the store cannot be copied to %s before it is brought up to date: %s", copy,
                    g_strerror(errno));
        return false;
    }
    close(fd);
    return db_run(db, error, "VACUUM INTO ?", "s", copy);
}

static bool do_steps(struct db *db, const char *path, const char *const *steps, int count,
                     GError **error)
{
    int64_t version = 0;
    g_autofree char *pragma = g_strdup_printf("PRAGMA user_version=%d", count);
    // Another process may have done it while this one waited for the lock.
    if (!read_integer(db, "PRAGMA user_version", &version, error) ||
        !version_is_ours(db, path, version, count, error)) {
        return false;
    }
    for (int64_t i = version; i < count; i++) {
        if (!db_script(db, steps[i], error)) {
            return false;
        }
    }
    return db_script(db, pragma, error);
}

bool schema_migrate_with(struct db *db, const char *path, const char *const *steps, int count,
                         GError **error)
{
    int64_t version = 0;
    if (!read_integer(db, "PRAGMA user_version", &version, error) ||
        !version_is_ours(db, path, version, count, error)) {
        return false;
    }
    if (version == count) {
        return true;
    }
    if ((version > 0 && !keep_copy(db, path, version, error)) || !db_begin(db, error)) {
        return false;
    }
    if (!do_steps(db, path, steps, count, error)) {
        db_rollback(db);
        return false;
    }
    return db_commit(db, error);
}

bool schema_migrate(struct db *db, const char *path, GError **error)
{
    return schema_migrate_with(db, path, steps_done, schema_version(), error);
}

bool schema_check(struct db *db, const char *path, GError **error)
{
    int64_t version = 0;
    if (!read_integer(db, "PRAGMA user_version", &version, error) ||
        !version_is_ours(db, path, version, schema_version(), error)) {
        return false;
    }
    if (version != schema_version()) {
        g_set_error(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN,
                    "the store %s has not been brought up to date yet: run the agent once", path);
        return false;
    }
    return true;
}

// SPDX-License-Identifier: MIT
// The store as files: the database, its locks and its reserve. Opened by each
// command that writes, before the writer's thread starts. Holds no SQL about what
// is in it.
#include "store.h"

#include "../base/claims.h"
#include "../base/ids.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "../base/tally.h"
#include "schema.h"
#include "store_repair.h"
#include "store_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    RESERVE_BYTES = 1024 * 1024,
    ROOM_FOR_RESERVE = RESERVE_BYTES + 256 * 1024,
    OWNER_TRIES = 5,
};

static const char OWNER_PREFIX[] = "owner-", REPAIR[] = "repair";

struct store {
    char *path, *folder, *reserve;
    char *owner;
    struct db *db;
    bool reserve_gone; // the disk has no room for it
    bool was_opened;   // as a whole: before, nobody can owe anything
    struct lock *own, *agent;
    struct tally *commits;
    struct claims *flows;
    GHashTable *running; // a set of uint64_t: the slots in `flows` that are ours
};

static char *lock_path(const struct store *store, const char *name)
{
    return g_build_filename(store->folder, name, NULL);
}

static char *owner_path(const struct store *store, const char *owner)
{
    g_autofree char *name = g_strconcat(OWNER_PREFIX, owner, NULL);
    return lock_path(store, name);
}

// What stands at the path and can be no store of ours, in words: SQLite has none for it.
static bool may_be_store(const char *path, GError **error)
{
    struct stat about;
    bool known = stat(path, &about) == 0;
    if (known && S_ISDIR(about.st_mode)) {
        g_set_error(error, DB_ERROR, DB_ERROR_CANNOT_OPEN,
                    "the store %s is a folder: name a file in it as agent.store, such as "
                    "%s/erpwatch.db",
                    path, path);
        return false;
    }
    if (known && !S_ISREG(about.st_mode)) {
        g_set_error(error, DB_ERROR, DB_ERROR_CANNOT_OPEN,
                    "the store %s is no file that keeps anything: name another as agent.store",
                    path);
        return false;
    }
    if (access(path, R_OK) != 0 && errno == EACCES) {
        g_set_error(
            error, DB_ERROR, DB_ERROR_CANNOT_OPEN,
            "the store %s cannot be read by this user: be the user whose store it is, as in "
            "sudo -u erpwatch",
            path);
        return false;
    }
    return true;
}

static bool make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0) {
        return true;
    }
    g_set_error(error, DB_ERROR,
                errno == EROFS || errno == EACCES ? DB_ERROR_READONLY
                : errno == ENOSPC                 ? DB_ERROR_FULL
                                                  : DB_ERROR_CANNOT_OPEN,
                "the folder %s of the store cannot be made: %s", path, g_strerror(errno));
    return false;
}

// Another process may take the file of a fresh owner for a dead one's, for a moment.
static bool take_own_lock(struct store *store, GError **error)
{
    for (int i = 1;; i++) {
        g_autoptr(GError) problem = NULL;
        g_autofree char *owner = ids_uuid();
        g_autofree char *path = owner_path(store, owner);
        store->own = lock_take(path, &problem);
        if (store->own != NULL) {
            store->owner = g_steal_pointer(&owner);
            return true;
        }
        if (i == OWNER_TRIES || !g_error_matches(problem, LOCK_ERROR, LOCK_ERROR_HELD)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
    }
}

// Where an owner of this number holds his lock.
static bool owner_is_alive(void *self, uint64_t number)
{
    const struct store *store = self;
    g_autoptr(GDir) folder = g_dir_open(store->folder, 0, NULL);
    const char *name = NULL;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = lock_path(store, name);
        if (g_str_has_prefix(name, OWNER_PREFIX) &&
            ids_number(name + strlen(OWNER_PREFIX)) == number && lock_is_held(path)) {
            return true;
        }
    }
    return false;
}

static bool become_owner(struct store *store, GError **error)
{
    g_autofree char *flows = lock_path(store, "flows");
    g_autofree char *commits = lock_path(store, "commits");
    g_autoptr(GError) problem = NULL;
    if (take_own_lock(store, &problem)) {
        const struct claims_holder self = {ids_number(store->owner), owner_is_alive, store};
        store->flows = claims_open(flows, &self, &problem);
        store->commits = problem == NULL ? tally_open(commits, &problem) : NULL;
    }
    if (problem == NULL) {
        return true;
    }
    bool full = g_error_matches(problem, LOCK_ERROR, LOCK_ERROR_FULL);
    g_set_error(error, DB_ERROR, full ? DB_ERROR_FULL : DB_ERROR_READONLY,
                "the store %s cannot be used: %s", store->path, problem->message);
    return false;
}

// A file that somebody found damaged is looked at as a whole, and before it is changed.
static bool was_well(struct db *db, const char *path, GError **error)
{
    if (!db_is_suspect(path)) {
        return true;
    }
    if (!store_salvage_check(db, true, error)) {
        return false;
    }
    db_clear_suspect(path);
    return true;
}

// Everything that can be wrong with the file shows here.
static struct db *open_checked(const char *path, GError **error)
{
    g_autoptr(db_t) db = db_open(path, DB_CREATE, error);
    if (db == NULL || !was_well(db, path, error) || !schema_migrate(db, path, error) ||
        !store_salvage_check(db, false, error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

// True where another process that is alive uses the store.
static bool has_other_owners(const struct store *store)
{
    g_autoptr(GDir) folder = g_dir_open(store->folder, 0, NULL);
    const char *name = NULL;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = lock_path(store, name);
        if (g_str_has_prefix(name, OWNER_PREFIX) && store->owner != NULL &&
            strcmp(name + strlen(OWNER_PREFIX), store->owner) != 0 && lock_is_held(path)) {
            return true;
        }
    }
    return false;
}

static bool replace_damaged(struct store *store, const GError *damage, GError **error)
{
    g_autofree char *repair_path = lock_path(store, REPAIR);
    g_autoptr(lock_t) repair = lock_take(repair_path, NULL);
    if (repair == NULL || has_other_owners(store)) {
        db_suspect(store->path); // the look at the start may pass over it next time
        g_set_error(error, DB_ERROR, DB_ERROR_CORRUPT,
                    "%s, and another erpwatch uses it: end that one first", damage->message);
        return false;
    }
    if (!store_repair_replace(store->path, clock_wall_now(), error)) {
        return false;
    }
    db_clear_suspect(store->path);
    store->db = open_checked(store->path, error);
    return store->db != NULL;
}

// A file that is missing while it is being replaced must not be made anew.
static bool finish_replacement(const struct store *store, GError **error)
{
    g_autofree char *repair_path = lock_path(store, REPAIR);
    if (g_file_test(store->path, G_FILE_TEST_EXISTS)) {
        return true;
    }
    g_autoptr(lock_t) repair = lock_take(repair_path, error);
    return repair != NULL && store_repair_finish(store->path, clock_wall_now(), error);
}

static bool release_reserve(void *self)
{
    const struct store *store = self;
    return unlink(store->reserve) == 0;
}

// What processes share of the log needs room too, where nobody has it open.
static struct db *open_with_reserve(struct store *store, GError **error)
{
    GError *problem = NULL;
    struct db *db = open_checked(store->path, &problem);
    if (g_error_matches(problem, DB_ERROR, DB_ERROR_FULL) && release_reserve(store)) {
        g_clear_error(&problem);
        store->reserve_gone = true;
        db = open_checked(store->path, &problem);
    }
    if (db == NULL) {
        g_propagate_error(error, problem);
    }
    return db;
}

static bool open_database(struct store *store, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!finish_replacement(store, error)) {
        return false;
    }
    store->db = open_with_reserve(store, &problem);
    if (store->db != NULL) {
        return true;
    }
    if (g_error_matches(problem, DB_ERROR, DB_ERROR_CORRUPT)) {
        return replace_damaged(store, problem, error);
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool make_reserve(const struct store *store)
{
    int fd = open(store->reserve, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool made = posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
    close(fd);
    if (!made) {
        unlink(store->reserve);
    }
    return made;
}

// Not before there is room for more than the reserve alone: what its release has freed would
// be taken back at once.
static bool restore_reserve(void *self)
{
    const struct store *store = self;
    struct statvfs about;
    if (statvfs(store->folder, &about) != 0 ||
        (uint64_t)about.f_bavail * about.f_frsize < ROOM_FOR_RESERVE) {
        return false;
    }
    return make_reserve(store);
}

struct lock *store_lock_token(const struct store *store, const char *key, GError **error)
{
    g_autofree char *name = g_strconcat("token-", key, NULL);
    g_autofree char *path = lock_path(store, name);
    return lock_take(path, error);
}

struct writer_reserve store_reserve(struct store *store)
{
    return (struct writer_reserve){release_reserve, restore_reserve, store, store->reserve_gone};
}

/* The count of commits: in `meta`, raised by each of them, and beside the store. SQLite drops
   the last ones without a word where its log was cut short; then the count beside it is ahead.
   A store begins at a random multiple of STORES, so that another one has other numbers. */

#define STORES (INT64_C(1) << 39)

static const char commit_sql[] =
    "INSERT INTO meta(key, value) VALUES('commits', ((random() & 8388607) << 39) + 1)"
    " ON CONFLICT(key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    " RETURNING CAST(value AS INTEGER)";

static bool read_commits(const struct store *store, int64_t *number, GError **error)
{
    return db_take_integer(db_query(store->db, error,
                                    "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'commits'",
                                    ""),
                           0, number, error);
}

// How far the count is ahead of the store, 0: not at all; and both of them.
static bool compare_commits(const struct store *store, int64_t *ahead, int64_t *number,
                            GError **error)
{
    *ahead = tally_read(store->commits); // first: others go on committing
    return read_commits(store, number, error);
}

static bool is_same_store(int64_t ahead, int64_t number)
{
    return number != 0 && ahead / STORES == number / STORES;
}

// Notes what is lost: once, whoever comes first.
static bool note_lost(const struct store *store, GError **error)
{
    int64_t ahead = 0, number = 0;
    if (!db_begin(store->db, error)) {
        return false;
    }
    if (!compare_commits(store, &ahead, &number, error) ||
        (ahead > number &&
         !store_repair_note_lost(store->db, store->path, ahead - number, error))) {
        db_rollback(store->db);
        return false;
    }
    if (!db_commit(store->db, error)) {
        return false;
    }
    (void)tally_replace(store->commits, ahead, number);
    return true;
}

// A new store has its number, and its tables, in the file: else a log that is lost as a whole
// would leave what looks like another new store.
static void begin_count(const struct store *store, int64_t *number)
{
    if (db_take_integer(db_query(store->db, NULL, commit_sql, ""), 0, number, NULL)) {
        (void)db_run(store->db, NULL, "PRAGMA wal_checkpoint(TRUNCATE)", "");
    }
}

// Where it cannot be noted now, it is at the next start.
static bool count_commits(struct store *store, GError **error)
{
    g_autoptr(GError) problem = NULL;
    int64_t ahead = 0, number = 0;
    if (!compare_commits(store, &ahead, &number, error)) {
        return false;
    }
    if (number == 0) {
        begin_count(store, &number);
    }
    if (!is_same_store(ahead, number)) {
        (void)tally_replace(store->commits, ahead, number);
    } else if (ahead > number && !note_lost(store, &problem)) {
        log_warning("the last commits of the store are gone, which cannot be noted: %s",
                    problem->message);
    }
    db_count_commits(store->db, store->commits, commit_sql);
    return true;
}

struct store *store_open(const char *path, GError **error)
{
    struct store *store = g_new0(struct store, 1);
    g_autofree char *parent = g_path_get_dirname(path);
    store->path = g_strdup(path);
    store->folder = g_strconcat(path, ".locks", NULL);
    store->reserve = g_strconcat(path, ".reserve", NULL);
    store->running = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (!may_be_store(path, error) || !make_folder(parent, error) ||
        !make_folder(store->folder, error) || !become_owner(store, error) ||
        !open_database(store, error) || !count_commits(store, error)) {
        store_free(store);
        return NULL;
    }
    // A store that was made by hand may be open to others. Where it is not ours to
    // change, it stays as it is.
    (void)chmod(path, 0600);
    store->reserve_gone = store->reserve_gone || !make_reserve(store);
    store->was_opened = true;
    return store;
}

struct db *store_open_reader(const char *path, GError **error)
{
    g_autoptr(db_t) db = may_be_store(path, error) ? db_open(path, DB_READ_ONLY, error) : NULL;
    if (db == NULL || !schema_check(db, path, error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

struct db *store_open_memory(GError **error)
{
    g_autoptr(db_t) db = db_open(":memory:", DB_READ_WRITE, error);
    if (db == NULL || !schema_migrate(db, ":memory:", error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

struct db *store_db(struct store *store)
{
    return store->db;
}

struct db *store_take_db(struct store *store)
{
    return g_steal_pointer(&store->db);
}

const char *store_owner(const struct store *store)
{
    return store->owner;
}

GPtrArray *store_dead_owners(const struct store *store)
{
    GPtrArray *dead = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(store->folder, 0, NULL);
    const char *name = NULL;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = lock_path(store, name);
        if (g_str_has_prefix(name, OWNER_PREFIX) && !lock_is_held(path)) {
            g_ptr_array_add(dead, g_strdup(name + strlen(OWNER_PREFIX)));
        }
    }
    return dead;
}

void store_forget_owner(const struct store *store, const char *owner)
{
    g_autofree char *path = owner_path(store, owner);
    struct lock *lock = lock_take(path, NULL);
    if (lock != NULL) {
        lock_free_and_remove(lock);
    }
}

bool store_lock_agent(struct store *store, GError **error)
{
    g_autofree char *path = lock_path(store, "agent");
    g_autoptr(GError) problem = NULL;
    store->agent = lock_take(path, &problem);
    if (store->agent != NULL) {
        return true;
    }
    if (g_error_matches(problem, LOCK_ERROR, LOCK_ERROR_HELD)) {
        g_set_error(error, LOCK_ERROR, LOCK_ERROR_HELD,
                    "another agent runs on the store %s already: end it first", store->path);
    } else {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return false;
}

static bool take_slot(struct store *store, uint64_t slot)
{
    if (g_hash_table_contains(store->running, &slot) || !claims_take(store->flows, slot)) {
        return false;
    }
    g_hash_table_add(store->running, g_memdup2(&slot, sizeof slot));
    return true;
}

static void release_slot(struct store *store, uint64_t slot)
{
    if (g_hash_table_remove(store->running, &slot)) {
        claims_release(store->flows, slot);
    }
}

bool store_lock_flow(struct store *store, uint64_t flow, const char *former)
{
    if (!take_slot(store, flow)) {
        return false;
    }
    if (former == NULL || take_slot(store, ids_number(former))) {
        return true;
    }
    release_slot(store, flow);
    return false;
}

void store_unlock_flow(struct store *store, uint64_t flow, const char *former)
{
    release_slot(store, flow);
    if (former != NULL) {
        release_slot(store, ids_number(former));
    }
}

// True where debts of this owner are left, or that cannot be told.
static bool owes(const struct store *store)
{
    g_autoptr(db_rows_t) rows =
        db_query(store->db, NULL, "SELECT count(*) FROM debt WHERE owner = ? AND state = 'owed'",
                 "s", store->owner);
    return rows == NULL || !db_rows_next(rows, NULL) || db_rows_integer(rows, 0) > 0;
}

void store_free(struct store *store)
{
    if (store == NULL) {
        return;
    }
    bool may_owe = store->was_opened && (store->db == NULL || owes(store));
    db_close(store->db);
    lock_free(store->agent);
    claims_free(store->flows);
    tally_free(store->commits);
    if (store->own != NULL && !may_owe) {
        lock_free_and_remove(store->own);
    } else {
        // Debts may name this owner: who claims them removes the file.
        lock_free(store->own);
    }
    g_hash_table_destroy(store->running);
    g_free(store->path);
    g_free(store->folder);
    g_free(store->reserve);
    g_free(store->owner);
    g_free(store);
}

// SPDX-License-Identifier: MIT
// The store's file and what stands beside it: opening, bringing up to date, setting a
// damaged one aside; owners, run locks and the reserve. What is in it: store_runs,
// ledger, watch, and alerts/outbox.
//
// Beside STORE there are STORE.locks/ (owner-<uuid>, agent, token-<key>: open-file-description
// locks; flows, commits: memory that processes share), STORE.reserve (given up when the disk is
// full), STORE.v<n> (the copy made before an update), STORE.standby (what was taken while it could
// not be written) and STORE.damaged-<time> (one that was set aside; its successor is STORE.part and
// STORE.repaired for a moment).
#ifndef MONITOR_STORE_H
#define MONITOR_STORE_H

#include "writer.h"

struct lock;
struct store;

// Opens the store for writing: creates folder and file (0600), brings it up to date,
// takes a lock as a new owner. A damaged store is set aside where no other live
// process uses it, and its ledger, outbox and incidents are carried over. One that has
// lost its last commits is found by their count.
struct store *store_open(const char *path, GError **error);

// A connection that only reads, on a store that is up to date. Where there is no
// store yet: NULL and DB_ERROR_CANNOT_OPEN.
struct db *store_open_reader(const char *path, GError **error);

// A store in memory alone, empty: what the agent keeps its incidents in while the
// file cannot be written. Not for more than one thread at a time.
struct db *store_open_memory(GError **error);

// The write connection; owned by the store until it is taken (for the writer).
struct db *store_db(struct store *store);
struct db *store_take_db(struct store *store);

// This process as an owner of debts; borrowed.
const char *store_owner(const struct store *store);

// The owners (of char *, owned) whose lock nobody holds any more. Their debts may be
// claimed; then store_forget_owner removes what is left of them.
GPtrArray *store_dead_owners(const struct store *store);
void store_forget_owner(const struct store *store, const char *owner);

// Takes the place of the agent; false and a sentence where another one runs.
bool store_lock_agent(struct store *store, GError **error);

// Takes the run of one flow, known by ids_number of its name; false while it runs here or in
// another process, be it under its former name (NULL: it has none).
bool store_lock_flow(struct store *store, uint64_t flow, const char *former);
void store_unlock_flow(struct store *store, uint64_t flow, const char *former);

// Takes a token of that key for this process alone; the caller gives it back with
// lock_free_and_remove. NULL and LOCK_ERROR_HELD while somebody else has it.
struct lock *store_lock_token(const struct store *store, const char *key, GError **error);

// The reserve for writer_new; valid as long as the store.
struct writer_reserve store_reserve(struct store *store);

// Drops the locks and closes the connection, unless it was taken. NULL is allowed.
void store_free(struct store *store);

typedef struct store store_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(store_t, store_free)

#endif

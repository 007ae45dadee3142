// SPDX-License-Identifier: MIT
// Runs in the store: what is kept of each, the last state of each flow, failure texts
// seen before, the agent's heartbeat, and what is deleted when. Called inside the
// caller's transaction.
#ifndef MONITOR_STORE_RUNS_H
#define MONITOR_STORE_RUNS_H

#include "../base/clock.h"
#include "../base/db.h"

// What is kept of one run. Borrowed texts.
struct store_run {
    const char *run, *flow, *system;
    const char *state; // ok, slow, failed, unknown
    struct clock_wall started, ended;
    int64_t duration_us;
    bool counted;            // false: of a check without --notify
    const char *fingerprint; // of a failed run, or NULL
    const char *summary;     // one line for people, or NULL
    const char *result;      // JSON without evidence, or NULL
    const char *evidence;    // JSON with evidence, or NULL
};

// Stores a run. One that is not `remarkable` (good, of a flow that is well) keeps
// its time alone. A run that counts becomes its flow's last state. `*wants_good` (may be
// NULL): it is time to keep what a good run of the flow answered.
bool store_runs_add(struct db *db, const struct store_run *run, bool remarkable, bool *wants_good,
                    GError **error);

// Keeps what a good run of the flow answered (only its shape, without values), in place of
// the former one; and gives it back, NULL where there is none (the caller frees it).
bool store_runs_keep_good(struct db *db, const char *flow, const char *result, struct clock_wall at,
                          GError **error);
char *store_runs_good(struct db *db, const char *flow, GError **error);

// True where this run is stored already; `error` is set where that cannot be told.
bool store_runs_has(struct db *db, const char *run, GError **error);

// The JSON of a stored run, with evidence where it is still there; NULL where there
// is none. The caller frees it.
char *store_runs_result(struct db *db, const char *run, GError **error);

// Flows whose last run began after `time`, and when: id -> int64_t * (microseconds). NULL and
// `error`; the caller frees the table.
GHashTable *store_runs_begun_after(struct db *db, struct clock_wall time, GError **error);

// When the flow last worked; us 0 where it never did.
struct clock_wall store_runs_last_good(struct db *db, const char *flow, GError **error);

// Remembers a failure text of a system; `*is_new` where it was never seen there.
bool store_runs_see_text(struct db *db, const char *system, const char *text, struct clock_wall at,
                         bool *is_new, GError **error);

// Gives a flow's rows another name.
bool store_runs_rename(struct db *db, const char *from, const char *to, GError **error);

// The agent is alive at `now`; and when it last said so (us 0: never).
bool store_runs_beat(struct db *db, struct clock_wall now, GError **error);
struct clock_wall store_runs_heartbeat(struct db *db, GError **error);

// A value by name; NULL where it is not set. The caller frees it.
char *store_runs_get(struct db *db, const char *key, GError **error);
bool store_runs_set(struct db *db, const char *key, const char *value, GError **error);

// How long what is kept.
struct store_keep {
    int64_t runs_ms, evidence_ms;
};

// What is to be looked for: all; or what becomes too old soon, which is looked for each minute,
// without what is kept for a year. Else what store_runs_prune has left.
#define STORE_PRUNE_ALL UINT32_MAX
#define STORE_PRUNE_OFTEN (STORE_PRUNE_ALL >> 16)

// One small bite of what is past its time, of each kind in `todo`; `*left` where another one is
// due, 0: nowhere.
bool store_runs_prune(struct db *db, const struct store_keep *keep, struct clock_wall now,
                      uint32_t todo, uint32_t *left, GError **error);

#endif

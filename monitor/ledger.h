// SPDX-License-Identifier: MIT
// The durable list of undos that are owed (failure-semantics section 1). The SQL
// of it, called inside the caller's transaction; and the door through which flows
// reach it, over the writer.
#ifndef MONITOR_LEDGER_H
#define MONITOR_LEDGER_H

#include "../probes/flow_run.h"
#include "writer.h"

// Records a new debt of this owner. False where the same debt is owed already.
bool ledger_owe(struct db *db, const struct flow_debt *debt, const char *owner,
                struct clock_wall now, GError **error);

// Records the debt's state, values and problem. One that stays owed and has a problem
// is due again by the schedule: 1, 2, 5, 10, 30, 60 minutes, hourly, after a day daily.
bool ledger_update(struct db *db, const struct flow_debt *debt, struct clock_wall now,
                   GError **error);

// Makes the debts of these dead owners (of char *) this owner's, due now. Called
// within BEGIN IMMEDIATE. `*count` is how many.
bool ledger_claim(struct db *db, const GPtrArray *dead, const char *owner, struct clock_wall now,
                  int64_t *count, GError **error);

// The owner's debts that are due: oldest run first, within a run the reverse of
// sending. Of struct flow_debt, owned. At most `limit`.
GPtrArray *ledger_due(struct db *db, const char *owner, struct clock_wall now, int limit,
                      GError **error);

// When the next one is due; us -1 where none is. What was tried last after `now` is due now: the
// clock was set back.
struct clock_wall ledger_next_due(struct db *db, const char *owner, struct clock_wall now,
                                  GError **error);

// True while the system has a debt that was claimed from a dead owner and has not
// been tried since: its writing flows wait for that.
bool ledger_holds_back(struct db *db, const char *system, GError **error);

// The debts that somebody has to be told of and was not yet: uncertain, orphaned, given
// up, or owed for a day. Of struct flow_debt, owned. Then: that it was told.
GPtrArray *ledger_untold(struct db *db, struct clock_wall now, int limit, GError **error);
bool ledger_mark_told(struct db *db, const struct flow_debt *debt, GError **error);

// The runs (of char *, owned) whose records are left to their own undos: those in flight, and
// for a day those whose undos are tried again. Not those of `dead` owners (of char *), and not
// where another debt of the run is uncertain: its record, which only a sweep finds, may be what
// keeps the others from being deleted.
GPtrArray *ledger_owing_runs(struct db *db, const GPtrArray *dead, struct clock_wall now,
                             GError **error);

// Notes at the uncertain debts of this run and system that a sweep has deleted a record of
// the run: which of them it was cannot be told, so their state stays.
bool ledger_note_swept(struct db *db, const char *run, const char *system, const char *sweep,
                       struct clock_wall now, GError **error);

// How many debts are owed, in all.
int64_t ledger_count_owed(struct db *db, GError **error);

// A copy of a debt that the caller owns.
struct flow_debt *ledger_copy_debt(const struct flow_debt *debt);

// The ledger as flows see it: over `writer`, which has to outlive it, for `owner`
// (copied). The engine borrows what ledger_door gives.
struct ledger;
struct ledger *ledger_new(struct writer *writer, const char *owner);
const struct flow_ledger *ledger_door(const struct ledger *ledger);
void ledger_free(struct ledger *ledger);

typedef struct ledger ledger_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ledger_t, ledger_free)

#endif

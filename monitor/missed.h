// SPDX-License-Identifier: MIT
// Starts that were missed: the machine slept, the clock was set on, a run took longer than its
// interval. Collected for a while, kept in the store per flow and hour, shown by history.
#ifndef MONITOR_MISSED_H
#define MONITOR_MISSED_H

#include "../base/clock.h"
#include "../base/json.h"
#include "writer.h"

struct missed;

// Statements that create the table: a step of the store's schema.
extern const char missed_schema[];

// Nothing is missed yet; frees (what was not written is lost). NULL is allowed in the second.
struct missed *missed_new(struct writer *writer);
void missed_free(struct missed *missed);

// `starts` of `flow` were missed, as was found out at `at`.
void missed_note(struct missed *missed, const char *flow, struct clock_wall at, int starts);

// Hands over to the writer what was noted; what it cannot write is kept for the next time.
void missed_flush(struct missed *missed);

// What a flow missed, newest first, at most `limit` hours: an array of {"at", "starts"}, or NULL
// and `error`.
cJSON *missed_history(struct db *db, const char *flow, int limit, GError **error);

#endif

// SPDX-License-Identifier: MIT
// Which of the records that a search has found are ours and old enough, and what became
// of them: the deciding part of a sweep. Pure; the calls are made by sweep_run.
#ifndef PROBES_SWEEP_H
#define PROBES_SWEEP_H

#include "../base/json.h"
#include "../base/redact.h"
#include "../config/config.h"
#include "values.h"

enum sweep_state {
#define SWEEP_STATE(name, word, sentence) SWEEP_##name,
#include "sweep.def"
#undef SWEEP_STATE
};

// One record that is, or seems to be, ours.
struct sweep_record {
    enum sweep_state state;
    char *name;           // the text that holds the mark
    char *run;            // what stands behind the mark: the run's id or its beginning, in capitals
    struct clock_wall at; // us -1 where it cannot be read
    char *problem;        // why it could not be deleted or read, or NULL
    struct values *values;
    cJSON *known; // what was captured of it: an object
};

// One run of a sweep.
struct sweep_result {
    char *sweep, *system; // ids
    struct clock_wall started, ended;
    bool dry_run;
    bool cut_off;           // interrupted, or not run: it says nothing
    bool searched;          // the whole answer was read
    unsigned pages, listed; // records in the answers, ours or not
    GPtrArray *records;     // of struct sweep_record
    char *problem;          // why nothing was searched, or nothing deleted; or NULL
};

// What the records of one sweep are judged by. Borrowed.
struct sweep_judging {
    const struct config_sweep *sweep;
    const char *mark;      // agent.mark
    const char *zone;      // agent.timezone
    struct values *values; // of the system
    struct clock_wall now;
};

// The record that `item` (a part of the answer) is; NULL where it is not ours. It is
// SWEEP_DUE, or says why it is left. The caller frees it.
struct sweep_record *sweep_judge(const struct sweep_judging *judging, const cJSON *item);

// Leaves to their runs the records of `runs` (of char *: ids of runs that owe an undo).
void sweep_hold(GPtrArray *records, const GPtrArray *runs);

// How many records are in `state`.
unsigned sweep_count(const struct sweep_result *result, enum sweep_state state);

// When the first of the young records will be old enough; us 0 where there is none.
struct clock_wall sweep_ripe(const struct sweep_result *result, int64_t older_ms);

// How it went: nothing is left that should be gone; something is; the search failed; that
// cannot be told. In the order of the exit codes; and their words.
enum sweep_outcome { SWEEP_OK, SWEEP_LEFT, SWEEP_SEARCH_FAILED, SWEEP_UNKNOWN };
enum sweep_outcome sweep_outcome(const struct sweep_result *result);
const char *sweep_outcome_word(enum sweep_outcome outcome);

// One line: "3 deleted, 1 could not be deleted: DELETE answered 403". The caller frees it.
char *sweep_summary(const struct sweep_result *result);

// The result as JSON without secrets, at most 1000 records:
//   {"sweep", "system", "state", "started", "ended", "duration_ms", "dry_run", "pages",
//    "listed", "found", "due", "deleted", "failed", "left", "problem", "summary",
//    "records": [{"name", "run", "at", "state", "why", "problem", "known": {…}}]}
// The caller frees it.
cJSON *sweep_result_to_json(const struct sweep_result *result, const struct redact *redact);

// A result without anything yet, made and freed; a record's end. NULL is allowed in both.
struct sweep_result *sweep_result_new(const struct config_sweep *sweep, struct clock_wall now);
void sweep_result_free(struct sweep_result *result);
void sweep_record_free(struct sweep_record *record);

typedef struct sweep_result sweep_result_t;
typedef struct sweep_record sweep_record_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sweep_result_t, sweep_result_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sweep_record_t, sweep_record_free)

#endif

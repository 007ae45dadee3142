// SPDX-License-Identifier: MIT
// What a run did, as a plain document: the JSON of design.md section 3 plus
// evidence. Incidents, notices, the store and the commands depend on it alone.
#ifndef PROBES_RUN_RESULT_H
#define PROBES_RUN_RESULT_H

#include "../base/redact.h"
#include "exchange.h"
#include "verdict.h"

struct step_result {
    char *step, *system; // names
    enum verdict_state state;
    int attempts;
    struct verdict *verdict;
    GPtrArray *exchanges; // of struct exchange, in order; the last one is judged
    double duration_ms;
    bool login;  // the system's login, a step of its own
    char *means; // the step's sentence for the mail, or NULL
};

// The state of one owed undo: `state` is paid, void, uncertain, orphaned,
// given_up or owed.
struct undo_result {
    char *step;
    char *state;
    char *problem; // why it is not paid, or NULL
};

struct run_result {
    char *run;           // run id
    char *flow, *system; // ids
    char *failed_system; // id: of a failed run, the one that failed; or NULL
    int priority;
    enum verdict_state state;
    bool cut_off; // interrupted: no state, counts nowhere
    struct clock_wall due, started, ended;
    double duration_ms;
    GPtrArray *steps;             // of struct step_result
    GPtrArray *undos;             // of struct undo_result
    char *fingerprint;            // of a failed run, or NULL (failure-semantics 16)
    char *scope;                  // "login", "host:port", or "flow/step", or NULL
    char *problem;                // of an unknown run: what ails the monitor, or NULL
    struct clock_wall held_until; // left alone, or its budget spent, until then; us 0 otherwise
    bool online;                  // false: the `online` addresses did not answer either
};

// Constructors and frees; NULL is allowed in frees.
struct run_result *run_result_new(const char *run, const char *flow, const char *system);
void run_result_free(struct run_result *result);
struct step_result *step_result_new(const char *step, const char *system);
void step_result_free(struct step_result *result);
struct undo_result *undo_result_new(const char *step, const char *state, const char *problem);
void undo_result_free(struct undo_result *result);

// True for the states in which nothing is left to be removed: paid and void. NULL is none of them.
bool undo_state_is_settled(const char *state);

// The first failed step (else the first unknown, else the first slow one), or NULL; borrowed.
const struct step_result *run_result_decisive(const struct run_result *result);

// Rolls the steps' states up into the run's state, and computes scope and
// fingerprint of a failed one.
void run_result_conclude(struct run_result *result);

// The flow object of `check --format json`, without secrets; with `evidence`
// each step also has "exchanges" (exchange_to_json). The caller frees it.
cJSON *run_result_to_json(const struct run_result *result, const struct redact *redact,
                          bool evidence);

typedef struct run_result run_result_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(run_result_t, run_result_free)

#endif

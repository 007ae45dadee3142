// SPDX-License-Identifier: MIT
// Where runs become incidents and incidents become notices, in one transaction:
// append the event, load the rows that it concerns, incident_apply, store them, route,
// outbox_add. Every decision is kept beside the incident. Input is the event table
// alone: replayed, it gives the same rows.
#ifndef MONITOR_WATCH_H
#define MONITOR_WATCH_H

#include "../config/config.h"
#include "../probes/run_result.h"
#include "incident.h"
#include "writer.h"

// A run's end, as watch needs it.
struct watch_event {
    char *run, *flow, *system; // ids
    char *failed_system;       // of a failed run: the one that failed
    enum verdict_state state;
    struct clock_wall started, ended;
    struct clock_wall held_until; // left alone, or its budget spent, until then; us 0 otherwise
    int64_t duration_us;
    char *fingerprint; // of a failed run
    cJSON *json;       // the result with its evidence, redacted; NULL for a plain good run
    bool counts;       // false: of a check without --notify
    bool groups;       // false: its opening does not wait for company
    bool was_well;     // known of the flow before this run: a good one changes nothing
};

// The event of a run that was not cut off. The JSON is made for all but good runs, and for
// a good one where `with_json` says so (see watch_answer). The caller frees it.
struct watch_event *watch_event_new(const struct run_result *result, const struct redact *redact,
                                    bool with_json);
void watch_event_free(struct watch_event *event);

// True for a good run that changes nothing: its commit may wait for company.
bool watch_event_is_patient(const struct watch_event *event);

// What came of it.
struct watch_answer {
    enum incident_kind state;      // of the flow, now
    int count;                     // n of suspect(n) and recovering(n)
    struct clock_wall confirm_due; // when the confirming run is due; us 0 for none
    int attempt;                   // of that run
    bool wants_json;               // the next good run is to come with its JSON
    bool notices;                  // something was queued for delivery
};

// Stores a run and what follows from it, within the caller's transaction.
bool watch_result(struct db *db, const struct config *config, const struct watch_event *event,
                  struct watch_answer *answer, GError **error);

// The same as a job of the writer. The event is handed over. `config` is borrowed until
// `done`, which is called on the loop; `error` NULL: committed.
typedef void (*watch_done)(const struct watch_answer *answer, const GError *error, void *context);
void watch_submit(struct writer *writer, const struct config *config, struct watch_event *event,
                  watch_done done, void *context);

// The operator's acts and the passing of time, each within the caller's transaction.

// The whole id of the incident that `id` is the beginning of; NULL and a sentence where there
// is none, or more than one. The caller frees it.
char *watch_find_incident(struct db *db, const char *id, GError **error);

// Acknowledges an open incident; `id` may be the beginning of one id.
bool watch_acknowledge(struct db *db, const struct config *config, const char *id, const char *by,
                       const char *note, struct clock_wall now, GError **error);

// Silences a flow or a system of this name until then.
bool watch_mute(struct db *db, const struct config *config, const char *target,
                struct clock_wall until, const char *why, struct clock_wall now, GError **error);

// Takes note of a configuration that is in force from now on: flows that are gone are
// withdrawn, renamed ones keep their state.
bool watch_configure(struct db *db, const struct config *config, struct clock_wall now,
                     GError **error);

// What time alone brings about: mutes that end, debts that somebody must be told of. To be
// called every few seconds. `*notices` where something was queued.
bool watch_tick(struct db *db, const struct config *config, struct clock_wall now, bool *notices,
                GError **error);

// The language of mail.fallback, for what watch_tell_monitor tells. Never NULL.
const struct words *watch_monitor_words(const struct config *config);

// Tells mail.fallback of what ails the monitor itself; the same text again within a day is
// not repeated. False where that fails; where there is no fallback, nothing happens.
bool watch_tell_monitor(struct db *db, const struct config *config, const char *subject,
                        const char *text, struct clock_wall now, GError **error);

// The flows that wait for a confirming run, for the start of the agent.
struct watch_pending {
    char *flow;
    struct clock_wall due;
    int attempt;
};
GPtrArray *watch_pending(struct db *db, GError **error); // of struct watch_pending, owned

// The configuration with this mark (watch_config_mark; NULL: the event has none), borrowed;
// NULL: not at hand.
typedef const struct config *(*watch_find_config)(const char *mark, void *context);

// Applies the events of `source` to the empty store `target`, each with the configuration of
// then. The runs' evidence is read from `source`.
bool watch_replay(struct db *source, struct db *target, watch_find_config find, void *context,
                  GError **error);

typedef struct watch_event watch_event_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(watch_event_t, watch_event_free)

#endif

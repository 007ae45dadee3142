// SPDX-License-Identifier: MIT
// Between the files of watch: applying one event of the table, and telling.
#ifndef MONITOR_WATCH_APPLY_H
#define MONITOR_WATCH_APPLY_H

#include "../base/json.h"
#include "../config/config.h"
#include "incident.h"
#include "incident_rows.h"

// What one event is applied with.
struct watch_context {
    struct db *db;
    struct db *runs; // where the runs' evidence is: `db`, but in a replay
    const struct config *config;
    int64_t seq; // of the event
    struct clock_wall at;
    const cJSON *begun; // the event's: contacts whose opening is on its way already, or NULL
    bool notices;       // set where something was queued
};

// What an event keeps of the configuration that it was applied with: the beginning of its
// digest. The caller frees it.
char *watch_config_mark(const struct config *config);

// Appends an event to the table and applies it. `data` is borrowed; the configuration that the
// event is applied with is noted in it.
bool watch_append(struct watch_context *context, const char *kind, cJSON *data, GError **error);

// Applies an event that is in the table already (its seq and time are in the context).
bool watch_apply(struct watch_context *context, const char *kind, const cJSON *data,
                 GError **error);

// Tells, holds or drops a transition as the incident's state and mutes have it. `joined`
// is the flow that joined, or NULL.
bool watch_tell(struct watch_context *context, struct incident *incident,
                const struct transition *transition, const char *joined, int64_t group_ms,
                GError **error);

// Tells what a mute held, where it no longer does.
bool watch_tell_held(struct watch_context *context, struct incident *incident, GError **error);

// Keeps why something was done.
bool watch_decide(struct watch_context *context, const char *incident, GError **error,
                  const char *kind, const char *format, ...) G_GNUC_PRINTF(5, 6);

#endif

// SPDX-License-Identifier: MIT
// Incidents and flow states as rows. Called inside the caller's transaction.
#ifndef MONITOR_INCIDENT_ROWS_H
#define MONITOR_INCIDENT_ROWS_H

#include "../base/db.h"
#include "incident.h"

// The flow's state; a flow without a row is ok. NULL and `error` on failure.
struct incident_flow *incident_rows_load_flow(struct db *db, const char *flow, const char *system,
                                              GError **error);

// Stores it, in place of what is there under its name; an ok one needs no row.
bool incident_rows_store_flow(struct db *db, const struct incident_flow *flow, GError **error);

// All flows that are not ok, by name. Of struct incident_flow, owned.
GPtrArray *incident_rows_all_flows(struct db *db, GError **error);

// The incident with this id, or NULL; `error` is set where that is a failure.
struct incident *incident_rows_load(struct db *db, const char *id, GError **error);
bool incident_rows_store(struct db *db, const struct incident *incident, GError **error);

// The id of the oldest open incident of the system with this current fingerprint, or NULL.
// The caller frees it.
char *incident_rows_find_open(struct db *db, const char *system, const char *fingerprint,
                              GError **error);

// The ids (of char *, owned) of incidents with notices that a mute holds, as they opened.
GPtrArray *incident_rows_held(struct db *db, GError **error);

// Removes the row of a flow that has another name now.
bool incident_rows_forget_flow(struct db *db, const char *flow, GError **error);

#endif

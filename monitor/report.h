// SPDX-License-Identifier: MIT
// What the store says to people, as JSON documents: the one source of the tables and of
// --format json of status, history, incidents and incident. Reads only.
#ifndef MONITOR_REPORT_H
#define MONITOR_REPORT_H

#include "../base/db.h"
#include "../base/json.h"
#include "../config/config.h"

// A heartbeat older than this: the agent is not running.
#define REPORT_HEARTBEAT_US (INT64_C(60) * G_USEC_PER_SEC)

// The present state:
//   {"erpwatch", "at", "state", "agent": {"running", "heartbeat"},
//    "flows": [{"flow", "title", "system", "priority", "state", "phase", "count", "run",
//      "started", "ended", "duration_ms", "last_good", "summary", "incident", "muted", "off",
//      "budget": {"runs_per_day", "spent", "until"} or null}],
//    "sweeps": [as sweep_rows_status], "versions": [as version_rows_status],
//    "incidents": [as report_incidents],
//    "mutes": [{"kind", "target", "since", "until", "why"}],
//    "left_alone": [{"system", "since", "until", "why"}],
//    "undo_owed", "outbox": {"waiting", "accepted", "given_up", "summarised"},
//    "mail_problems": [as outbox_problems], "untold": [incident ids]}
// `state` of a flow is the one of its last counted run, "unknown" where that is missing or too
// old, or "off"; `phase` is the one of the incident's machine. Sweeps do not decide on the state.
// `db` NULL: there is no store yet.
cJSON *report_status(struct db *db, const struct config *config, struct clock_wall now,
                     GError **error);

// The exit code that such a status means.
int report_status_code(const cJSON *status);

// The flow's runs, newest first, at most `limit`:
//   {"flow", "runs": [{"run", "started", "duration_ms", "state", "counted", "summary"}]}
// `run` is null for good runs that were not remarkable.
cJSON *report_history(struct db *db, const char *flow, int limit, GError **error);

// Incidents, newest first (`open_only`: those that last), at most `limit`: an array of
//   {"incident", "system", "state", "opened", "closed", "duration_ms", "flows": [ids],
//    "summary", "acknowledged", "by", "note", "told": [contacts], "held"}
// `state` is open, acknowledged, recovered or withdrawn.
cJSON *report_incidents(struct db *db, bool open_only, int limit, struct clock_wall now,
                        GError **error);

// One incident: the members above, and
//   "members": [{"flow", "failing", "first_failed", "last_failed", "last_good", "runs_failed"}],
//   "decisions": [{"at", "kind", "text"}], "notices": [as outbox_of_incident],
//   "evidence": the result of the run that opened it, "last_evidence": of the last one, or null
cJSON *report_incident(struct db *db, const char *id, struct clock_wall now, GError **error);

#endif

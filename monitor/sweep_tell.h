// SPDX-License-Identifier: MIT
// Mails about what a sweep could not do.
#ifndef MONITOR_SWEEP_TELL_H
#define MONITOR_SWEEP_TELL_H

#include "../base/clock.h"
#include "../base/db.h"
#include "../base/json.h"
#include "../config/config.h"

// Queues what somebody must be told of after this run, as the rows of sweep_rows have it,
// once each, to each in their own language; `notices` becomes true where there is anything.
// Within the caller's transaction.
bool sweep_tell(struct db *db, const struct config *config, const struct config_sweep *sweep,
                const cJSON *result, struct clock_wall now, bool *notices, GError **error);

#endif

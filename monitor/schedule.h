// SPDX-License-Identifier: MIT
// When a flow runs next. Pure: the same on any machine, after a restart and
// after a reload (failure-semantics 31 and 33).
#ifndef MONITOR_SCHEDULE_H
#define MONITOR_SCHEDULE_H

#include "../base/clock.h"
#include "../config/config.h"

#include <stdbool.h>

// The first start of `flow` after `after`. With `every`, start k is offset + k ×
// every from the epoch, the offset the flow's number modulo every; with
// `cron`, as cron_next says in `timezone` (an IANA name). -1 where the flow has
// neither, or never runs again.
struct clock_wall schedule_next(const struct config_flow *flow, struct clock_wall after,
                                const char *timezone);

// Likewise for whatever runs by `every_ms` (0: not) or `cron` (NULL: not) under this number, the
// hash of its id (ids_number).
struct clock_wall schedule_next_of(uint64_t number, int64_t every_ms, const char *cron,
                                   struct clock_wall after, const char *timezone);

// True where `flow` runs by a cron with fixed hours: such a start happens once, also where its hour
// comes twice.
bool schedule_has_fixed_hours(const struct config_flow *flow);

// How many starts of `flow` lie after `after`, up to and including `until`: what was missed while
// nobody ran them. By cron at most `most` are counted.
int schedule_count(const struct config_flow *flow, struct clock_wall after, struct clock_wall until,
                   const char *timezone, int most);

#endif

// SPDX-License-Identifier: MIT
// The starts of one flow over time: which is next, which were made, which were
// missed, whatever is done to clock, zone and schedule (failure-semantics 31 to
// 33). Pure: time comes in.
#ifndef MONITOR_STARTS_H
#define MONITOR_STARTS_H

#include "schedule.h"

#include <stdbool.h>

struct starts {
    struct clock_wall due;     // what the next run is due for; -1: nothing is
    int attempt;               // of that run; 0: a scheduled start
    struct clock_wall settled; // scheduled starts up to here were made, or counted as missed
    struct clock_wall latest;  // the latest time that a run was due for
    struct clock_wall barrier; // up to here fixed hours had their start: not again
};

// The schedule that is in force; borrowed.
struct starts_rule {
    const struct config_flow *flow;
    const char *timezone;
};

// A flow that begins now.
void starts_init(struct starts *starts, struct clock_wall now);

// Its last run began at `last`, which lies ahead: the clock was set back by about `set_back_us`
// while nobody ran.
void starts_remember(struct starts *starts, struct clock_wall last, int64_t set_back_us);

// Makes the first start after `now` the next one; the result is how many were missed before it.
int starts_plan(struct starts *starts, const struct starts_rule *rule, struct clock_wall now);

// A confirming run, due at `due`, unless a scheduled start before that serves as it.
void starts_confirm(struct starts *starts, struct clock_wall due, int attempt);

// The next run begins now. A start whose time comes again, as the clock was set back, is due now:
// its run is another one, with an id and a mark of its own. So is a confirming run, which a process
// that died may have begun before.
void starts_begin(struct starts *starts, struct clock_wall now);

// A clock that was set, or a machine that slept.
struct starts_jump {
    int64_t set_us;          // by how much it was set; 0: the machine slept
    struct clock_wall since; // when the clock was looked at last, by its new time
    struct clock_wall now;
};

// Plans anew. True where the next run was overdue: it is due now, and `*next_us` later comes the
// one behind it (-1: none). `*missed` gets how many starts were missed.
bool starts_jump(struct starts *starts, const struct starts_rule *rule,
                 const struct starts_jump *jump, int64_t *next_us, int *missed);

// The same for a flow of which a run is in flight: what it misses is counted at its end.
void starts_jump_running(struct starts *starts, const struct starts_jump *jump);

// Another schedule or zone is in force from now on: nothing of the past is made by it, and fixed
// hours that have had their start do not have it again. What is overdue stays so. The result is how
// many starts of the former schedule (flow NULL: none) were missed while a run was in flight.
int starts_change(struct starts *starts, const struct starts_rule *former,
                  const struct starts_rule *rule, struct clock_wall now, bool running);

#endif

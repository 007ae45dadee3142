// SPDX-License-Identifier: MIT
// What became of each start of a flow. Between the schedule, which only knows
// which moments are due, and the agent's flows, which run them.
#include "starts.h"

#include "../base/zone.h"

#include <glib.h>
#include <string.h>

// A clock that is set back by more was wrong before: fixed hours follow the new time at once, as
// with cron(8).
#define CORRECTION_US (INT64_C(3) * 3600 * G_USEC_PER_SEC)

// More missed starts by cron are not counted: of a clock set by years.
#define MISSED_AT_MOST 2000

void starts_init(struct starts *starts, struct clock_wall now)
{
    *starts = (struct starts){.due = {-1}, .settled = now};
}

void starts_remember(struct starts *starts, struct clock_wall last, int64_t set_back_us)
{
    starts->latest = last;
    if (set_back_us <= CORRECTION_US)
        starts->barrier = last;
}

// From here on a start may be made.
static struct clock_wall open_after(const struct starts *starts, const struct starts_rule *rule,
                                    struct clock_wall after)
{
    bool made = starts->barrier.us > after.us && schedule_has_fixed_hours(rule->flow);
    return made ? starts->barrier : after;
}

static struct clock_wall next_after(const struct starts *starts, const struct starts_rule *rule,
                                    struct clock_wall after)
{
    return schedule_next(rule->flow, open_after(starts, rule, after), rule->timezone);
}

static int settle(struct starts *starts, const struct starts_rule *rule, struct clock_wall now)
{
    struct clock_wall after = open_after(starts, rule, starts->settled);
    starts->settled = now;
    return schedule_count(rule->flow, after, now, rule->timezone, MISSED_AT_MOST);
}

int starts_plan(struct starts *starts, const struct starts_rule *rule, struct clock_wall now)
{
    int missed = 0;
    starts->attempt = 0;
    starts->due = next_after(starts, rule, starts->settled);
    if (starts->due.us >= 0 && starts->due.us <= now.us) {
        missed = settle(starts, rule, now);
        starts->due = next_after(starts, rule, now);
    }
    starts->settled.us = MAX(starts->settled.us, now.us); // a clock set by a second repeats nothing
    return missed;
}

void starts_confirm(struct starts *starts, struct clock_wall due, int attempt)
{
    if (starts->due.us >= 0 && starts->due.us <= due.us)
        return;
    starts->due = due;
    starts->attempt = attempt;
}

void starts_begin(struct starts *starts, struct clock_wall now)
{
    if (starts->attempt > 0 || starts->due.us <= starts->latest.us)
        starts->due = now;
    starts->latest.us = MAX(starts->latest.us, starts->due.us);
    if (starts->attempt > 0)
        return;
    starts->settled = starts->due;
    starts->barrier.us = MAX(starts->barrier.us, starts->due.us);
}

void starts_jump_running(struct starts *starts, const struct starts_jump *jump)
{
    if (jump->set_us >= 0)
        return;
    starts->settled.us = MIN(starts->settled.us, jump->since.us);
    if (-jump->set_us > CORRECTION_US)
        starts->barrier.us = MIN(starts->barrier.us, jump->since.us);
}

bool starts_jump(struct starts *starts, const struct starts_rule *rule,
                 const struct starts_jump *jump, int64_t *next_us, int *missed)
{
    struct clock_wall now = jump->now, due = starts->due;
    int attempt = starts->attempt;
    bool made_up = attempt == 0 && due.us >= 0 && due.us <= starts->settled.us; // not run yet
    if (attempt > 0)
        due.us += jump->set_us; // it waits for a span, not for a time of day
    starts_jump_running(starts, jump);
    *missed = starts_plan(starts, rule, now) + made_up;
    *next_us = starts->due.us >= 0 ? starts->due.us - now.us : -1;
    bool overdue = *missed > 0 || (attempt > 0 && due.us <= now.us);
    if (overdue) {
        *missed = MAX(*missed - 1, 0); // the run that is made up for
        starts->due = now;
        starts->attempt = attempt;
    } else if (attempt > 0) {
        starts_confirm(starts, due, attempt);
    }
    return overdue;
}

static int64_t offset_us(const char *zone_name, struct clock_wall at)
{
    g_autoptr(GTimeZone) zone = zone_find(zone_name);
    if (!zone)
        return 0;
    int interval = g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, at.us / G_USEC_PER_SEC);
    return (int64_t)g_time_zone_get_offset(zone, interval) * G_USEC_PER_SEC;
}

// When the clock on the wall of the new zone shows what it showed in the former one.
static struct clock_wall same_hour(struct clock_wall at, const char *former, const char *zone_name)
{
    return (struct clock_wall){at.us + offset_us(former, at) - offset_us(zone_name, at)};
}

int starts_change(struct starts *starts, const struct starts_rule *former,
                  const struct starts_rule *rule, struct clock_wall now, bool running)
{
    int missed = running && former->flow ? settle(starts, former, now) : 0;
    if (former->flow && strcmp(former->timezone, rule->timezone) != 0)
        starts->barrier = same_hour(starts->barrier, former->timezone, rule->timezone);
    bool overdue = starts->due.us >= 0 && starts->due.us <= now.us;
    if (running || (overdue && former->flow))
        return missed;
    const struct starts confirming = *starts;
    starts->settled.us = MAX(starts->settled.us, now.us);
    starts_plan(starts, rule, now);
    if (confirming.attempt > 0)
        starts_confirm(starts, confirming.due, confirming.attempt);
    return missed;
}

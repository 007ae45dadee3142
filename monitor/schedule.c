// SPDX-License-Identifier: MIT
// Computes the next start of a flow from what the configuration says and the
// time alone. The agent asks it; nothing of the past is kept.
#include "schedule.h"

#include "../base/cron.h"
#include "../base/zone.h"

// A start for every flow at the same moment would be a storm each minute: the
// name spreads them.
static int64_t offset_of(uint64_t number, int64_t every_us)
{
    return (int64_t)(number % (uint64_t)every_us);
}

static struct clock_wall next_of_interval(uint64_t number, int64_t every_ms,
                                          struct clock_wall after)
{
    int64_t every_us = every_ms * 1000;
    int64_t offset = offset_of(number, every_us);
    int64_t since = after.us - offset;
    int64_t past = since / every_us - (since % every_us < 0); // rounded down
    return (struct clock_wall){offset + (past + 1) * every_us};
}

static GTimeZone *zone_of(const char *name)
{
    GTimeZone *zone = zone_find(name);
    return zone ? zone : g_time_zone_new_utc();
}

static struct clock_wall next_of_cron(const char *text, struct clock_wall after,
                                      const char *zone_name)
{
    g_autoptr(cron_t) cron = cron_parse(text, NULL);
    if (!cron) // the configuration was checked: it cannot be
        return (struct clock_wall){-1};
    g_autoptr(GTimeZone) zone = zone_of(zone_name);
    return cron_next(cron, after, zone);
}

struct clock_wall schedule_next_of(uint64_t number, int64_t every_ms, const char *cron,
                                   struct clock_wall after, const char *zone_name)
{
    if (every_ms > 0)
        return next_of_interval(number, every_ms, after);
    if (cron)
        return next_of_cron(cron, after, zone_name);
    return (struct clock_wall){-1};
}

struct clock_wall schedule_next(const struct config_flow *flow, struct clock_wall after,
                                const char *zone_name)
{
    return schedule_next_of(flow->number, flow->every_ms, flow->cron, after, zone_name);
}

bool schedule_has_fixed_hours(const struct config_flow *flow)
{
    g_autoptr(cron_t) cron =
        flow->every_ms <= 0 && flow->cron ? cron_parse(flow->cron, NULL) : NULL;
    return cron && cron_has_fixed_hours(cron);
}

static int count_of_interval(const struct config_flow *flow, struct clock_wall after,
                             struct clock_wall until)
{
    int64_t first_us = next_of_interval(flow->number, flow->every_ms, after).us;
    if (first_us > until.us)
        return 0;
    int64_t count = (until.us - first_us) / (flow->every_ms * 1000) + 1;
    return (int)MIN(count, G_MAXINT);
}

int schedule_count(const struct config_flow *flow, struct clock_wall after, struct clock_wall until,
                   const char *zone_name, int most)
{
    if (flow->every_ms > 0)
        return count_of_interval(flow, after, until);
    g_autoptr(cron_t) cron = flow->cron ? cron_parse(flow->cron, NULL) : NULL;
    if (!cron)
        return 0;
    g_autoptr(GTimeZone) zone = zone_of(zone_name);
    int count = 0;
    struct clock_wall at = cron_next(cron, after, zone);
    for (; count < most && at.us >= 0 && at.us <= until.us; at = cron_next(cron, at, zone))
        count++;
    return count;
}

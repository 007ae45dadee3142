// SPDX-License-Identifier: MIT
// Days as people in a zone count them: what the daily limits of ERPs mean.
#include "flow_budget.h"

#include <glib.h>

static GDateTime *local_time(struct clock_wall time, const char *zone_name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time.us / G_USEC_PER_SEC);
    return zone ? g_date_time_to_timezone(utc, zone) : g_date_time_ref(utc);
}

int64_t flow_budget_day(struct clock_wall time, const char *zone_name)
{
    g_autoptr(GDateTime) local = local_time(time, zone_name);
    int year = 0, month = 0, day = 0;
    g_date_time_get_ymd(local, &year, &month, &day);
    return ((int64_t)year * 100 + month) * 100 + day;
}

static struct clock_wall midnight_of(GDateTime *local)
{
    int year = 0, month = 0, day = 0;
    g_date_time_get_ymd(local, &year, &month, &day);
    g_autoptr(GDateTime) midnight =
        g_date_time_new(g_date_time_get_timezone(local), year, month, day, 0, 0, 0);
    return (struct clock_wall){g_date_time_to_unix(midnight) * G_USEC_PER_SEC};
}

struct clock_wall flow_budget_day_start(struct clock_wall time, const char *zone_name)
{
    g_autoptr(GDateTime) local = local_time(time, zone_name);
    return midnight_of(local);
}

struct clock_wall flow_budget_next_day(struct clock_wall time, const char *zone_name)
{
    g_autoptr(GDateTime) local = local_time(time, zone_name);
    g_autoptr(GDateTime) later = g_date_time_add_days(local, 1);
    return midnight_of(later);
}

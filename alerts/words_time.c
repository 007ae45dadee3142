// SPDX-License-Identifier: MIT
// Times and spans as people read them, in the language and zone of the reader.
// The C library's names of days and months would be those of the process.
#include "words.h"

static const char *const day_names[] = {WORDS_MARK("Mon"), WORDS_MARK("Tue"), WORDS_MARK("Wed"),
                                        WORDS_MARK("Thu"), WORDS_MARK("Fri"), WORDS_MARK("Sat"),
                                        WORDS_MARK("Sun")};
static const char *const month_names[] = {WORDS_MARK("Jan"), WORDS_MARK("Feb"), WORDS_MARK("Mar"),
                                          WORDS_MARK("Apr"), WORDS_MARK("May"), WORDS_MARK("Jun"),
                                          WORDS_MARK("Jul"), WORDS_MARK("Aug"), WORDS_MARK("Sep"),
                                          WORDS_MARK("Oct"), WORDS_MARK("Nov"), WORDS_MARK("Dec")};

char *words_duration(const struct words *words, gint64 ms)
{
    gint64 s = (ms + 500) / 1000;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    if (s < 60)
        return words_count(words, "{n} s", "{n} s", s);
    if (s < 3600)
        return words_count(words, "{n} min", "{n} min", s / 60);
    if (s < 86400) {
        first = words_count(words, "{n} h", "{n} h", s / 3600);
        second = words_count(words, "{n} min", "{n} min", s / 60 % 60);
    } else {
        first = words_count(words, "{n} d", "{n} d", s / 86400);
        second = words_count(words, "{n} h", "{n} h", s / 3600 % 24);
    }
    return g_strdup_printf("%s %s", first, second);
}

static GTimeZone *zone_of(const char *zone_name)
{
    GTimeZone *zone = zone_name != NULL ? g_time_zone_new_identifier(zone_name) : NULL;

    return zone != NULL ? zone : g_time_zone_new_utc();
}

static GDateTime *read_time(const char *rfc3339, const char *zone_name)
{
    g_autoptr(GTimeZone) zone = zone_of(zone_name);
    g_autoptr(GDateTime) utc = rfc3339 != NULL ? g_date_time_new_from_iso8601(rfc3339, NULL) : NULL;

    return utc != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
}

// "Sat 21 Nov"; the number of a day has its own forms: "1er", "21.".
static char *day_of(const struct words *words, GDateTime *time)
{
    const char *day = words_get(words, day_names[g_date_time_get_day_of_week(time) - 1]);
    const char *month = words_get(words, month_names[g_date_time_get_month(time) - 1]);
    g_autofree char *date = words_count(words, "{n}", "{n}", g_date_time_get_day_of_month(time));

    return g_strdup_printf("%s %s %s", day, date, month);
}

static gboolean is_same_day(GDateTime *left, GDateTime *right)
{
    return g_date_time_get_day_of_year(left) == g_date_time_get_day_of_year(right);
}

// The time in UTC, with its day only where that is another one than `local` has.
static char *utc_of(const struct words *words, GDateTime *local)
{
    g_autoptr(GDateTime) utc = g_date_time_to_utc(local);
    g_autofree char *clock = g_date_time_format(utc, "%H:%M:%S UTC");
    g_autofree char *day = day_of(words, utc);

    if (g_date_time_get_utc_offset(local) == 0)
        return NULL;
    return is_same_day(local, utc) ? g_steal_pointer(&clock)
                                   : g_strdup_printf("%s, %s", day, clock);
}

char *words_time(const struct words *words, const char *rfc3339, const char *zone_name, char **utc)
{
    g_autoptr(GDateTime) local = read_time(rfc3339, zone_name);
    g_autofree char *day = NULL, *clock = NULL;

    if (utc != NULL)
        *utc = local != NULL ? utc_of(words, local) : NULL;
    if (local == NULL)
        return NULL;
    day = day_of(words, local);
    clock = g_date_time_format(local, "%Y, %H:%M:%S %Z");
    return g_strdup_printf("%s %s", day, clock);
}

char *words_short_time(const struct words *words, const char *rfc3339, const char *zone_name)
{
    g_autoptr(GDateTime) local = read_time(rfc3339, zone_name);
    g_autofree char *day = NULL;

    if (local == NULL)
        return NULL;
    day = day_of(words, local);
    return g_strdup_printf("%s, %02d:%02d", day, g_date_time_get_hour(local),
                           g_date_time_get_minute(local));
}

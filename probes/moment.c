// SPDX-License-Identifier: MIT
// Reads times. Whoever asks wants to know whether a record is old enough to be deleted,
// so each doubt is decided for the later time. Used by sweep.
#include "moment.h"

#include "../base/json.h"

#include <math.h>
#include <string.h>

enum { YEAR_LEAST = 2000, SECOND_DIGITS = 10, MILLISECOND_DIGITS = 13, MICROSECOND_DIGITS = 16 };

static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

// What a text or an object says, before it is known in which zone.
struct fields {
    int year, month, day, hour, minute;
    double second;
    bool has_time;
    bool has_zone;
    int zone_s; // seconds east of UTC
};

// Reads exactly `count` digits.
static bool read_digits(const char **at, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!g_ascii_isdigit(**at))
            return false;
        *number = *number * 10 + (**at - '0');
    }
    return true;
}

static bool skip(const char **at, const char *any)
{
    if (**at == '\0' || strchr(any, **at) == NULL)
        return false;
    (*at)++;
    return true;
}

static bool read_date(const char **at, struct fields *fields)
{
    if (!read_digits(at, 4, &fields->year))
        return false;
    bool dashes = skip(at, "-");
    return read_digits(at, 2, &fields->month) && skip(at, "-") == dashes &&
           read_digits(at, 2, &fields->day);
}

static void read_fraction(const char **at, struct fields *fields)
{
    double unit = 0.1;
    if (!skip(at, ".,"))
        return;
    for (; g_ascii_isdigit(**at); (*at)++, unit /= 10)
        fields->second += unit * (**at - '0');
}

// hh:mm, hh:mm:ss, hhmm, hhmmss; a minute without seconds is read as its end.
static bool read_time(const char **at, struct fields *fields)
{
    int second = 0;
    if (!read_digits(at, 2, &fields->hour))
        return false;
    bool colons = skip(at, ":");
    if (!read_digits(at, 2, &fields->minute))
        return false;
    fields->has_time = true;
    if (colons ? !skip(at, ":") : !g_ascii_isdigit(**at)) {
        fields->second = 59;
        return true;
    }
    if (!read_digits(at, 2, &second))
        return false;
    fields->second = second;
    read_fraction(at, fields);
    return true;
}

static bool read_zone(const char **at, struct fields *fields)
{
    int hours = 0, minutes = 0;
    while (skip(at, " ")) {
    }
    if (**at == '\0')
        return true;
    fields->has_zone = true;
    if (skip(at, "Zz") || g_ascii_strcasecmp(*at, "UTC") == 0 ||
        g_ascii_strcasecmp(*at, "GMT") == 0) {
        *at += strlen(*at) == 3 ? 3 : 0;
        return true;
    }
    int sign = **at == '-' ? -1 : 1;
    if (!skip(at, "+-") || !read_digits(at, 2, &hours))
        return false;
    (void)skip(at, ":");
    if (**at != '\0' && !read_digits(at, 2, &minutes))
        return false;
    fields->zone_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_text(const char *text, struct fields *fields)
{
    const char *at = text;
    if (!read_date(&at, fields))
        return false;
    if (*at == '\0')
        return true;
    // also 20261121103000, as some systems write it
    bool separated = skip(&at, "Tt ");
    if (!separated && (text[4] == '-' || !g_ascii_isdigit(*at)))
        return false;
    return read_time(&at, fields) && read_zone(&at, fields) && *at == '\0';
}

static bool read_object(const cJSON *object, struct fields *fields)
{
    fields->year = (int)json_integer(object, "year", 0);
    fields->month = (int)json_integer(object, "month", 0);
    fields->day = (int)json_integer(object, "day", 0);
    fields->has_time = json_member(object, "hour") != NULL;
    fields->hour = (int)json_integer(object, "hour", 0);
    fields->minute = (int)json_integer(object, "minute", 0);
    fields->second = (double)json_integer(object, "second", 0);
    return fields->year > 0 && fields->month > 0 && fields->day > 0;
}

// The later of the two moments where a clock that is set back shows the same time twice.
static GDateTime *in_zone(const struct fields *fields, GTimeZone *zone)
{
    g_autoptr(GDateTime) first = g_date_time_new(zone, fields->year, fields->month, fields->day,
                                                 fields->hour, fields->minute, fields->second);
    g_autoptr(GDateTime) again = first ? g_date_time_add_hours(first, 1) : NULL;
    bool twice = again && g_date_time_get_hour(again) == g_date_time_get_hour(first);
    return twice ? g_steal_pointer(&again) : g_steal_pointer(&first);
}

// Microseconds since 1970; -1 where there is no such time.
static int64_t resolve(const struct fields *fields, GTimeZone *zone)
{
    g_autoptr(GDateTime) time = zone ? in_zone(fields, zone) : NULL;
    if (!time)
        return -1;
    int64_t us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return fields->has_time ? us : us + day_us;
}

static int64_t resolve_named(const struct fields *fields, const char *name)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(name);
    return resolve(fields, zone);
}

static int64_t resolve_fields(const struct fields *fields, const char *zone, const char *own_zone)
{
    if (fields->year < YEAR_LEAST)
        return -1;
    if (fields->has_zone) {
        g_autoptr(GTimeZone) offset = g_time_zone_new_offset(fields->zone_s);
        return resolve(fields, offset);
    }
    if (zone)
        return resolve_named(fields, zone);
    int64_t utc = resolve_named(fields, "UTC"), own = resolve_named(fields, own_zone);
    return utc < 0 ? -1 : MAX(utc, own);
}

// What so many digits before the point count.
static int64_t resolve_number(double number)
{
    double us = -1;
    if (number < 1e11)
        us = number * 1e6;
    else if (number < 1e14)
        us = number * 1e3;
    else if (number < 1e17)
        us = number;
    return (int64_t)floor(us);
}

// Digits alone, as long as a count of seconds, milliseconds or microseconds is nowadays;
// shorter ones are dates.
static bool is_count(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    bool fraction = text[digits] == '.' && digits == SECOND_DIGITS;
    bool whole = text[digits] == '\0';
    return fraction || (whole && (digits == SECOND_DIGITS || digits == MILLISECOND_DIGITS ||
                                  digits == MICROSECOND_DIGITS));
}

static int64_t resolve_text(const char *text, const char *zone, const char *own_zone)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    struct fields fields = {0};
    if (g_str_has_prefix(trimmed, "/Date("))
        return g_ascii_strtoll(trimmed + strlen("/Date("), NULL, 10) * 1000;
    if (is_count(trimmed))
        return resolve_number(g_ascii_strtod(trimmed, NULL));
    return read_text(trimmed, &fields) ? resolve_fields(&fields, zone, own_zone) : -1;
}

static int64_t resolve_value(const cJSON *value, const char *zone, const char *own_zone)
{
    struct fields fields = {0};
    if (cJSON_IsNumber(value))
        return resolve_number(value->valuedouble);
    if (cJSON_IsString(value))
        return resolve_text(value->valuestring, zone, own_zone);
    if (cJSON_IsObject(value) && read_object(value, &fields))
        return resolve_fields(&fields, zone, own_zone);
    return -1;
}

bool moment_read(const cJSON *value, const char *zone, const char *own_zone, struct clock_wall *at)
{
    static const int64_t least_us = INT64_C(946684800) * G_USEC_PER_SEC; // 2000-01-01
    at->us = resolve_value(value, zone, own_zone);
    return at->us >= least_us;
}

// SPDX-License-Identifier: MIT
// Wall time as text, both ways. Pure; reading the clock is clock.c's.
#include "clock.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

// Writes `count` digits and what follows them; returns where to go on.
static char *write_digits(char *at, int number, int count, char end)
{
    for (int i = count; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at[count] = end;
    return at + count + 1;
}

// By hand: each run and each exchange is given times, and printf is slow.
char *clock_wall_format(struct clock_wall time)
{
    int64_t seconds = time.us / G_USEC_PER_SEC;
    int64_t rest = time.us % G_USEC_PER_SEC;
    if (rest < 0) {
        rest += G_USEC_PER_SEC;
        seconds--;
    }
    struct tm parts;
    time_t whole = (time_t)seconds;
    if (!gmtime_r(&whole, &parts) || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900)
        return g_strdup("-");
    char *text = g_malloc(sizeof "YYYY-MM-DDTHH:MM:SS.mmmZ");
    char *at = write_digits(text, parts.tm_year + 1900, 4, '-');
    at = write_digits(at, parts.tm_mon + 1, 2, '-');
    at = write_digits(at, parts.tm_mday, 2, 'T');
    at = write_digits(at, parts.tm_hour, 2, ':');
    at = write_digits(at, parts.tm_min, 2, ':');
    at = write_digits(at, parts.tm_sec, 2, '.');
    at = write_digits(at, (int)(rest / 1000), 3, 'Z');
    *at = '\0';
    return text;
}

// Reads exactly `count` digits and then one of `ends` (NULL where nothing has to follow).
static bool read_digits(const char **text, int count, const char *ends, int *number)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (!g_ascii_isdigit(**text))
            return false;
        value = value * 10 + (**text - '0');
    }
    *number = value;
    if (!ends)
        return true;
    if (!**text || !strchr(ends, **text))
        return false;
    (*text)++;
    return true;
}

// The fraction of a second after its point, in microseconds; finer digits are dropped.
static bool read_fraction(const char **text, int *us)
{
    *us = 0;
    if (**text != '.')
        return true;
    (*text)++;
    if (!g_ascii_isdigit(**text))
        return false;
    int scale = 100000;
    for (; g_ascii_isdigit(**text); (*text)++, scale /= 10)
        *us += (**text - '0') * scale;
    return true;
}

static bool read_zone(const char **text, int *offset_s)
{
    char sign = **text;
    if (!sign || !strchr("Zz+-", sign))
        return false;
    (*text)++;
    *offset_s = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    int hours, minutes;
    if (!read_digits(text, 2, ":", &hours) || !read_digits(text, 2, NULL, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *offset_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    return true;
}

struct clock_wall clock_wall_parse(const char *text)
{
    const struct clock_wall none = {-1};
    int year, month, day, hour, minute, second, us, offset_s;
    if (!text || !read_digits(&text, 4, "-", &year) || !read_digits(&text, 2, "-", &month) ||
        !read_digits(&text, 2, "Tt ", &day) || !read_digits(&text, 2, ":", &hour) ||
        !read_digits(&text, 2, ":", &minute) || !read_digits(&text, 2, NULL, &second) ||
        !read_fraction(&text, &us) || !read_zone(&text, &offset_s) || *text)
        return none;
    int leap = second == 60;
    g_autoptr(GDateTime) date = g_date_time_new_utc(year, month, day, hour, minute, second - leap);
    if (!date)
        return none;
    int64_t seconds = g_date_time_to_unix(date) + leap - offset_s;
    return (struct clock_wall){seconds * G_USEC_PER_SEC + us};
}

// SPDX-License-Identifier: MIT
// The date parser of RFC 6265 section 5.1.1: tokens in any order, the first
// that looks like a time, day, month and year count. Used by cookie_jar.c.
#include "cookie_date.h"

#include <glib.h>
#include <string.h>

struct date {
    int hour, minute, second, day, month, year; // -1 until found
};

// Reads `least` to `most` digits that no further digit follows; moves `*at`.
static bool read_digits(const char **at, int least, int most, int *number)
{
    int count = 0, value = 0;
    while (count < most && g_ascii_isdigit((*at)[count]))
        value = value * 10 + ((*at)[count++] - '0');
    if (count < least || g_ascii_isdigit((*at)[count]))
        return false;
    *at += count;
    *number = value;
    return true;
}

static bool take_time(const char *token, struct date *date)
{
    int hour = 0, minute = 0, second = 0;
    if (date->hour >= 0 || !read_digits(&token, 1, 2, &hour) || *token++ != ':' ||
        !read_digits(&token, 1, 2, &minute) || *token++ != ':' ||
        !read_digits(&token, 1, 2, &second))
        return false;
    date->hour = hour;
    date->minute = minute;
    date->second = second;
    return true;
}

static bool take_day(const char *token, struct date *date)
{
    int day = 0;
    if (date->day >= 0 || !read_digits(&token, 1, 2, &day))
        return false;
    date->day = day;
    return true;
}

static bool take_month(const char *token, struct date *date)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (date->month >= 0 || strlen(token) < 3)
        return false;
    for (int i = 0; i < 12; i++) {
        if (g_ascii_strncasecmp(token, months + 3 * i, 3) == 0) {
            date->month = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_year(const char *token, struct date *date)
{
    int year = 0;
    if (date->year >= 0 || !read_digits(&token, 2, 4, &year))
        return false;
    if (year <= 99)
        year += year >= 70 ? 1900 : 2000;
    date->year = year;
    return true;
}

bool cookie_date_parse(const char *text, int64_t *seconds)
{
    static bool (*const takers[])(const char *, struct date *) = {take_time, take_day, take_month,
                                                                  take_year};
    struct date date = {-1, -1, -1, -1, -1, -1};
    g_auto(GStrv) tokens = g_strsplit_set(text, "\t !\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~", -1);
    for (char **token = tokens; *token; token++) {
        for (size_t i = 0; i < G_N_ELEMENTS(takers) && **token; i++) {
            if (takers[i](*token, &date))
                break;
        }
    }
    if (date.hour < 0 || date.day < 0 || date.month < 0 || date.year < 1601)
        return false;
    // A leap second is the second before it.
    int second = date.second == 60 ? 59 : date.second;
    g_autoptr(GDateTime) time =
        g_date_time_new_utc(date.year, date.month, date.day, date.hour, date.minute, second);
    if (time)
        *seconds = g_date_time_to_unix(time);
    return time;
}

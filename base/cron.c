// SPDX-License-Identifier: MIT
// Five-field cron expressions: reading, and the next start with daylight saving.
// The configuration checks them, the schedule asks them. The day rule is that of
// Vixie cron: both day fields have to match where one begins with a star, else
// either. Pure.
#include "cron.h"

#include <string.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, YEARS = 50 };
enum field_name { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

struct cron {
    uint64_t allowed[FIELDS]; // a bit for each value
    bool star[FIELDS];        // the field begins with a star
};

// A local date and time, as seconds since 1970 in a zone without offsets.
typedef int64_t local_s;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct {
    const char *name;
    int least, most;
    const char *const *names; // of `least` and what follows, or NULL
} fields[FIELDS] = {
    [MINUTE] = {"minute", 0, 59, NULL},
    [HOUR] = {"hour", 0, 23, NULL},
    [DAY] = {"day of month", 1, 31, NULL},
    [MONTH] = {"month", 1, 12, month_names},
    [WEEKDAY] = {"day of week", 0, 7, weekday_names},
};

G_DEFINE_QUARK(cron - error - quark, cron_error)

// --- reading ----------------------------------------------------------------------

static int name_value(enum field_name field, const char *text, size_t length)
{
    const char *const *names = fields[field].names;
    for (int i = 0; names && names[i]; i++)
        if (length == 3 && g_ascii_strncasecmp(text, names[i], 3) == 0)
            return fields[field].least + i;
    return -1;
}

// One number or name of a field; -1 and `error` where it is none.
static int read_value(enum field_name field, const char **at, GError **error)
{
    const char *begin = *at;
    size_t length = 0;
    int value = 0;
    bool digits = g_ascii_isdigit(*begin);
    while (digits ? g_ascii_isdigit(begin[length]) : g_ascii_isalpha(begin[length])) {
        if (digits && value < 1000)
            value = value * 10 + (begin[length] - '0');
        length++;
    }
    if (!digits)
        value = name_value(field, begin, length);
    *at += length;
    if (length == 0 || value < 0) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX,
                    "%s: \"%s\" is neither a number%s nor a star", fields[field].name, begin,
                    fields[field].names ? ", a name of three letters" : "");
        return -1;
    }
    if (value < fields[field].least || value > fields[field].most) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_RANGE, "%s: %d is not between %d and %d",
                    fields[field].name, value, fields[field].least, fields[field].most);
        return -1;
    }
    return value;
}

static bool read_step(enum field_name field, const char **at, bool range, int *step, GError **error)
{
    *step = 1;
    if (**at != '/')
        return true;
    if (!range) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX,
                    "%s: a step needs a star or a range in front: write */5 or 10-59/5",
                    fields[field].name);
        return false;
    }
    char *end = NULL;
    guint64 number = g_ascii_isdigit((*at)[1]) ? g_ascii_strtoull(*at + 1, &end, 10) : 0;
    if (number < 1 || number > (guint64)fields[field].most) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_RANGE, "%s: a step is a number from 1 to %d",
                    fields[field].name, fields[field].most);
        return false;
    }
    *step = (int)number;
    *at = end;
    return true;
}

// One element of a list: *, 5, 1-5, mon-fri, */10, 0-30/10.
static bool read_element(enum field_name field, const char **at, uint64_t *allowed, GError **error)
{
    int first = fields[field].least, last = fields[field].most, step;
    bool range = true;
    if (**at == '*') {
        (*at)++;
        last = field == WEEKDAY ? 6 : last;
    } else {
        first = last = read_value(field, at, error);
        if (first < 0)
            return false;
        range = **at == '-';
        if (range) {
            (*at)++;
            last = read_value(field, at, error);
        }
        if (last < 0)
            return false;
    }
    if (!read_step(field, at, range, &step, error))
        return false;
    if (first > last) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_RANGE,
                    "%s: the range begins after its end: write it as two, %d-%d and %d-%d",
                    fields[field].name, first, fields[field].most == 7 ? 6 : fields[field].most,
                    fields[field].least, last);
        return false;
    }
    for (int value = first; value <= last; value += step)
        *allowed |= UINT64_C(1) << (field == WEEKDAY ? value % 7 : value);
    return true;
}

static bool read_field(struct cron *cron, enum field_name field, const char *text, GError **error)
{
    const char *at = text;
    cron->star[field] = *at == '*';
    for (;;) {
        if (!read_element(field, &at, &cron->allowed[field], error))
            return false;
        if (*at == '\0')
            return true;
        if (*at != ',') {
            g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX,
                        "%s: \"%s\" cannot be read from \"%s\" on", fields[field].name, text, at);
            return false;
        }
        at++;
    }
}

static bool allows(const struct cron *cron, enum field_name field, int value)
{
    return cron->allowed[field] >> value & 1;
}

// False for 30 February: no month that is allowed has a day that is.
static bool has_a_date(const struct cron *cron)
{
    static const int longest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!cron->star[DAY] && !cron->star[WEEKDAY])
        return true;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; allows(cron, MONTH, month) && day <= longest[month]; day++)
            if (allows(cron, DAY, day))
                return true;
    return false;
}

// The words of an expression.
static GPtrArray *split(const char *text)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) parts = g_strsplit_set(text, " \t", -1);
    for (char **part = parts; *part; part++)
        if (**part)
            g_ptr_array_add(words, g_strdup(*part));
    return words;
}

static bool read_fields(struct cron *cron, const GPtrArray *words, GError **error)
{
    for (int field = 0; field < FIELDS; field++)
        if (!read_field(cron, (enum field_name)field, words->pdata[field], error))
            return false;
    return true;
}

static bool check_has_a_date(const struct cron *cron, const char *text, GError **error)
{
    if (has_a_date(cron))
        return true;
    g_set_error(error, CRON_ERROR, CRON_ERROR_RANGE,
                "\"%s\" never happens: none of its months has such a day", text);
    return false;
}

struct cron *cron_parse(const char *text, GError **error)
{
    g_autoptr(GPtrArray) words = split(text);
    if (words->len != FIELDS || strchr(text, '@')) {
        g_set_error(error, CRON_ERROR, CRON_ERROR_SYNTAX,
                    "\"%s\" is no cron expression: write minute, hour, day of month, month and day "
                    "of week, such as */5 7-19 * * 1-5",
                    text);
        return NULL;
    }
    struct cron *cron = g_new0(struct cron, 1);
    if (read_fields(cron, words, error) && check_has_a_date(cron, text, error))
        return cron;
    cron_free(cron);
    return NULL;
}

bool cron_is_valid(const char *text, GError **error)
{
    g_autoptr(cron_t) cron = cron_parse(text, error);
    return cron != NULL;
}

static int count_allowed(const struct cron *cron, enum field_name field)
{
    int count = 0;
    for (int value = fields[field].least; value <= fields[field].most; value++)
        count += allows(cron, field, value);
    return count;
}

int cron_starts_per_day(const struct cron *cron)
{
    return count_allowed(cron, MINUTE) * count_allowed(cron, HOUR);
}

bool cron_has_fixed_hours(const struct cron *cron)
{
    return !cron->star[HOUR];
}

void cron_free(struct cron *cron)
{
    g_free(cron);
}

// --- the calendar, without zones ----------------------------------------------------

static int64_t floor_div(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

// Month and day of a day counted from 1970 (the proleptic Gregorian calendar,
// with years that begin in March).
static void date_of(int64_t days, int *month, int *day)
{
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t in_era = shifted - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month_from_march = (5 * in_year + 2) / 153;
    *day = (int)(in_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
}

static bool day_matches(const struct cron *cron, int64_t days)
{
    int month, day;
    date_of(days, &month, &day);
    bool by_day = allows(cron, DAY, day);
    bool by_weekday =
        allows(cron, WEEKDAY, (int)(((days + 4) % 7 + 7) % 7)); // 1970 began on a Thursday
    if (!allows(cron, MONTH, month))
        return false;
    return cron->star[DAY] || cron->star[WEEKDAY] ? by_day && by_weekday : by_day || by_weekday;
}

// The first local minute at or after `from` that matches, or -1 beyond `until`.
static local_s next_match(const struct cron *cron, local_s from, local_s until)
{
    local_s at = -floor_div(-from, MINUTE_S) * MINUTE_S;
    while (at <= until) {
        int64_t days = floor_div(at, DAY_S);
        int64_t in_day = at - days * DAY_S;
        if (!day_matches(cron, days))
            at = (days + 1) * DAY_S;
        else if (!allows(cron, HOUR, (int)(in_day / HOUR_S)))
            at += HOUR_S - in_day % HOUR_S;
        else if (!allows(cron, MINUTE, (int)(in_day % HOUR_S / MINUTE_S)))
            at += MINUTE_S;
        else
            return at;
    }
    return -1;
}

// --- zones --------------------------------------------------------------------------

static int64_t offset_at(GTimeZone *zone, int64_t utc_s)
{
    return g_time_zone_get_offset(zone,
                                  g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc_s));
}

// The first second in (early, late] at which the offset is `after`.
static int64_t turn_between(GTimeZone *zone, int64_t early, int64_t late, int64_t after)
{
    while (late - early > 1) {
        int64_t middle = early + (late - early) / 2;
        if (offset_at(zone, middle) == after)
            late = middle;
        else
            early = middle;
    }
    return late;
}

// The instant of a local time: the first of two in a repeated hour, the end of
// the gap where there is none.
static int64_t instant_of(GTimeZone *zone, local_s local)
{
    int64_t before = offset_at(zone, local - DAY_S), after = offset_at(zone, local + DAY_S);
    bool fits_before = offset_at(zone, local - before) == before;
    bool fits_after = offset_at(zone, local - after) == after;
    if (fits_before && fits_after)
        return local - MAX(before, after);
    if (fits_before || fits_after)
        return local - (fits_before ? before : after);
    return turn_between(zone, local - DAY_S, local + DAY_S, after);
}

// A fixed hour: local times in their order, each at its one instant.
static int64_t next_fixed(const struct cron *cron, int64_t after_s, GTimeZone *zone)
{
    // In a repeated hour the local time has been there before: begin a day early.
    local_s local = after_s + offset_at(zone, after_s) - DAY_S;
    local_s until = local + (int64_t)YEARS * 366 * DAY_S;
    while ((local = next_match(cron, local, until)) >= 0) {
        int64_t instant = instant_of(zone, local);
        if (instant > after_s)
            return instant;
        local += MINUTE_S;
    }
    return -1;
}

// A star hour: every elapsed minute whose local time matches, also twice. Between
// two turns of the zone local and elapsed time go together.
static int64_t next_elapsed(const struct cron *cron, int64_t after_s, GTimeZone *zone)
{
    int64_t at = floor_div(after_s, MINUTE_S) * MINUTE_S + MINUTE_S;
    int64_t until = at + (int64_t)YEARS * 366 * DAY_S;
    while (at <= until) {
        int64_t offset = offset_at(zone, at);
        local_s local = next_match(cron, at + offset, until + offset);
        if (local < 0)
            return -1;
        int64_t instant = local - offset;
        if (offset_at(zone, instant) == offset)
            return instant;
        // The offset changed on the way: go on from the first turn.
        int64_t turn = instant;
        for (int64_t early = at; turn - early > 1;) {
            int64_t middle = early + (turn - early) / 2;
            if (offset_at(zone, middle) == offset)
                early = middle;
            else
                turn = middle;
        }
        at = turn;
    }
    return -1;
}

struct clock_wall cron_next(const struct cron *cron, struct clock_wall after, GTimeZone *zone)
{
    int64_t after_s = floor_div(after.us, G_USEC_PER_SEC);
    int64_t next = cron_has_fixed_hours(cron) ? next_fixed(cron, after_s, zone)
                                              : next_elapsed(cron, after_s, zone);
    return (struct clock_wall){next < 0 ? -1 : next * G_USEC_PER_SEC};
}

// SPDX-License-Identifier: MIT
// Durations and sizes as the configuration writes them. Pure text to number and
// back; a bare number is refused, because nobody can see its unit.
#include "duration.h"

#include <glib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

// From the largest to the smallest: the order in which they may follow each other.
static const struct unit DURATION_UNITS[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit SIZE_UNITS[] = {
    {"GiB", 1 << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"B", 1},
};

// A century: everything below fits in microseconds.
static const int64_t DURATION_MAX_MS = INT64_C(36500) * 86400000;
static const int64_t SIZE_MAX_BYTES = INT64_C(1) << 50;

// Reads digits; false where there are none or they exceed `limit`.
static bool read_number(const char **text, int64_t limit, int64_t *number)
{
    if (!g_ascii_isdigit(**text))
        return false;
    *number = 0;
    for (; g_ascii_isdigit(**text); (*text)++) {
        *number = *number * 10 + (**text - '0');
        if (*number > limit)
            return false;
    }
    return true;
}

// The index of the unit that the letters at `*text` spell, or -1; moves behind it.
static int read_unit(const char **text, const struct unit *units, int count)
{
    size_t length = 0;
    while (g_ascii_isalpha((*text)[length]))
        length++;
    for (int i = 0; i < count; i++) {
        if (strlen(units[i].name) == length && strncmp(*text, units[i].name, length) == 0) {
            *text += length;
            return i;
        }
    }
    return -1;
}

bool duration_parse(const char *text, int64_t *milliseconds)
{
    int64_t total = 0;
    int last = -1;
    do {
        int64_t number;
        if (!text || !read_number(&text, DURATION_MAX_MS, &number))
            return false;
        int unit = read_unit(&text, DURATION_UNITS, G_N_ELEMENTS(DURATION_UNITS));
        if (unit <= last || number > (DURATION_MAX_MS - total) / DURATION_UNITS[unit].factor)
            return false;
        total += number * DURATION_UNITS[unit].factor;
        last = unit;
    } while (*text);
    *milliseconds = total;
    return true;
}

bool size_parse(const char *text, int64_t *bytes)
{
    int64_t number;
    if (!text || !read_number(&text, SIZE_MAX_BYTES, &number))
        return false;
    int unit = read_unit(&text, SIZE_UNITS, G_N_ELEMENTS(SIZE_UNITS));
    if (unit < 0 || *text || number > SIZE_MAX_BYTES / SIZE_UNITS[unit].factor)
        return false;
    *bytes = number * SIZE_UNITS[unit].factor;
    return true;
}

char *duration_format(int64_t milliseconds)
{
    if (milliseconds == 0)
        return g_strdup("0s");
    GString *text = g_string_new(milliseconds < 0 ? "-" : NULL);
    uint64_t rest = milliseconds < 0 ? -(uint64_t)milliseconds : (uint64_t)milliseconds;
    for (size_t i = 0; i < G_N_ELEMENTS(DURATION_UNITS); i++) {
        uint64_t factor = (uint64_t)DURATION_UNITS[i].factor;
        if (rest >= factor)
            g_string_append_printf(text, "%" G_GUINT64_FORMAT "%s", rest / factor,
                                   DURATION_UNITS[i].name);
        rest %= factor;
    }
    return g_string_free(text, FALSE);
}

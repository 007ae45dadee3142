// SPDX-License-Identifier: MIT
// Five-field cron expressions, read and asked for the next start. Pure: the
// time and the zone come from the caller.
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include "clock.h"

#include <glib.h>
#include <stdbool.h>

struct cron;

#define CRON_ERROR cron_error_quark()
GQuark cron_error_quark(void);
enum cron_error { CRON_ERROR_SYNTAX, CRON_ERROR_RANGE, CRON_ERROR_NEVER };

// Reads minute, hour, day of month, month, day of week: numbers, names of months
// and weekdays (in any case), lists, ranges, steps behind a star or a range; 7
// is Sunday as 0 is. Where both day fields are restricted, either may match; one
// that begins with a star restricts by itself. NULL and `error`, one sentence
// that says what to write instead, where it is none, or where no date ever
// matches (30 February). The caller frees it.
struct cron *cron_parse(const char *text, GError **error);

// True where cron_parse would read `text`.
bool cron_is_valid(const char *text, GError **error);

// The first start after `after`, on a whole minute of the wall clock in `zone`.
// Daylight saving: with star hours elapsed minutes count, in the gap and in the
// repeated hour; a fixed hour in the gap runs once at the gap's end, in a
// repeated hour only the first time. -1 where there is none within 50 years.
struct clock_wall cron_next(const struct cron *cron, struct clock_wall after, GTimeZone *zone);

// True where the hours are named, not a star: such a start happens once, also in a repeated hour.
bool cron_has_fixed_hours(const struct cron *cron);

// How many starts a day of 24 hours has, if it has any.
int cron_starts_per_day(const struct cron *cron);

// Frees it; NULL is allowed.
void cron_free(struct cron *cron);

typedef struct cron cron_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cron_t, cron_free)

#endif

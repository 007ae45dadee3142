// SPDX-License-Identifier: MIT
// Reads the time of a record as systems write it. Pure.
#ifndef PROBES_MOMENT_H
#define PROBES_MOMENT_H

#include "../base/clock.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

// The time that `value` says: ISO 8601 (with or without zone, a date alone), seconds,
// milliseconds or microseconds since 1970 as a number or as text, /Date(ms)/, or an object
// with year, month and day. What is not exact is read as its latest moment: a date as the
// end of its day; without a zone in `zone`, or, where that is NULL, as the later of UTC and
// `own_zone`. False where it is no time, or none of a record: before the year 2000.
bool moment_read(const cJSON *value, const char *zone, const char *own_zone, struct clock_wall *at);

#endif

// SPDX-License-Identifier: MIT
// Dates of cookies, which come in more shapes than any standard has.
#ifndef PROBES_COOKIE_DATE_H
#define PROBES_COOKIE_DATE_H

#include <stdbool.h>
#include <stdint.h>

// Reads a date as RFC 6265 section 5.1.1 says, into seconds since the Unix
// epoch; false where it is none.
bool cookie_date_parse(const char *text, int64_t *seconds);

#endif

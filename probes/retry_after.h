// SPDX-License-Identifier: MIT
// How long a system asks to be left alone in the headers of an answer. Pure.
#ifndef PROBES_RETRY_AFTER_H
#define PROBES_RETRY_AFTER_H

#include "../base/clock.h"
#include "../base/transfer.h"
#include "verdict.h"

// However much longer a system asks for: a day.
#define RETRY_AFTER_MOST_MS (INT64_C(24) * 3600 * 1000)

// The milliseconds that an answer with `cause` asks for, 0 where it asks for none. Retry-After
// (seconds, or a date, which is taken against the answer's own Date) of a 429, a 503 or a
// verdict of rate_limit. Where a limit has no Retry-After: the reset of the limit that is used
// up (RateLimit-Reset, X-RateLimit-Reset, X-RateLimit-Minutely-Reset), in seconds, or as an
// epoch in seconds or milliseconds.
int64_t retry_after_ms(const struct transfer_response *response, enum verdict_cause cause,
                       struct clock_wall now);

#endif

// SPDX-License-Identifier: MIT
// Reads Retry-After and its like. Comes after the verdict; step_run waits so long within
// a run, flow_gate between runs.
#include "retry_after.h"

#include "cookie_date.h"

#include <string.h>

#define SECOND_MS INT64_C(1000)

// A reset below this is a span in seconds, below the other an epoch in seconds.
#define SPAN_BELOW INT64_C(1000000000)
#define SECONDS_BELOW INT64_C(100000000000)

static bool is_limited(const struct transfer_response *response, enum verdict_cause cause)
{
    return response->status == 429 || cause == VERDICT_CAUSE_RATE_LIMIT;
}

// False where the text is no whole number; one that is too large is the largest.
static bool read_number(const char *text, int64_t *number)
{
    g_autofree char *digits = g_strstrip(g_strdup(text));
    guint64 value = 0;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits))
        return false;
    if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &value, NULL))
        value = G_MAXINT64;
    *number = (int64_t)value;
    return true;
}

// The answer's own clock, which its dates are of; ours where it tells none.
static int64_t clock_seconds(const struct transfer_response *response, struct clock_wall now)
{
    const char *date = transfer_headers_find(response->headers, "Date");
    int64_t seconds = 0;
    return date && cookie_date_parse(date, &seconds) ? seconds : now.us / G_USEC_PER_SEC;
}

static int64_t limit_ms(int64_t seconds)
{
    return CLAMP(seconds, 0, RETRY_AFTER_MOST_MS / SECOND_MS) * SECOND_MS;
}

static int64_t read_reset(int64_t value, int64_t clock_s)
{
    if (value < SPAN_BELOW)
        return limit_ms(value);
    if (value < SECONDS_BELOW)
        return limit_ms(value - clock_s);
    return limit_ms(value / SECOND_MS + (value % SECOND_MS != 0) - clock_s);
}

// Of limits that are used up the one that lasts longest.
static int64_t read_limits(const struct transfer_response *response, int64_t clock_s)
{
    static const struct {
        const char *reset, *remaining;
    } limits[] = {
        {"RateLimit-Reset", "RateLimit-Remaining"},
        {"X-RateLimit-Reset", "X-RateLimit-Remaining"},
        {"X-RateLimit-Minutely-Reset", "X-RateLimit-Minutely-Remaining"},
    };
    int64_t longest_ms = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
        const char *reset = transfer_headers_find(response->headers, limits[i].reset);
        const char *remaining = transfer_headers_find(response->headers, limits[i].remaining);
        int64_t value = 0, left = 0;
        bool is_left = remaining && read_number(remaining, &left) && left > 0;
        if (reset && !is_left && read_number(reset, &value))
            longest_ms = MAX(longest_ms, read_reset(value, clock_s));
    }
    return longest_ms;
}

int64_t retry_after_ms(const struct transfer_response *response, enum verdict_cause cause,
                       struct clock_wall now)
{
    bool limited = is_limited(response, cause);
    if (response->outcome != TRANSFER_ANSWERED || (!limited && response->status != 503))
        return 0;
    const char *text = transfer_headers_find(response->headers, "Retry-After");
    int64_t clock_s = clock_seconds(response, now), seconds = 0;
    if (text && read_number(text, &seconds))
        return limit_ms(seconds);
    if (text && cookie_date_parse(text, &seconds))
        return limit_ms(seconds - clock_s);
    return limited ? read_limits(response, clock_s) : 0;
}

// SPDX-License-Identifier: MIT
// Time, as two types that the compiler keeps apart: monotonic time for waiting
// and deadlines, wall time for people and schedules. The only place where the
// project reads a clock; the test build links another one in its place.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

// Monotonic microseconds; stands still while the machine is suspended.
struct clock_mono {
    int64_t us;
};

// Microseconds since the Unix epoch, UTC.
struct clock_wall {
    int64_t us;
};

// The present monotonic time.
struct clock_mono clock_mono_now(void);

// The present wall time.
struct clock_wall clock_wall_now(void);

// Microseconds since boot, suspended time included (CLOCK_BOOTTIME): against
// the wall clock it shows a suspend or a clock that was set.
int64_t clock_boot_us(void);

// How many real milliseconds a timer of the loop has to wait for a span of our
// time to pass, rounded up, never negative.
uint64_t clock_timer_ms(int64_t span_us);

// Writes `time` as RFC 3339 in UTC with milliseconds: 2026-11-21T09:30:00.120Z.
// The caller frees the text.
char *clock_wall_format(struct clock_wall time);

// Reads what clock_wall_format wrote, or any RFC 3339 time; -1 where it is none.
struct clock_wall clock_wall_parse(const char *text);

#endif

// SPDX-License-Identifier: MIT
// Time, as two types that the compiler keeps apart: monotonic time for waiting
// and deadlines, wall time for people and schedules. The only place where the
// project reads a clock; the test build links another one in its place, so that
// days pass in seconds. What waits for a server or another process is real there
// too: clock_transport_now, and libuv's own timers.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct uv_timer_s;

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

// Monotonic time for what passes between us and a server or another process.
struct clock_mono clock_transport_now(void);

// All clocks at one moment. Microseconds since boot (CLOCK_BOOTTIME) include suspended time:
// against the wall clock they show a clock that was set, against monotonic time a suspend.
struct clock_reading {
    struct clock_mono mono;
    struct clock_wall wall;
    int64_t boot_us;
};

// The present time on all clocks.
struct clock_reading clock_read(void);

// Starts a timer of the loop, as uv_timer_start does: `over` is called once, when this span of
// our time has passed; at the loop's next turn where it is 0 or less.
void clock_timer_start(struct uv_timer_s *timer, void (*over)(struct uv_timer_s *timer),
                       int64_t span_us);

// Writes `time` as RFC 3339 in UTC with milliseconds: 2026-11-21T09:30:00.120Z, or "-"
// where its year has no four digits. The caller frees the text.
char *clock_wall_format(struct clock_wall time);

// Reads what clock_wall_format wrote, or any RFC 3339 time; -1 where it is none.
struct clock_wall clock_wall_parse(const char *text);

#endif

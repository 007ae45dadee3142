// SPDX-License-Identifier: MIT
// The only place where the project reads a clock or waits for one. Everything
// behind it takes time as a parameter; the test build links tests/clock/ in the
// place of this file.
#include "clock.h"

#include <glib.h>
#include <time.h>
#include <uv.h>

// Two reads further apart than this are not of one moment: the process was put aside between them.
#define SAME_MOMENT_US 1000

static int64_t read_clock_us(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        g_error("the clock %d cannot be read", (int)id);
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

struct clock_mono clock_mono_now(void)
{
    return (struct clock_mono){read_clock_us(CLOCK_MONOTONIC)};
}

struct clock_wall clock_wall_now(void)
{
    return (struct clock_wall){read_clock_us(CLOCK_REALTIME)};
}

struct clock_mono clock_transport_now(void)
{
    return clock_mono_now();
}

struct clock_reading clock_read(void)
{
    struct clock_reading reading;
    int64_t span_us;
    int tries = 0;
    do {
        reading.mono = clock_mono_now();
        reading.wall = clock_wall_now();
        reading.boot_us = read_clock_us(CLOCK_BOOTTIME);
        span_us = clock_mono_now().us - reading.mono.us;
    } while (span_us > SAME_MOMENT_US && ++tries < 10);
    return reading;
}

static uint64_t timer_ms(int64_t span_us)
{
    return span_us <= 0 ? 0 : (uint64_t)(span_us / 1000 + (span_us % 1000 != 0));
}

void clock_timer_start(uv_timer_t *timer, uv_timer_cb over, int64_t span_us)
{
    uv_timer_start(timer, over, timer_ms(span_us), 0);
}

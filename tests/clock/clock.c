// SPDX-License-Identifier: MIT
// The test's clock, linked in place of base/clock.c: time is what a file says
// that a test maps and writes (tests/clock/made_clock.py) and all processes of
// the program read, so that days pass in seconds, clocks are set and machines
// sleep. The program in turn says which of the times its timers have seen. The
// file is named by ERPWATCH_CLOCK; without it time is real. What waits for
// servers and processes is real in any case.
#include "../../base/clock.h"

#include <fcntl.h>
#include <glib.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

// The file. A writer makes `turn` odd, writes, and makes it even again. Time passes from `real_us`
// (of CLOCK_MONOTONIC) on, `rate` as fast as real time, for `span_us` at most: then it stands.
struct page {
    _Atomic uint64_t turn;
    int64_t real_us, mono_us, boot_us, wall_us;
    int64_t span_us;
    double rate;
    _Atomic uint64_t seen; // the turn that all timers have looked at: what was due then was called
};

// A timer looks at least this often whether time has moved.
enum { LOOK_MS = 3 };

struct waiting {
    uv_timer_cb over;
    int64_t due_us;
    uint64_t look_ms; // when it looks next, in the loop's time
};

static int64_t real_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static struct page *map_page(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || page == MAP_FAILED)
        g_error("the clock %s cannot be read", path);
    close(fd);
    return page;
}

// NULL where time is real.
static struct page *the_page(void)
{
    static gsize known;
    static struct page *page;
    if (g_once_init_enter(&known)) {
        const char *path = g_getenv("ERPWATCH_CLOCK");
        page = path ? map_page(path) : NULL;
        g_once_init_leave(&known, 1);
    }
    return page;
}

// A copy of which no part is older than another.
static struct page read_page(struct page *page)
{
    struct page copy;
    uint64_t turn;
    do {
        turn = atomic_load(&page->turn);
        copy.real_us = page->real_us;
        copy.mono_us = page->mono_us;
        copy.boot_us = page->boot_us;
        copy.wall_us = page->wall_us;
        copy.span_us = page->span_us;
        copy.rate = page->rate;
        copy.turn = turn;
        atomic_thread_fence(memory_order_acquire);
    } while (turn % 2 || turn != atomic_load(&page->turn));
    return copy;
}

static struct clock_reading read_real(void)
{
    return (struct clock_reading){
        {real_us(CLOCK_MONOTONIC)}, {real_us(CLOCK_REALTIME)}, real_us(CLOCK_BOOTTIME)};
}

struct clock_reading clock_read(void)
{
    if (!the_page())
        return read_real();
    struct page page = read_page(the_page());
    double passed_us = (double)(real_us(CLOCK_MONOTONIC) - page.real_us) * page.rate;
    int64_t span_us = (int64_t)CLAMP(passed_us, 0, (double)page.span_us);
    return (struct clock_reading){
        {page.mono_us + span_us}, {page.wall_us + span_us}, page.boot_us + span_us};
}

struct clock_mono clock_mono_now(void)
{
    return clock_read().mono;
}

struct clock_wall clock_wall_now(void)
{
    return clock_read().wall;
}

struct clock_mono clock_transport_now(void)
{
    return (struct clock_mono){real_us(CLOCK_MONOTONIC)};
}

// Of the loop's thread, which alone has timers. One that is stopped or closed stays; it is
// replaced where its memory is a timer again.
static struct waiting *waiting_for(const uv_timer_t *timer)
{
    static GHashTable *all;
    if (!all)
        all = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    struct waiting *waiting = g_hash_table_lookup(all, timer);
    if (!waiting) {
        waiting = g_new0(struct waiting, 1);
        g_hash_table_insert(all, (gpointer)(uintptr_t)timer, waiting);
    }
    return waiting;
}

static uint64_t look_after_ms(int64_t left_us)
{
    double rate = the_page() ? read_page(the_page()).rate : 1;
    double real_ms = rate > 0 ? (double)left_us / rate / 1000 : LOOK_MS;
    return left_us <= 0 ? 0 : (uint64_t)CLAMP(real_ms, 1, LOOK_MS);
}

// One whose look was planned after the longest wait from a round's begin: the loop calls timers
// in the order of their times, so all have looked since, and a new round begins.
static void note_look(const uv_timer_t *timer, const struct waiting *waiting)
{
    static uint64_t turn, all_by_ms;
    if (!the_page() || waiting->look_ms <= all_by_ms)
        return;
    if (turn)
        atomic_store(&the_page()->seen, turn);
    struct page now = read_page(the_page());
    turn = now.turn;
    all_by_ms = uv_now(timer->loop) + LOOK_MS;
}

static void on_look(uv_timer_t *timer);

static void plan_look(uv_timer_t *timer, struct waiting *waiting, int64_t left_us)
{
    uint64_t after_ms = look_after_ms(left_us);
    waiting->look_ms = uv_now(timer->loop) + after_ms;
    uv_timer_start(timer, on_look, after_ms, 0);
}

static void on_look(uv_timer_t *timer)
{
    struct waiting *waiting = waiting_for(timer);
    note_look(timer, waiting);
    int64_t left_us = waiting->due_us - clock_mono_now().us;
    if (left_us >= 1000) // timers are of whole milliseconds; time may stand within one
        plan_look(timer, waiting, left_us);
    else
        waiting->over(timer);
}

void clock_timer_start(uv_timer_t *timer, uv_timer_cb over, int64_t span_us)
{
    struct waiting *waiting = waiting_for(timer);
    waiting->over = over;
    waiting->due_us = clock_mono_now().us + span_us;
    plan_look(timer, waiting, span_us);
}

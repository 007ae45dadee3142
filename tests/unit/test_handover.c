// SPDX-License-Identifier: MIT
// handover: items of threads arrive on the loop, once and in order; a thread may outlive
// the loop's side, and then nothing arrives and nothing leaks.
#include "../../base/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 1000 };

static gint freed; // atomic

static void free_number(void *item)
{
    g_atomic_int_inc(&freed);
    g_free(item);
}

static int *new_number(int number)
{
    int *item = g_new(int, 1);
    *item = number;
    return item;
}

struct fixture {
    uv_loop_t loop;
    uv_timer_t alive; // keeps the loop running
    struct handover *handover;
    int arrived; // so many
    bool in_order;
    int close_at; // with this one
};

static void on_arrived(void *item, void *context)
{
    struct fixture *fixture = context;
    fixture->in_order &= *(int *)item == fixture->arrived;
    if (++fixture->arrived == fixture->close_at)
        handover_close(fixture->handover);
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
}

static void set_up(struct fixture *fixture, int close_at)
{
    g_atomic_int_set(&freed, 0);
    fixture->arrived = 0;
    fixture->in_order = true;
    fixture->close_at = close_at;
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    uv_timer_init(&fixture->loop, &fixture->alive);
    fixture->handover = handover_new(&fixture->loop, on_arrived, free_number, fixture);
}

static void run_until(struct fixture *fixture, int arrived)
{
    uv_timer_start(&fixture->alive, on_alive, 60000, 60000);
    while (fixture->arrived < arrived)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

// Runs what is left of the loop.
static void tear_down(struct fixture *fixture)
{
    uv_close((uv_handle_t *)&fixture->alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

static void *give_all(void *handover)
{
    for (int i = 0; i < ITEMS; i++)
        handover_give(handover, new_number(i));
    handover_unref(handover);
    return NULL;
}

static void test_items_arrive_in_order_and_are_freed(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture, ITEMS);
    GThread *thread = g_thread_new("giver", give_all, handover_ref(fixture.handover));
    run_until(&fixture, ITEMS);
    g_thread_join(thread);
    tear_down(&fixture);
    assert_true(fixture.in_order);
    assert_int_equal(g_atomic_int_get(&freed), ITEMS);
}

static void test_it_does_not_keep_the_loop_running(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture, 0);
    assert_int_equal(uv_run(&fixture.loop, UV_RUN_DEFAULT), 0);
    handover_close(fixture.handover);
    tear_down(&fixture);
}

static void test_nothing_arrives_once_closed(void **state)
{
    (void)state;
    struct fixture fixture;
    set_up(&fixture, 2);
    struct handover *of_thread = handover_ref(fixture.handover);
    for (int i = 0; i < 3; i++) // the third waits when the second closes
        handover_give(of_thread, new_number(i));
    run_until(&fixture, 2);
    handover_give(of_thread, new_number(3));
    tear_down(&fixture);
    handover_unref(of_thread);
    assert_int_equal(fixture.arrived, 2);
    assert_int_equal(g_atomic_int_get(&freed), 4);
}

static void *wait_for_leave(void *may_end)
{
    while (!g_atomic_int_get((gint *)may_end))
        g_usleep(1000);
    return NULL;
}

static void test_threads_are_counted_until_they_end(void **state)
{
    (void)state;
    gint may_end = 0;
    assert_int_equal(handover_count_threads(), 0);
    assert_true(handover_start_thread("one", wait_for_leave, &may_end));
    assert_true(handover_start_thread("two", wait_for_leave, &may_end));
    assert_int_equal(handover_count_threads(), 2);
    g_atomic_int_set(&may_end, 1);
    while (handover_count_threads() > 0)
        g_usleep(1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_arrive_in_order_and_are_freed),
        cmocka_unit_test(test_it_does_not_keep_the_loop_running),
        cmocka_unit_test(test_nothing_arrives_once_closed),
        cmocka_unit_test(test_threads_are_counted_until_they_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

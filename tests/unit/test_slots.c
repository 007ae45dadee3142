// SPDX-License-Identifier: MIT
// Slots: limits over all and for each system, order, undos first, fairness.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../probes/slots.h"

static GString *order;

static void granted(void *context)
{
    g_string_append(order, context);
}

static int set_up(void **state)
{
    (void)state;
    order = g_string_new(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    g_string_free(order, TRUE);
    return 0;
}

static struct slot_ticket *ask(struct slots *slots, const char *system, unsigned limit,
                               enum slots_turn turn, const char *name)
{
    struct slot_ticket *ticket;
    slots_request(slots, system, limit, turn, granted, (void *)(uintptr_t)name, &ticket);
    return ticket;
}

static void test_system_limit(void **state)
{
    (void)state;
    struct slots *slots = slots_new(10);
    struct slot_ticket *a = ask(slots, "s", 1, SLOTS_TURN_STEP, "a");
    struct slot_ticket *b = ask(slots, "s", 1, SLOTS_TURN_STEP, "b");
    struct slot_ticket *other = ask(slots, "t", 1, SLOTS_TURN_STEP, "t");
    assert_string_equal(order->str, "at");
    slots_release(slots, a);
    assert_string_equal(order->str, "atb");
    slots_release(slots, b);
    slots_release(slots, other);
    slots_free(slots);
}

static void test_undo_goes_first(void **state)
{
    (void)state;
    struct slots *slots = slots_new(10);
    struct slot_ticket *a = ask(slots, "s", 1, SLOTS_TURN_STEP, "a");
    struct slot_ticket *b = ask(slots, "s", 1, SLOTS_TURN_STEP, "b");
    struct slot_ticket *u = ask(slots, "s", 1, SLOTS_TURN_FIRST, "u");
    slots_release(slots, a);
    assert_string_equal(order->str, "au");
    slots_release(slots, u);
    slots_release(slots, b);
    assert_string_equal(order->str, "aub");
    slots_free(slots);
}

static void test_overall_limit_is_fair(void **state)
{
    (void)state;
    struct slots *slots = slots_new(1);
    struct slot_ticket *a = ask(slots, "s", 5, SLOTS_TURN_STEP, "a");
    struct slot_ticket *b = ask(slots, "s", 5, SLOTS_TURN_STEP, "b");
    struct slot_ticket *c = ask(slots, "s", 5, SLOTS_TURN_STEP, "c");
    struct slot_ticket *t = ask(slots, "t", 5, SLOTS_TURN_STEP, "t");
    slots_release(slots, a);
    slots_release(slots, b);
    assert_string_equal(order->str, "abt");
    slots_release(slots, t);
    assert_string_equal(order->str, "abtc");
    slots_release(slots, c);
    slots_free(slots);
}

static void test_withdrawn_ticket_is_not_granted(void **state)
{
    (void)state;
    struct slots *slots = slots_new(1);
    struct slot_ticket *a = ask(slots, "s", 1, SLOTS_TURN_STEP, "a");
    struct slot_ticket *b = ask(slots, "s", 1, SLOTS_TURN_STEP, "b");
    slots_release(slots, b);
    slots_release(slots, a);
    assert_string_equal(order->str, "a");
    struct slot_ticket *c = ask(slots, "s", 1, SLOTS_TURN_STEP, "c");
    assert_string_equal(order->str, "ac");
    slots_release(slots, c);
    slots_free(slots);
}

static void test_sweep_goes_last(void **state)
{
    (void)state;
    struct slots *slots = slots_new(10);
    struct slot_ticket *a = ask(slots, "s", 1, SLOTS_TURN_STEP, "a");
    struct slot_ticket *sweep = ask(slots, "s", 1, SLOTS_TURN_LAST, "w");
    struct slot_ticket *late = ask(slots, "s", 1, SLOTS_TURN_LAST, "x");
    struct slot_ticket *b = ask(slots, "s", 1, SLOTS_TURN_STEP, "b");
    struct slot_ticket *undo = ask(slots, "s", 1, SLOTS_TURN_FIRST, "u");
    slots_release(slots, a);
    slots_release(slots, undo);
    slots_release(slots, late); // withdrawn
    slots_release(slots, b);
    assert_string_equal(order->str, "aubw");
    slots_release(slots, sweep);
    slots_free(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_system_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undo_goes_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweep_goes_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overall_limit_is_fair, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_withdrawn_ticket_is_not_granted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

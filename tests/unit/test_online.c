// SPDX-License-Identifier: MIT
// Which failures our own network may have caused, and when it is asked for a call that waits.
#include "../../monitor/online.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

static struct clock_wall at_s(double seconds)
{
    return (struct clock_wall){(int64_t)(seconds * G_USEC_PER_SEC)};
}

static void add_exchange(struct step_result *step, double began_s)
{
    struct transfer_request *request = transfer_request_new("GET", "http://erp.example/");
    g_ptr_array_add(step->exchanges, exchange_new(request, at_s(began_s)));
}

static struct run_result *failed(enum verdict_class class, enum verdict_phase phase)
{
    struct run_result *result = run_result_new("R", "orders", "erp");
    struct step_result *step = step_result_new("create", "erp");
    result->started = at_s(100);
    step->state = VERDICT_FAILED;
    step->verdict = verdict_new();
    step->verdict->class = class;
    step->verdict->phase = phase;
    g_ptr_array_add(result->steps, step);
    return result;
}

static void test_what_got_no_answer_is_in_doubt(void **state)
{
    (void)state;
    static const struct {
        enum verdict_class class;
        enum verdict_phase phase;
        bool doubt;
    } cases[] = {
        {VERDICT_CLASS_UNREACHABLE, VERDICT_PHASE_CONNECT, true},
        {VERDICT_CLASS_TIMEOUT, VERDICT_PHASE_FIRST_BYTE, true},
        {VERDICT_CLASS_TIMEOUT, VERDICT_PHASE_TRANSFER, true},
        {VERDICT_CLASS_TIMEOUT, VERDICT_PHASE_POLL, false},
        {VERDICT_CLASS_ERROR_CODE, VERDICT_PHASE_NONE, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(run_result_t) result = failed(cases[i].class, cases[i].phase);
        assert_int_equal(online_is_in_doubt(result), cases[i].doubt);
    }
}

// Of several calls, the last one failed: what was before it had an answer.
static void test_doubt_begins_with_the_call_that_failed(void **state)
{
    (void)state;
    g_autoptr(run_result_t) result = failed(VERDICT_CLASS_TIMEOUT, VERDICT_PHASE_FIRST_BYTE);
    assert_int_equal(online_in_doubt_since(result).us, at_s(100).us);
    add_exchange(result->steps->pdata[0], 101);
    add_exchange(result->steps->pdata[0], 105);
    assert_int_equal(online_in_doubt_since(result).us, at_s(105).us);
}

static void test_it_is_asked_at_each_quarter_of_the_time(void **state)
{
    (void)state;
    static const struct {
        double before, now; // since the call began
        bool due;
    } cases[] = {
        {-0.5, 0.5, false}, {1.4, 2.4, false}, {1.6, 2.6, true}, {2.6, 3.6, false},
        {4.5, 5.5, true},   {7.4, 7.6, true},  {9.5, 10, false}, // it ends by itself
        {0.5, 9, true},     {5, 3, false},     {-3, -2, false},  // the clock was set back
        {10.5, 11, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool due =
            online_is_due(at_s(50), 10000, at_s(50 + cases[i].before), at_s(50 + cases[i].now));
        assert_int_equal(due, cases[i].due);
    }
    assert_false(online_is_due(at_s(50), 0, at_s(51), at_s(52))); // no time, no division
}

// Once gone, it is not gone for as long as the wall clock is behind that moment.
static void test_it_was_gone_while_the_call_waited(void **state)
{
    (void)state;
    const struct clock_mono never = {0}, gone = {50 * G_USEC_PER_SEC}, now = {60 * G_USEC_PER_SEC};
    assert_true(online_was_gone(gone, now, 10 * G_USEC_PER_SEC));
    assert_true(online_was_gone(gone, now, INT64_C(3600) * G_USEC_PER_SEC));
    assert_false(online_was_gone(gone, now, 9 * G_USEC_PER_SEC));
    assert_false(
        online_was_gone(gone, now, -INT64_C(3600) * G_USEC_PER_SEC)); // the clock was set back
    assert_false(online_was_gone(never, now, INT64_C(3600) * G_USEC_PER_SEC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_got_no_answer_is_in_doubt),
        cmocka_unit_test(test_doubt_begins_with_the_call_that_failed),
        cmocka_unit_test(test_it_is_asked_at_each_quarter_of_the_time),
        cmocka_unit_test(test_it_was_gone_while_the_call_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// How long a system is left alone, and what its answers ask for.
#include "../../probes/backoff.h"
#include "../../probes/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SECOND G_USEC_PER_SEC
#define MINUTE_MS INT64_C(60000)
#define START (INT64_C(1790000000) * SECOND)

static struct clock_wall at(int64_t seconds)
{
    return (struct clock_wall){START + seconds * SECOND};
}

static void test_spans_double_up_to_the_longest(void **state)
{
    (void)state;
    static const int64_t minutes[] = {15, 30, 60, 120, 240, 240, 240};
    for (int i = 0; i < (int)G_N_ELEMENTS(minutes); i++)
        assert_int_equal(backoff_span_ms(i + 1, 15 * MINUTE_MS, 240 * MINUTE_MS),
                         minutes[i] * MINUTE_MS);
    assert_int_equal(backoff_span_ms(1, 15 * MINUTE_MS, 15 * MINUTE_MS), 15 * MINUTE_MS);
    assert_int_equal(backoff_span_ms(2, 10 * MINUTE_MS, 15 * MINUTE_MS), 15 * MINUTE_MS);
    assert_int_equal(backoff_span_ms(1000000, 1, G_MAXINT64), G_MAXINT64);
}

static struct backoff_refusal refusal(int64_t sent_s, int64_t now_s)
{
    return (struct backoff_refusal){
        .now = at(now_s),
        .sent = at(sent_s),
        .after_ms = 15 * MINUTE_MS,
        .up_to_ms = 240 * MINUTE_MS,
        .flow = "orders",
        .confirming = 1,
        .why = "status 401 (auth) at \"read\"",
        .digest = "d",
    };
}

static void refuse(struct backoff *state, int64_t sent_s, int64_t now_s)
{
    const struct backoff_refusal what = refusal(sent_s, now_s);
    backoff_refuse(state, &what);
}

static void test_what_was_on_its_way_counts_once(void **unused)
{
    (void)unused;
    g_autoptr(backoff_t) state = backoff_new();
    refuse(state, 0, 1);
    assert_int_equal(state->level, 1);
    assert_int_equal(state->allowed, 1);
    assert_int_equal(state->until.us, at(901).us);
    refuse(state, 0, 2);      // sent before the first refusal came
    refuse(state, 21, 22);    // the confirming run, let through
    refuse(state, 1, 100);    // at the very moment
    refuse(state, 0, 100000); // answered ages later
    assert_int_equal(state->level, 1);
    assert_int_equal(state->until.us, at(901).us);
    refuse(state, 901, 902); // the run that tries when it is over
    assert_int_equal(state->level, 2);
    assert_int_equal(state->allowed, 0);
    assert_int_equal(state->until.us, at(902 + 1800).us);
}

static void test_it_holds_until_its_end(void **unused)
{
    (void)unused;
    g_autoptr(backoff_t) state = backoff_new();
    assert_false(backoff_holds(state, at(0)));
    refuse(state, 0, 1);
    assert_true(backoff_holds(state, at(1)));
    assert_true(backoff_holds(state, at(900)));
    assert_false(backoff_holds(state, at(901)));
    assert_true(backoff_holds(state, at(0)));
    assert_false(backoff_holds(state, at(-86400))); // the clock was set back by a day
}

static void test_what_the_answer_asks_for(void **unused)
{
    (void)unused;
    g_autoptr(backoff_t) state = backoff_new();
    struct backoff_refusal what = refusal(0, 1);
    what.after_ms = 0;
    what.retry_after_ms = 120000;
    backoff_refuse(state, &what);
    assert_int_equal(state->level, 0);
    assert_int_equal(state->allowed, 0); // so short a wait is kept to
    assert_int_equal(state->until.us, at(121).us);
    what.now = at(2); // one that was on its way asks for more, and one for less
    what.retry_after_ms = 240000;
    backoff_refuse(state, &what);
    assert_int_equal(state->until.us, at(242).us);
    what.retry_after_ms = 1000;
    backoff_refuse(state, &what);
    assert_int_equal(state->until.us, at(242).us);
    what = refusal(300, 301); // then a limit with `backoff`: the longer of both
    what.retry_after_ms = 60 * MINUTE_MS;
    backoff_refuse(state, &what);
    assert_int_equal(state->level, 1);
    assert_int_equal(state->until.us, at(301 + 3600).us);
}

static void test_a_long_wait_is_confirmed(void **unused)
{
    (void)unused;
    g_autoptr(backoff_t) state = backoff_new();
    struct backoff_refusal what = refusal(0, 1);
    what.after_ms = 0;
    what.retry_after_ms = BACKOFF_STRICT_MS + 1;
    backoff_refuse(state, &what);
    assert_int_equal(state->allowed, 1);
    what = refusal(1000, 1001);
    what.flow = NULL; // an undo confirms nothing
    g_autoptr(backoff_t) other = backoff_new();
    backoff_refuse(other, &what);
    assert_int_equal(other->allowed, 0);
}

static void test_copies(void **unused)
{
    (void)unused;
    g_autoptr(backoff_t) state = backoff_new();
    refuse(state, 0, 1);
    g_autoptr(backoff_t) copy = backoff_copy(state);
    assert_true(backoff_equals(state, copy));
    copy->allowed--;
    assert_false(backoff_equals(state, copy));
}

struct header {
    const char *name, *value;
};

static int64_t asked_ms(int status, enum verdict_cause cause, const struct header *headers)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    for (; headers->name; headers++)
        transfer_headers_add(response->headers, headers->name, headers->value);
    int64_t asked = retry_after_ms(response, cause, at(0));
    transfer_response_free(response);
    return asked;
}

static int64_t asked_s(int status, const char *name, const char *value)
{
    const struct header headers[] = {{name, value}, {NULL, NULL}};
    return asked_ms(status, VERDICT_CAUSE_UNAVAILABLE, headers) / 1000;
}

static void test_retry_after(void **state)
{
    (void)state;
    assert_int_equal(asked_s(429, "Retry-After", "120"), 120);
    assert_int_equal(asked_s(503, "retry-after", " 5 "), 5);
    assert_int_equal(asked_s(503, "Retry-After", "0"), 0);
    assert_int_equal(asked_s(503, "Retry-After", "100000"), 86400);
    assert_int_equal(asked_s(503, "Retry-After", "99999999999999999999999"), 86400);
    static const char *const none[] = {"", "-5", "1.5", "soon", "5 minutes", "\xff"};
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        assert_int_equal(asked_s(503, "Retry-After", none[i]), 0);
    static const int others[] = {200, 202, 301, 401, 403, 500, 504};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        assert_int_equal(asked_s(others[i], "Retry-After", "120"), 0);
}

// START is Mon, 21 Sep 2026 14:13:20 GMT.
static void test_dates(void **state)
{
    (void)state;
    assert_int_equal(asked_s(503, "Retry-After", "Mon, 21 Sep 2026 14:14:20 GMT"), 60);
    assert_int_equal(asked_s(503, "Retry-After", "Monday, 21-Sep-26 14:14:20 GMT"), 60);
    assert_int_equal(asked_s(503, "Retry-After", "Mon Sep 21 14:14:20 2026"), 60);
    assert_int_equal(asked_s(503, "Retry-After", "Mon, 21 Sep 2026 14:00:00 GMT"), 0);
    assert_int_equal(asked_s(503, "Retry-After", "Mon, 21 Sep 2099 14:00:00 GMT"), 86400);
    // a server whose clock is an hour behind
    const struct header behind[] = {{"Date", "Mon, 21 Sep 2026 13:13:20 GMT"},
                                    {"Retry-After", "Mon, 21 Sep 2026 13:14:20 GMT"},
                                    {NULL, NULL}};
    assert_int_equal(asked_ms(503, VERDICT_CAUSE_NONE, behind), 60000);
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(asked_s(429, "RateLimit-Reset", "30"), 30);
    assert_int_equal(asked_s(429, "X-RateLimit-Reset", "1790000090"), 90);
    assert_int_equal(asked_s(429, "X-RateLimit-Reset", "1790000090500"), 91);
    assert_int_equal(asked_s(429, "X-RateLimit-Reset", "1780000000"), 0);
    assert_int_equal(asked_s(503, "X-RateLimit-Reset", "30"), 0);
    const struct header day_is_left[] = {{"X-RateLimit-Reset", "1790080000000"},
                                         {"X-RateLimit-Remaining", "4000"},
                                         {"X-RateLimit-Minutely-Reset", "1790000042000"},
                                         {"X-RateLimit-Minutely-Remaining", "0"},
                                         {NULL, NULL}};
    assert_int_equal(asked_ms(429, VERDICT_CAUSE_RATE_LIMIT, day_is_left), 42000);
    const struct header both[] = {
        {"X-RateLimit-Reset", "3000"}, {"Retry-After", "7"}, {NULL, NULL}};
    assert_int_equal(asked_ms(429, VERDICT_CAUSE_NONE, both), 7000);
    // NetSuite's RESTlets say it with a 400
    assert_int_equal(asked_ms(400, VERDICT_CAUSE_RATE_LIMIT, both), 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_double_up_to_the_longest),
        cmocka_unit_test(test_what_was_on_its_way_counts_once),
        cmocka_unit_test(test_it_holds_until_its_end),
        cmocka_unit_test(test_what_the_answer_asks_for),
        cmocka_unit_test(test_a_long_wait_is_confirmed),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

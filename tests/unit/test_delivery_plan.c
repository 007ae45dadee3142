// SPDX-License-Identifier: MIT
// The arithmetic and the tables of sending again (failure-semantics 23, 24).
#include "../../alerts/delivery_plan.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

#define MINUTES(n) ((int64_t)(n)*60 * G_USEC_PER_SEC)

static struct delivery_reply reply_of(enum delivery_stage stage, int code)
{
    struct delivery_reply reply = {0};
    delivery_reply_set(&reply, stage, code, "text");
    return reply;
}

static void intervals_grow_to_an_hour(void **state)
{
    (void)state;
    const int minutes[] = {1, 2, 5, 10, 30, 60, 60, 60};
    for (int i = 0; i < (int)G_N_ELEMENTS(minutes); i++)
        assert_int_equal(delivery_plan_interval_us(i + 1), MINUTES(minutes[i]));
    assert_int_equal(delivery_plan_interval_us(119), MINUTES(60));
    assert_int_equal(delivery_plan_interval_us(0), MINUTES(1));
}

struct fate_case {
    enum delivery_stage stage;
    int code;
    enum delivery_fate first, lighter;
};

static const struct fate_case fate_cases[] = {
    {DELIVERY_STAGE_CONNECT, 0, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_GREETING, 554, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_TLS, 0, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_AUTH, 535, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_MAIL, 550, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_MAIL, 452, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_MAIL, 552, DELIVERY_LIGHTER, DELIVERY_AGAIN},
    {DELIVERY_STAGE_RCPT, 450, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_RCPT, 550, DELIVERY_GIVEN_UP, DELIVERY_GIVEN_UP},
    {DELIVERY_STAGE_RCPT, 250, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_DATA, 451, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_DATA, 554, DELIVERY_LIGHTER, DELIVERY_GIVEN_UP},
    {DELIVERY_STAGE_DATA, 0, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_DOT, 451, DELIVERY_AGAIN, DELIVERY_AGAIN},
    {DELIVERY_STAGE_DOT, 554, DELIVERY_LIGHTER, DELIVERY_GIVEN_UP},
    {DELIVERY_STAGE_DOT, 250, DELIVERY_AGAIN, DELIVERY_AGAIN}, // not by all three parts
    {DELIVERY_STAGE_DOT, 0, DELIVERY_AGAIN, DELIVERY_AGAIN},
};

static void an_answer_decides_by_its_stage_and_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fate_cases); i++) {
        const struct fate_case *c = &fate_cases[i];
        struct delivery_reply reply = reply_of(c->stage, c->code);
        assert_int_equal(delivery_plan_fate(&reply, false, 1), c->first);
        assert_int_equal(delivery_plan_fate(&reply, true, 1), c->lighter);
    }
}

static void only_all_three_parts_are_acceptance(void **state)
{
    (void)state;
    struct delivery_reply reply = reply_of(DELIVERY_STAGE_DOT, 250);
    reply.accepted = true;
    assert_int_equal(delivery_plan_fate(&reply, false, 1), DELIVERY_ACCEPTED);
    assert_int_equal(delivery_plan_fate(&reply, false, 500), DELIVERY_ACCEPTED);
}

static void the_hundred_and_twentieth_attempt_is_the_last(void **state)
{
    (void)state;
    struct delivery_reply reply = reply_of(DELIVERY_STAGE_RCPT, 450);
    assert_int_equal(delivery_plan_fate(&reply, false, 119), DELIVERY_AGAIN);
    assert_int_equal(delivery_plan_fate(&reply, false, 120), DELIVERY_GIVEN_UP);
}

static void connect_greeting_and_auth_concern_the_server(void **state)
{
    (void)state;
    for (enum delivery_stage stage = DELIVERY_STAGE_NONE; stage <= DELIVERY_STAGE_DOT; stage++) {
        struct delivery_reply reply = reply_of(stage, 421);
        bool wide = stage >= DELIVERY_STAGE_CONNECT && stage <= DELIVERY_STAGE_AUTH;
        assert_int_equal(delivery_plan_is_server_wide(&reply), wide);
    }
}

static void a_clock_set_back_makes_due(void **state)
{
    (void)state;
    struct clock_wall now = {MINUTES(1000)};
    assert_true(delivery_plan_is_due((struct clock_wall){now.us}, MINUTES(5), now));
    assert_false(delivery_plan_is_due((struct clock_wall){now.us + 1}, MINUTES(5), now));
    assert_false(delivery_plan_is_due((struct clock_wall){now.us + MINUTES(5)}, MINUTES(5), now));
    assert_true(
        delivery_plan_is_due((struct clock_wall){now.us + MINUTES(5) + 1}, MINUTES(5), now));
}

static void addresses_are_checked(void **state)
{
    (void)state;
    const char *good[] = {"a@b", "first.last+tag@shop.example", "\"a@b\"@c.example"};
    const char *bad[] = {"",
                         "a",
                         "@b",
                         "a@",
                         "a@b>\r\nRCPT TO:<x@y",
                         "a b@c",
                         "a@b\n",
                         "<a@b>",
                         "j\xc3\xb6rg@b",
                         "a@b\x7f",
                         "-a@b"};
    g_autofree char *longest = g_strnfill(254, 'a');
    g_autofree char *too_long = g_strnfill(255, 'a');
    longest[10] = too_long[10] = '@';
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(delivery_address_is_safe(good[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(delivery_address_is_safe(bad[i]));
    assert_true(delivery_address_is_safe(longest));
    assert_false(delivery_address_is_safe(too_long));
}

static void a_reply_is_one_line_of_valid_text(void **state)
{
    (void)state;
    struct delivery_reply reply = {0};
    char line[64];
    delivery_reply_set(&reply, DELIVERY_STAGE_RCPT, 550, "5.1.1 no\r\nsuch \xff user\r\n");
    delivery_reply_format(&reply, line, sizeof line);
    assert_string_equal(line, "RCPT: 550 5.1.1 no  such \xef\xbf\xbd user");
    g_autofree char *many = g_strnfill(2000, 'x');
    memcpy(many + sizeof reply.text - 2, "\xc3\xa9", 2); // would be cut in two
    delivery_reply_set(&reply, DELIVERY_STAGE_DOT, 0, many);
    assert_int_equal(strlen(reply.text), sizeof reply.text - 2);
    assert_true(g_utf8_validate(reply.text, -1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_grow_to_an_hour),
        cmocka_unit_test(an_answer_decides_by_its_stage_and_code),
        cmocka_unit_test(only_all_three_parts_are_acceptance),
        cmocka_unit_test(the_hundred_and_twentieth_attempt_is_the_last),
        cmocka_unit_test(connect_greeting_and_auth_concern_the_server),
        cmocka_unit_test(a_clock_set_back_makes_due),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(a_reply_is_one_line_of_valid_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

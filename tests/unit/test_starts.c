// SPDX-License-Identifier: MIT
// starts: what became of each start of a flow, whatever is done to clock, zone
// and schedule.
#include "../../monitor/starts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char id[] = "orders", nightly[] = "30 2 * * *", half_hours[] = "*/30 * * * *";

static const struct config_flow by_night = {.id = id, .cron = nightly};
static const struct config_flow often = {.id = id, .cron = half_hours};

static struct starts_rule rule(const struct config_flow *flow, const char *zone)
{
    return (struct starts_rule){flow, zone};
}

static struct clock_wall time_of(const char *text)
{
    struct clock_wall time = clock_wall_parse(text);
    assert_true(time.us > 0);
    return time;
}

static void assert_due(const struct starts *starts, const char *time)
{
    g_autofree char *due = clock_wall_format(starts->due);
    assert_string_equal(due, time);
}

static struct starts begun(const struct starts_rule *in_force, const char *now)
{
    struct starts starts;
    starts_init(&starts, time_of(now));
    assert_int_equal(starts_plan(&starts, in_force, time_of(now)), 0);
    return starts;
}

// A run from `from` to `until`; how many starts it left no time for.
static int run(struct starts *starts, const struct starts_rule *in_force, const char *from,
               const char *until)
{
    starts_begin(starts, time_of(from));
    return starts_plan(starts, in_force, time_of(until));
}

static void test_long_runs_leave_starts_behind(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&often, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T09:10:00Z");
    assert_due(&starts, "2027-06-09T09:30:00.000Z");
    assert_int_equal(run(&starts, &utc, "2027-06-09T09:30:00.010Z", "2027-06-09T09:30:01Z"), 0);
    assert_due(&starts, "2027-06-09T10:00:00.000Z");
    assert_int_equal(run(&starts, &utc, "2027-06-09T10:00:00Z", "2027-06-09T11:30:00Z"), 3);
    assert_due(&starts, "2027-06-09T12:00:00.000Z");
}

static void test_a_confirming_run_comes_between(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&often, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T09:10:00Z");
    assert_int_equal(run(&starts, &utc, "2027-06-09T09:30:00Z", "2027-06-09T09:30:01Z"), 0);
    starts_confirm(&starts, time_of("2027-06-09T10:00:00Z"), 1);
    assert_int_equal(starts.attempt, 0); // the scheduled start serves as it
    starts_confirm(&starts, time_of("2027-06-09T09:30:21Z"), 1);
    assert_int_equal(starts.attempt, 1);
    assert_due(&starts, "2027-06-09T09:30:21.000Z");
    assert_int_equal(run(&starts, &utc, "2027-06-09T09:30:21Z", "2027-06-09T09:30:22Z"), 0);
    assert_due(&starts, "2027-06-09T10:00:00.000Z");
}

static void test_asleep(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&often, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T09:10:00Z");
    struct starts_jump jump = {0, time_of("2027-06-09T09:20:00Z"), time_of("2027-06-09T11:10:00Z")};
    int missed;
    int64_t next_us;
    assert_true(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 3); // of 9:30, 10:00, 10:30 and 11:00 one is made up for
    assert_int_equal(next_us, INT64_C(20) * 60 * G_USEC_PER_SEC);
    assert_due(&starts, "2027-06-09T11:10:00.000Z");
    // asleep again before that one could run: it still does
    jump.now = time_of("2027-06-09T11:20:00Z");
    assert_true(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 0);
    jump.now = time_of("2027-06-09T12:10:00Z");
    assert_true(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 2);
    assert_int_equal(run(&starts, &utc, "2027-06-09T12:10:30Z", "2027-06-09T12:10:31Z"), 0);
    assert_due(&starts, "2027-06-09T12:30:00.000Z");
    jump.now = time_of("2027-06-09T12:20:00Z");
    assert_false(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 0);
}

static struct starts_jump set_back(int hours, const char *now)
{
    struct clock_wall time = time_of(now);
    return (struct starts_jump){
        -(int64_t)hours * 3600 * G_USEC_PER_SEC, {time.us - G_USEC_PER_SEC}, time};
}

static void test_set_back(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&often, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T09:10:00Z");
    int missed;
    int64_t next_us;
    run(&starts, &utc, "2027-06-09T09:30:00Z", "2027-06-09T09:30:01Z");
    struct starts_jump jump = set_back(1, "2027-06-09T09:10:00Z");
    assert_false(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 0);
    assert_due(&starts, "2027-06-09T09:30:00.000Z");
    starts_begin(&starts, time_of("2027-06-09T09:30:00.010Z"));
    assert_due(&starts, "2027-06-09T09:30:00.010Z"); // another run than the first of half past nine
    assert_int_equal(starts_plan(&starts, &utc, time_of("2027-06-09T09:30:01Z")), 0);
    assert_due(&starts, "2027-06-09T10:00:00.000Z");
    // between the clock's setting and the agent's looking at it a start came due
    jump = set_back(1, "2027-06-09T09:00:00.500Z");
    assert_true(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_int_equal(missed, 0);
}

static void test_fixed_hours_once(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&by_night, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T01:00:00Z");
    int missed;
    int64_t next_us;
    run(&starts, &utc, "2027-06-09T02:30:00Z", "2027-06-09T02:30:01Z");
    struct starts_jump jump = set_back(1, "2027-06-09T02:00:00Z");
    assert_false(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_due(&starts, "2027-06-10T02:30:00.000Z");
    jump = set_back(4, "2027-06-08T22:00:00Z");
    assert_false(starts_jump(&starts, &utc, &jump, &next_us, &missed));
    assert_due(&starts, "2027-06-09T02:30:00.000Z"); // it was wrong before
}

static void test_set_back_while_down(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&by_night, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T02:00:00Z");
    starts_remember(&starts, time_of("2027-06-09T02:30:00.007Z"), G_USEC_PER_SEC);
    starts_plan(&starts, &utc, time_of("2027-06-09T02:00:01Z"));
    assert_due(&starts, "2027-06-10T02:30:00.000Z");
    starts = begun(&utc, "2027-06-09T02:00:00Z");
    starts_remember(&starts, time_of("2027-06-09T02:30:00.007Z"),
                    INT64_C(4) * 3600 * G_USEC_PER_SEC);
    starts_plan(&starts, &utc, time_of("2027-06-09T02:00:01Z"));
    assert_due(&starts, "2027-06-09T02:30:00.000Z");
    starts_begin(&starts, time_of("2027-06-09T02:30:00.003Z"));
    assert_due(&starts, "2027-06-09T02:30:00.003Z");
}

static void test_another_zone(void **state)
{
    (void)state;
    struct starts_rule brussels = rule(&by_night, "Europe/Brussels");
    struct starts_rule lisbon = rule(&by_night, "Europe/Lisbon");
    struct starts starts = begun(&brussels, "2027-06-09T00:00:00Z");
    run(&starts, &brussels, "2027-06-09T00:30:00Z", "2027-06-09T00:30:01Z");
    struct clock_wall now = time_of("2027-06-09T01:00:00Z"); // 2:00 in Lisbon
    assert_int_equal(starts_change(&starts, &brussels, &lisbon, now, false), 0);
    assert_due(&starts, "2027-06-10T01:30:00.000Z");
    assert_int_equal(starts_change(&starts, &lisbon, &brussels, now, false), 0);
    assert_due(&starts, "2027-06-10T00:30:00.000Z");
}

static void test_a_reload_drops_nothing(void **state)
{
    (void)state;
    struct starts_rule utc = rule(&often, "UTC"), night = rule(&by_night, "UTC");
    struct starts starts = begun(&utc, "2027-06-09T09:10:00Z");
    struct clock_wall now = time_of("2027-06-09T09:30:00.100Z"); // held back
    starts_change(&starts, &utc, &night, now, false);
    assert_due(&starts, "2027-06-09T09:30:00.000Z");
    starts_begin(&starts, now);
    now = time_of("2027-06-09T10:10:00Z"); // in flight
    assert_int_equal(starts_change(&starts, &utc, &night, now, true), 1);
    assert_int_equal(starts_plan(&starts, &night, time_of("2027-06-09T10:20:00Z")), 0);
    assert_due(&starts, "2027-06-10T02:30:00.000Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_runs_leave_starts_behind),
        cmocka_unit_test(test_a_confirming_run_comes_between),
        cmocka_unit_test(test_asleep),
        cmocka_unit_test(test_set_back),
        cmocka_unit_test(test_fixed_hours_once),
        cmocka_unit_test(test_set_back_while_down),
        cmocka_unit_test(test_another_zone),
        cmocka_unit_test(test_a_reload_drops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

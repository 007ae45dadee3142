// SPDX-License-Identifier: MIT
// Who may call a system that refused us: nobody, then one, then all.
#include "../../probes/flow_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MINUTE_US (INT64_C(60) * G_USEC_PER_SEC)

static char erp[] = "erp", digest[] = "d1", other_digest[] = "d2";
static struct config_system system_erp = {
    .id = erp, .digest = digest, .backoff_after_ms = 900000, .backoff_up_to_ms = 3600000};

// What the keeper was told last.
static struct kept {
    int saved;
    struct backoff *state;
} kept;

static void keep(void *self, const char *system, const struct backoff *state)
{
    assert_ptr_equal(self, &kept);
    assert_string_equal(system, "erp");
    kept.saved++;
    backoff_free(kept.state);
    kept.state = state ? backoff_copy(state) : NULL;
}

static int set_up(void **state)
{
    const struct flow_gate_keeper keeper = {keep, &kept};
    *state = flow_gate_new();
    flow_gate_keep(*state, &keeper);
    kept.saved = 0;
    system_erp.digest = digest;
    return 0;
}

static int tear_down(void **state)
{
    flow_gate_free(*state);
    g_clear_pointer(&kept.state, backoff_free);
    return 0;
}

static struct flow_gate_asker asker(const char *run, const char *flow)
{
    return (struct flow_gate_asker){
        .system = &system_erp, .timezone = "UTC", .run = run, .flow = flow};
}

// Asked: 1 granted, 0 refused, -1 later.
static void note(bool granted, void *context)
{
    *(int *)context = granted;
}

static int ask(struct flow_gate *gate, const char *run, const char *flow)
{
    const struct flow_gate_asker who = asker(run, flow);
    int leave = -1;
    flow_gate_ask(gate, &who, note, &leave);
    if (leave < 0)
        flow_gate_withdraw(gate, "erp", &leave);
    return leave;
}

static void hear(struct flow_gate *gate, const char *run, const char *flow, int status)
{
    const struct flow_gate_asker who = asker(run, flow);
    const struct flow_gate_answer answer = {
        .asker = &who,
        .sent = clock_wall_now(),
        .taken = status < 400,
        .refused = status == 401 || status == 403,
        .forbidden = status == 403,
        .why = "status 401 (auth) at \"read\"",
        .confirming = 1,
    };
    flow_gate_hear(gate, &answer);
}

// As if the span were over.
static void let_it_pass(struct flow_gate *gate)
{
    g_autoptr(GHashTable) states = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(backoff_t) state = backoff_copy(kept.state);
    int64_t span_us = state->until.us - state->since.us;
    state->until.us = clock_wall_now().us - 1;
    state->since.us = state->until.us - span_us;
    g_hash_table_insert(states, erp, state);
    flow_gate_learn(gate, states);
}

static void test_one_confirms_and_one_tries(void **state)
{
    struct flow_gate *gate = *state;
    assert_int_equal(ask(gate, "r1", "orders"), 1);
    hear(gate, "r1", "orders", 401);
    flow_gate_end_run(gate, "r1");
    assert_int_equal(ask(gate, "r2", "stock"), 0);
    assert_int_equal(ask(gate, "r3", NULL), 0);
    assert_int_equal(ask(gate, "r4", "orders"), 1); // confirms
    assert_int_equal(kept.state->allowed, 0);
    assert_int_equal(ask(gate, "r4", "orders"), 1); // its next call
    assert_int_equal(ask(gate, "r5", "orders"), 0);
    hear(gate, "r4", "orders", 401);
    flow_gate_end_run(gate, "r4");
    assert_int_equal(ask(gate, "r6", "orders"), 0);
    let_it_pass(gate);
    assert_int_equal(ask(gate, "r7", "stock"), 1); // tries
    assert_int_equal(ask(gate, "r8", "orders"), -1);
    hear(gate, "r7", "stock", 401);
    assert_int_equal(ask(gate, "r8", "orders"), 0);
    assert_int_equal(kept.state->level, 2);
}

static void test_who_waits_learns_what_became_of_it(void **state)
{
    struct flow_gate *gate = *state;
    const struct flow_gate_asker second = asker("r2", "b"), third = asker("r3", "c");
    int of_second = -1, of_third = -1;
    hear(gate, "r0", "a", 401);
    let_it_pass(gate);
    assert_int_equal(ask(gate, "r1", "a"), 1);
    flow_gate_ask(gate, &second, note, &of_second);
    flow_gate_ask(gate, &third, note, &of_third);
    assert_int_equal(of_second, -1);
    flow_gate_end_run(gate, "r1"); // without an answer: the next one tries
    assert_int_equal(of_second, 1);
    assert_int_equal(of_third, -1);
    hear(gate, "r2", "b", 200);
    assert_int_equal(of_third, 1);
    assert_non_null(kept.state); // it may still be refused later on
    flow_gate_end_run(gate, "r2");
    assert_null(kept.state);
    assert_int_equal(ask(gate, "r4", "d"), 1);
}

static void test_a_run_that_fails_later_on_was_no_success(void **state)
{
    struct flow_gate *gate = *state;
    hear(gate, "r0", "a", 403);
    flow_gate_end_run(gate, "r0");
    let_it_pass(gate);
    assert_int_equal(ask(gate, "r1", "a"), 1);
    hear(gate, "r1", "a", 200);
    assert_int_equal(ask(gate, "r2", "b"), 1);
    hear(gate, "r1", "a", 403);
    assert_int_equal(kept.state->level, 2);
    assert_int_equal(ask(gate, "r1", NULL), 1); // it may undo
    hear(gate, "r1", NULL, 204);
    flow_gate_end_run(gate, "r1");
    assert_int_equal(ask(gate, "r1", NULL), 0);
    assert_int_equal(kept.state->level, 2);
}

static void test_a_changed_configuration_is_another_system(void **state)
{
    struct flow_gate *gate = *state;
    hear(gate, "r0", "a", 401);
    assert_int_equal(ask(gate, "r1", "b"), 0);
    system_erp.digest = other_digest;
    assert_int_equal(ask(gate, "r1", "b"), 1);
    hear(gate, "r1", "b", 401);
    assert_int_equal(kept.state->level, 1);
    assert_string_equal(kept.state->digest, "d2");
    assert_int_equal(ask(gate, "r2", "a"), 0);
}

static void test_the_sentence(void **state)
{
    struct flow_gate *gate = *state;
    const struct flow_gate_asker who = asker("r1", "b");
    struct clock_wall until = {0};
    assert_null(flow_gate_refusal(gate, &who, &until));
    hear(gate, "r0", "a", 401);
    g_autofree char *text = flow_gate_refusal(gate, &who, &until);
    assert_true(g_str_has_prefix(text, "erp is left alone until 20"));
    assert_non_null(strstr(text, "after status 401 (auth) at \"read\": nothing was sent"));
    assert_true(until.us - clock_wall_now().us > 14 * MINUTE_US);
    flow_gate_open(gate);
    assert_null(flow_gate_refusal(gate, &who, NULL));
    assert_int_equal(ask(gate, "r1", "b"), 1);
}

static void test_what_another_process_kept(void **state)
{
    struct flow_gate *gate = *state;
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) states = g_hash_table_new(g_str_hash, g_str_equal);
    hear(gate, "r0", "a", 401);
    g_autoptr(backoff_t) known = backoff_copy(kept.state);
    flow_gate_learn(gate, none);
    assert_int_equal(ask(gate, "r1", "b"), 1);
    g_hash_table_insert(states, erp, known);
    flow_gate_learn(gate, states);
    assert_int_equal(ask(gate, "r1", "b"), 0);
    flow_gate_learn(gate, states); // nothing new
    assert_int_equal(ask(gate, "r1", "b"), 0);
    assert_int_equal(kept.saved, 1); // what was learnt is not written again
}

static void test_waiting_is_ended_by_what_is_learnt(void **state)
{
    struct flow_gate *gate = *state;
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);
    const struct flow_gate_asker second = asker("r2", "b");
    int leave = -1;
    hear(gate, "r0", "a", 401);
    let_it_pass(gate);
    assert_int_equal(ask(gate, "r1", "a"), 1);
    flow_gate_ask(gate, &second, note, &leave);
    assert_int_equal(leave, -1);
    flow_gate_learn(gate, none);
    assert_int_equal(leave, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_confirms_and_one_tries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_waits_learns_what_became_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_run_that_fails_later_on_was_no_success, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_changed_configuration_is_another_system, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_sentence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_another_process_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_is_ended_by_what_is_learnt, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

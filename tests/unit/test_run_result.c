// SPDX-License-Identifier: MIT
// Which failures are one cause: scope and fingerprint of a failed run.
#include "../../probes/run_result.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

struct failure {
    const char *flow, *step, *url;
    bool login;
    enum verdict_class class;
    enum verdict_phase phase;
    enum verdict_cause cause;
};

#define ERP "http://erp.example:8080"

static struct step_result *step_of(const struct failure *failure)
{
    struct step_result *step = step_result_new(failure->step, "erp");
    step->state = VERDICT_FAILED;
    step->login = failure->login;
    step->verdict = verdict_new();
    step->verdict->class = failure->class;
    step->verdict->phase = failure->phase;
    step->verdict->cause = failure->cause;
    struct transfer_request *request = transfer_request_new("POST", failure->url);
    g_ptr_array_add(step->exchanges, exchange_new(request, (struct clock_wall){1}));
    return step;
}

static void assert_cause(const struct failure *failure, const char *scope, char **fingerprint)
{
    g_autoptr(run_result_t) result = run_result_new("R", failure->flow, "erp");
    g_ptr_array_add(result->steps, step_of(failure));
    run_result_conclude(result);
    assert_int_equal(result->state, VERDICT_FAILED);
    assert_string_equal(result->scope, scope);
    *fingerprint = g_strdup(result->fingerprint);
}

static void test_a_host_is_one_cause_for_login_and_call(void **state)
{
    (void)state;
    const struct failure login = {"orders",
                                  "log in",
                                  ERP "/login",
                                  true,
                                  VERDICT_CLASS_UNREACHABLE,
                                  VERDICT_PHASE_CONNECT,
                                  VERDICT_CAUSE_NETWORK};
    const struct failure call = {"quotes",
                                 "create",
                                 ERP "/quotes",
                                 false,
                                 VERDICT_CLASS_TIMEOUT,
                                 VERDICT_PHASE_CONNECT,
                                 VERDICT_CAUSE_UNKNOWN};
    g_autofree char *of_login = NULL, *of_call = NULL;
    assert_cause(&login, "erp.example:8080", &of_login);
    assert_cause(&call, "erp.example:8080", &of_call);
    assert_string_equal(of_login, of_call);
}

static void test_a_refused_login_is_one_cause_for_all_flows(void **state)
{
    (void)state;
    struct failure login = {
        "orders",           "log in",          ERP "/login", true, VERDICT_CLASS_ERROR_CODE,
        VERDICT_PHASE_NONE, VERDICT_CAUSE_AUTH};
    g_autofree char *of_orders = NULL, *of_quotes = NULL, *of_step = NULL;
    assert_cause(&login, "login", &of_orders);
    login.flow = "quotes";
    assert_cause(&login, "login", &of_quotes);
    assert_string_equal(of_orders, of_quotes);
    login.login = false;
    assert_cause(&login, "quotes/log in", &of_step);
    assert_string_not_equal(of_quotes, of_step);
}

static void test_what_is_settled_leaves_nothing_to_be_removed(void **state)
{
    (void)state;
    static const char *const open[] = {"owed", "uncertain", "orphaned", "given_up", NULL};
    assert_true(undo_state_is_settled("paid"));
    assert_true(undo_state_is_settled("void"));
    for (size_t i = 0; i < G_N_ELEMENTS(open); i++)
        assert_false(undo_state_is_settled(open[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_host_is_one_cause_for_login_and_call),
        cmocka_unit_test(test_a_refused_login_is_one_cause_for_all_flows),
        cmocka_unit_test(test_what_is_settled_leaves_nothing_to_be_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Which requests a pack's rules refuse, in whatever spelling they come. How the readers find
// them as they are written: tests/config/bad/pack-never.yaml.
#include "../../config/never.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static GPtrArray *make_rules(void)
{
    GPtrArray *rules = never_rules_new();

    never_rules_add(rules, "POST */orders", NULL, "an order stays");
    never_rules_add(rules, "PUT /carts/*/order", NULL, "an order stays, too");
    never_rules_add(rules, "*run_method=submit*", NULL, "it submits");
    never_rules_add(rules, NULL, "\"docstatus\":1", "it is submitted");
    never_rules_add(rules, "POST */call", "action_post", "it posts");
    never_rules_add(rules, "POST */wcf", "post shipment", "it ships");
    never_rules_add(rules, NULL, NULL, "this refuses nothing");
    return rules;
}

static const struct {
    const char *method, *path, *body;
    bool refused;
} requests[] = {
    {"POST", "/V1/orders", NULL, true},
    {"POST", "/orders?x=1", NULL, true},
    {"POST", "/V1/ORDERS/", NULL, true},
    {"POST", "/V1/%6frders", NULL, true},
    {"POST", "/V1/x/..//orders", NULL, true},
    {"GET", "/V1/orders", NULL, false},
    {"POST", "/V1/orders/7", NULL, false},
    {"PUT", "/rest/V1/carts/7/order", NULL, true},
    {"PUT", "/carts/7/order", NULL, true},
    {"PUT", "/rest/V1/carts/7/orders", NULL, false},
    {"GET", "/x?run_method=submit", NULL, true},
    {"GET", "/x?run_method=%73ubmit&y=1", NULL, true},
    {"GET", "/x?method=submit", NULL, false},
    {"PUT", "/x", "{\"docstatus\":1}", true},
    {"PUT", "/x", "{\"docstatus\" :\n 1}", true},
    {"PUT", "/x", "{\"docstatus\":0}", false},
    {"POST", "/call", "method=action%5Fpost", true},
    {"POST", "/call", "100% action_post", true},
    {"POST", "/call", NULL, false},
    {"POST", "/wcf", "do=post+shipment", true},
    {"POST", "/wcf", "do=post%20shipment", true},
    {"POST", "/wcf", "do=post%2Bshipment", false},
    {"POST", "/other", "action_post", false},
};

static void test_requests(void **state)
{
    g_autoptr(GPtrArray) rules = make_rules();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        const struct never_request request = {
            requests[i].method, requests[i].path, requests[i].body,
            requests[i].body != NULL ? strlen(requests[i].body) : 0};
        const struct never_rule *rule = never_find(rules, &request);

        if ((rule != NULL) != requests[i].refused)
            fail_msg("%s %s %s", requests[i].method, requests[i].path, requests[i].body);
    }
    const struct never_request request = {"POST", "/orders", NULL, 0};

    assert_string_equal(never_find(rules, &request)->says, "an order stays");
    assert_null(never_find(NULL, &request));
}

// A body may hold anything.
static void test_bytes(void **state)
{
    static const char body[] = "a\0\xff{\"docstatus\":1}";
    g_autoptr(GPtrArray) rules = make_rules();
    const struct never_request request = {"PUT", "/x", body, sizeof body - 1};

    (void)state;
    assert_non_null(never_find(rules, &request));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

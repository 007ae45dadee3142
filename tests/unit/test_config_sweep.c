// SPDX-License-Identifier: MIT
// What a good sweep becomes: defaults, namespaces, pages, and the marks that its
// `only` may name in other words. Bad ones: tests/config/bad/sweep-*.yaml.
#include "../../config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "contacts: {ops: {email: o@b.example}, it: {email: i@b.example}}\n"                            \
    "systems: {erp: {url: https://erp.example/api, with: {company: c1}, act: {integrator: "        \
    "ops}}}\n"
#define SWEEP                                                                                      \
    "sweeps:\n  left:\n    system: erp\n    at: {json: $.changed}\n    items: '$.value[*]'\n"      \
    "    capture: {order: {json: $.id}}\n    undo: {delete: '/{{company}}/orders/{{order}}'}\n"
#define ONLY "    only: {json: {$.ref: {matches: '^ERPW-'}}}\n"

static struct config *load(const char *text)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    struct config *config = config_load_text("sweep.yaml", text, strlen(text), problems);

    for (unsigned i = 0; i < problems->len; i++) {
        g_autofree char *line = config_problem_format(problems->pdata[i]);

        print_error("%s\n", line);
    }
    assert_int_equal(problems->len, 0);
    return config;
}

static const struct config_sweep *sweep_of(const struct config *config, const char *id)
{
    const struct config_sweep *sweep = config_find_sweep(config, id);

    assert_non_null(sweep);
    return sweep;
}

static void test_defaults(void **state)
{
    g_autoptr(config_t) config = load(HEAD SWEEP ONLY "    get: /orders\n");
    const struct config_sweep *sweep = sweep_of(config, "left");

    (void)state;
    assert_string_equal(sweep->system->id, "erp");
    assert_int_equal(sweep->every_ms, 0);
    assert_null(sweep->cron);
    assert_int_equal(sweep->older_ms, 30 * 60 * 1000);
    assert_int_equal(sweep->at_most, 20);
    assert_int_equal(sweep->notify->len, 0);
    assert_null(sweep->off);
    assert_null(sweep->zone);
    assert_null(sweep->pages.next);
    assert_int_equal(sweep->pages.page_step, 0);
    assert_string_equal(sweep->call->method, "GET");
    assert_int_equal(sweep->call->captures->len, 0); // they are of the items
    assert_int_equal(sweep->captures->len, 1);
    assert_int_equal(sweep->only->len, 1);
    assert_int_equal(sweep->undo->calls->len, 1);
    assert_non_null(sweep->undo->source);
    assert_null(config_find_sweep(config, "other"));
}

static void test_filled_in(void **state)
{
    g_autoptr(config_t) config = load(
        "namespace: acme\n" HEAD
        "defaults: {sweep: {system: erp, every: 2h, older: 1h, at_most: 5, notify: [integrator, "
        "it]}}\n"
        "sweeps:\n  left:\n    off: not now\n    cron: '5 3 * * *'\n    post: /search\n"
        "    json: {from: '{{page}}'}\n    pages: {offset: 1, step: 50}\n"
        "    items: {json: '$.hits[*]'}\n    only: {json: {$.ref: {any: {contains: 'erpw-'}}}}\n"
        "    at: {json: $.at, zone: Europe/Brussels}\n    capture: {id: {json: $.id}}\n"
        "    set: {key: 'k{{id}}'}\n"
        "    undo: [{post: /cancel, json: ['{{id}}']}, {delete: '/x/{{key}}'}]\n");
    const struct config_sweep *sweep = sweep_of(config, "acme/left");

    (void)state;
    assert_string_equal(sweep->system->id, "acme/erp");
    assert_int_equal(sweep->every_ms, 0); // the nearest way of the two counts
    assert_string_equal(sweep->cron, "5 3 * * *");
    assert_int_equal(sweep->older_ms, 60 * 60 * 1000);
    assert_int_equal(sweep->at_most, 5);
    assert_string_equal(sweep->off, "not now");
    assert_string_equal(sweep->notify->pdata[0], "acme/ops");
    assert_string_equal(sweep->notify->pdata[1], "acme/it");
    assert_int_equal(sweep->pages.offset, 1);
    assert_int_equal(sweep->pages.page_step, 50);
    assert_string_equal(sweep->zone, "Europe/Brussels");
    assert_int_equal(sweep->set->len, 1);
    assert_int_equal(sweep->undo->calls->len, 2);
}

static void test_next(void **state)
{
    g_autoptr(config_t) config =
        load(HEAD SWEEP ONLY "    get: /orders\n    headers: {X-Company: '{{company}}'}\n"
                             "    query: {$top: 100}\n    timeout: 3s\n"
                             "    pages: {next: {json: '$[\"@odata.nextLink\"]'}}\n");
    const struct call *next = sweep_of(config, "left")->pages.next_call;

    (void)state;
    assert_non_null(next);
    assert_true(next->whole_url);
    assert_int_equal(next->query->len, 0); // the address has it
    assert_int_equal(next->headers->len, 1);
    assert_int_equal(next->timeout_ms, 3000);
}

static void test_marks(void **state)
{
    static const char *const good[] = {
        "{json: {$.ref: {equals: ERPW-0001}}}",
        "{json: {$.ref: {contains: ERPW-}, $.state: draft}}",
        "{json: {$.ref: {one_of: [ERPW-1, erpw-2]}}}",
        "{json: {$.ref: {matches: '^erpwatch ERPW\\-[0-9A-Z]{12}$'}}}",
        "{json: {$.ref: {matches: '(?i)^erpw-'}}}",
        "{json: {'$.tags[*]': {any: {matches: '^ERPW-'}}}}",
        "{json: {$.ref: {matches: '^ERPW-'}}, body: {contains: draft}}",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *text =
            g_strconcat(HEAD SWEEP, "    get: /orders\n    only: ", good[i], "\n", NULL);
        g_autoptr(config_t) config = load(text);

        assert_non_null(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_filled_in),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

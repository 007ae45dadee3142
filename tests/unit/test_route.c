// SPDX-License-Identifier: MIT
// Who is told of what: openings, later notices, the fallback, contacts that went.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../alerts/route.h"
#include "sample_config.h"

static char *told(const GPtrArray *notices)
{
    GString *ids = g_string_new(NULL);

    for (guint i = 0; i < notices->len; i++) {
        const struct notice *notice = g_ptr_array_index(notices, i);
        g_string_append_printf(ids, "%s%s", i > 0 ? " " : "", notice->contact);
    }
    return g_string_free(ids, FALSE);
}

static void check(const struct transition *transition, const struct config *config,
                  const char *expected)
{
    g_autoptr(GPtrArray) notices = route(transition, config, NULL);
    g_autofree char *ids = told(notices);

    assert_string_equal(ids, expected);
}

static void an_opening_goes_to_the_contacts_of_all_its_flows_once(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);

    (void)state;
    sample_init(&sample);
    sample_member(transition, "quote", "2026-11-21T09:30:06Z");
    check(transition, &sample.config, "acme-it bc-partner agency");
    sample_clear(&sample);
}

static void an_opening_names_all_who_are_told(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);
    g_autoptr(GPtrArray) notices = NULL;
    g_autofree char *names = NULL;
    const struct notice *notice;

    (void)state;
    sample_init(&sample);
    notices = route(transition, &sample.config, NULL);
    notice = g_ptr_array_index(notices, 1);
    names = json_print(json_member(notice->facts, "told"), false);
    assert_string_equal(names, "[\"Acme\",\"ERP Partner\"]");
    sample_clear(&sample);
}

static void the_fallback_is_told_where_nobody_else_is(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);

    (void)state;
    sample_init(&sample);
    g_ptr_array_set_size(sample.order.notify, 0);
    check(transition, &sample.config, "");
    sample.config.mail.fallback = g_strdup("agency");
    check(transition, &sample.config, "agency");
    sample_clear(&sample);
}

static void later_notices_go_to_those_who_got_the_opening(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_RECOVERED);

    (void)state;
    sample_init(&sample);
    sample.config.mail.fallback = g_strdup("agency");
    check(transition, &sample.config, "");
    g_ptr_array_add(transition->told, g_strdup("bc-partner"));
    g_ptr_array_add(transition->told, g_strdup("gone-since"));
    check(transition, &sample.config, "bc-partner");
    sample_clear(&sample);
}

static void a_flow_that_is_gone_changes_nothing(void **state)
{
    struct sample sample;
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_WITHDRAWN);

    (void)state;
    sample_init(&sample);
    sample_member(transition, "removed", "2026-11-21T09:00:00Z");
    g_ptr_array_add(transition->told, g_strdup("acme-it"));
    check(transition, &sample.config, "acme-it");
    sample_clear(&sample);
}

static void the_contacts_of_a_flow_are_its_own_or_the_fallback(void **state)
{
    struct sample sample;
    g_autoptr(GPtrArray) own = NULL;
    g_autoptr(GPtrArray) fallback = NULL;

    (void)state;
    sample_init(&sample);
    own = route_contacts(&sample.quote, "erp", &sample.config);
    assert_int_equal(own->len, 2);
    assert_string_equal(g_ptr_array_index(own, 0), "bc-partner");
    sample.config.mail.fallback = g_strdup("acme-it");
    g_ptr_array_set_size(sample.quote.notify, 0);
    fallback = route_contacts(&sample.quote, "erp", &sample.config);
    assert_int_equal(fallback->len, 1);
    assert_string_equal(g_ptr_array_index(fallback, 0), "acme-it");
    sample_clear(&sample);
}

// A failure at another system than the flow's is told to who has the flow's roles there.
static void roles_are_told_where_the_failure_is(void **state)
{
    struct sample sample;
    char id[] = "shop";
    struct config_system shop = {.id = id};
    g_autoptr(transition_t) transition = sample_transition(TRANSITION_OPENED);

    (void)state;
    sample_init(&sample);
    shop.act = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(shop.act, g_strdup("integrator"), g_strdup("agency"));
    g_hash_table_insert(shop.act, g_strdup("hosting"), g_strdup("agency"));
    g_hash_table_insert(sample.config.systems, shop.id, &shop);
    g_free(transition->system);
    transition->system = g_strdup("shop");
    check(transition, &sample.config, "acme-it bc-partner");
    sample.order.notify_roles = sample_list("client", "integrator");
    check(transition, &sample.config, "acme-it bc-partner agency");
    g_free(transition->system);
    transition->system = g_strdup(sample.system.id);
    check(transition, &sample.config, "acme-it bc-partner");
    g_ptr_array_unref(sample.order.notify_roles);
    g_hash_table_remove(sample.config.systems, shop.id);
    g_hash_table_unref(shop.act);
    sample_clear(&sample);
}

static void check_leftovers(const struct sample *sample, const GPtrArray *notify,
                            const struct config_flow *flow, const char *expected)
{
    g_autoptr(GPtrArray) contacts = route_leftovers(&sample->config, &sample->system, notify, flow);
    g_autoptr(GString) ids = g_string_new(NULL);

    for (guint i = 0; i < contacts->len; i++) {
        const struct config_contact *contact = g_ptr_array_index(contacts, i);
        g_string_append_printf(ids, "%s%s", i > 0 ? " " : "", contact->id);
    }
    assert_string_equal(ids->str, expected);
}

// Each of those who may be told only where those before are not there.
static void leftovers_are_told_to_the_first_who_is_there(void **state)
{
    struct sample sample;
    g_autoptr(GPtrArray) notify = sample_list("acme-it", "gone");

    (void)state;
    sample_init(&sample);
    sample.config.mail.fallback = g_strdup("acme-it");
    sample.client.style = CONFIG_STYLE_BUSINESS;
    check_leftovers(&sample, NULL, &sample.order, "bc-partner");
    check_leftovers(&sample, NULL, NULL, "bc-partner agency");
    g_hash_table_insert(sample.system.act, g_strdup("integrator"), g_strdup("agency"));
    check_leftovers(&sample, NULL, &sample.order, "agency");
    check_leftovers(&sample, notify, &sample.order, "acme-it");
    g_hash_table_remove(sample.system.act, "integrator");
    sample.agency.style = sample.partner.style = CONFIG_STYLE_BUSINESS;
    check_leftovers(&sample, NULL, NULL, "acme-it");
    sample_clear(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opening_goes_to_the_contacts_of_all_its_flows_once),
        cmocka_unit_test(an_opening_names_all_who_are_told),
        cmocka_unit_test(the_fallback_is_told_where_nobody_else_is),
        cmocka_unit_test(later_notices_go_to_those_who_got_the_opening),
        cmocka_unit_test(a_flow_that_is_gone_changes_nothing),
        cmocka_unit_test(roles_are_told_where_the_failure_is),
        cmocka_unit_test(leftovers_are_told_to_the_first_who_is_there),
        cmocka_unit_test(the_contacts_of_a_flow_are_its_own_or_the_fallback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Steps at several systems: which one each calls, in which namespace it is looked
// up, whose names it knows, what the ledger is given, who is told.
#include "../../base/json.h"
#include "../../config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char head[] =
    "contacts: {ops: {email: ops@a.example}, erp-it: {email: it@erp.example}}\n"
    "systems:\n"
    "  shop: {url: https://shop.example, with: {company: 1}, act: {integrator: ops}}\n"
    "  erp: {url: https://erp.example, with: {company: 2}, act: {integrator: erp-it, "
    "erp-partner: erp-it}}\n";

static struct config *load(const char *rest)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autofree char *text = g_strconcat(head, rest, NULL);
    struct config *config = config_load_text("c.yaml", text, strlen(text), problems);

    for (unsigned i = 0; i < problems->len && config == NULL; i++) {
        g_autofree char *line = config_problem_format(problems->pdata[i]);

        print_error("%s\n", line);
    }
    assert_non_null(config);
    return config;
}

static const struct step *step_of(const struct config *config, const char *flow, unsigned index)
{
    return config_find_flow(config, flow)->steps->pdata[index];
}

static void test_a_step_names_its_system(void **state)
{
    g_autoptr(config_t) config =
        load("flows: {f: {system: shop, notify: [integrator, erp-partner, ops], steps: [\n"
             "  {step: a, get: '/{{company}}', capture: {id: {json: $.id}}},\n"
             "  {step: b, system: erp, get: '/{{company}}/{{id}}'}]}}\n");
    const struct config_flow *flow = config_find_flow(config, "f");

    (void)state;
    assert_string_equal(config_step_system(flow, step_of(config, "f", 0))->id, "shop");
    assert_string_equal(config_step_system(flow, step_of(config, "f", 1))->id, "erp");
    assert_true(config_flow_uses(flow, "shop"));
    assert_true(config_flow_uses(flow, "erp"));
    assert_false(config_flow_uses(flow, "other"));
    // Of a failure at the flow's own system only ops is told; the roles go on to the erp.
    assert_int_equal(flow->notify->len, 1);
    assert_string_equal(flow->notify->pdata[0], "ops");
    assert_int_equal(flow->notify_roles->len, 2);
    assert_string_equal(flow->notify_roles->pdata[1], "erp-partner");
}

static void test_the_ledger_is_given_ids(void **state)
{
    g_autoptr(config_t) config =
        load("flows: {f: {system: shop, steps: [{step: a, post: /orders, undo: {system: erp,\n"
             "  delete: '/{{id}}', for: 2h, else: {post: /cancel},\n"
             "  lookup: {get: '/{{company}}', mark: {json: '$[*].m'}, capture: {id: {json: "
             "'$[*].id'}}}}}]}}\n");
    const struct undo *undo = step_of(config, "f", 0)->undo;
    g_autoptr(GError) error = NULL;
    struct undo *read = undo_parse(undo->source, NULL, &error);

    (void)state;
    assert_null(error);
    const struct undo *both[] = {undo, read};

    for (unsigned i = 0; i < G_N_ELEMENTS(both); i++) {
        const struct call *call = both[i]->calls->pdata[0];

        assert_string_equal(call->system, "erp");
        assert_string_equal(call->otherwise->system, "erp");
        assert_string_equal(both[i]->lookup->call->system, "erp"); // the undo's
        assert_int_equal(both[i]->lookup_for_ms, 7200000);
    }
    undo_free(read);
}

// Of a list, the calls with a lookup of their own are owed on their own.
static void test_what_comes_later(void **state)
{
    g_autoptr(config_t) config = load(
        "flows: {f: {system: shop, steps: [{step: a, post: /orders, capture: {id: {json: $.id}},\n"
        "  lookup: {get: /o, mark: {json: '$[*].m'}, capture: {id: {json: '$[*].id'}}},\n"
        "  undo: [{delete: '/{{id}}'}, {system: erp, delete: '/x/{{id}}', for: 3h,\n"
        "    lookup: {get: /x, mark: {json: '$[*].m'}, capture: {id: {json: '$[*].id'}}}},\n"
        "  {post: /bye}]}]}}\n");
    const struct undo *undo = step_of(config, "f", 0)->undo;

    (void)state;
    assert_int_equal(undo->calls->len, 2);
    assert_int_equal(undo->later->len, 1);
    const struct undo *later = undo->later->pdata[0];

    assert_int_equal(later->calls->len, 1);
    assert_int_equal(later->lookup_for_ms, 10800000);
    g_autoptr(cJSON) own = json_parse(undo->source, strlen(undo->source), NULL);
    g_autoptr(cJSON) its = json_parse(later->source, strlen(later->source), NULL);

    assert_int_equal(cJSON_GetArraySize(json_member(own, "undo")), 2);
    assert_non_null(json_member(own, "lookup"));
    assert_null(json_member(its, "lookup")); // the step's is of another record
    assert_string_equal(json_text(json_member(json_member(its, "undo"), "lookup"), "get"), "/x");
    struct lookup *lookup = NULL;
    struct undo *read = undo_parse(later->source, &lookup, NULL);

    assert_null(lookup);
    assert_string_equal(read->lookup->call->system, "erp");
    undo_free(read);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const char main_file[] =
    "include: [a.yaml, b.yaml]\n"
    "systems: {shop: {url: https://shop.example}, erp: {url: https://erp.example}}\n"
    "templates:\n"
    "  moved:\n"
    "    with: {target: required, third: erp}\n"
    "    steps:\n"
    "      - {step: a, system: erp, get: /}\n"
    "      - {step: b, system: '{{target}}', get: /}\n"
    "      - {step: c, system: '{{ third }}', post: /, undo: {system: '{{target}}', delete: /x}}\n";

static const char client_file[] =
    "namespace: %s\n"
    "systems: {erp: {url: https://%s.example}, shop: {url: https://shop.%s.example}}\n"
    "flows:\n"
    "  own: {system: shop, steps: [{step: a, system: erp, get: /}]}\n"
    "  used: {use: moved, system: shop, with: {target: erp}}\n";

static void check_client(const struct config *config, const char *client)
{
    g_autofree char *own = g_strconcat(client, "/own", NULL);
    g_autofree char *used = g_strconcat(client, "/used", NULL);
    g_autofree char *erp = g_strconcat(client, "/erp", NULL);
    const struct undo *undo = step_of(config, used, 2)->undo;

    assert_string_equal(step_of(config, own, 0)->system->id, erp);
    assert_string_equal(step_of(config, used, 0)->system->id, "erp"); // the template's own
    assert_string_equal(step_of(config, used, 1)->system->id, erp);   // what the flow gave
    assert_string_equal(step_of(config, used, 2)->system->id, "erp"); // a default
    assert_string_equal(((struct call *)undo->calls->pdata[0])->system, erp);
    g_autoptr(cJSON) source = json_parse(undo->source, strlen(undo->source), NULL);
    assert_string_equal(json_text(json_member(source, "undo"), "system"), erp);
}

static void test_namespaces(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("erpwatch-across-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "main.yaml", NULL);
    g_autofree char *a = g_strdup_printf(client_file, "acme", "acme", "acme");
    g_autofree char *b = g_strdup_printf(client_file, "bolt", "bolt", "bolt");
    g_autoptr(GPtrArray) problems = config_problems_new();

    (void)state;
    write_file(folder, "main.yaml", main_file);
    write_file(folder, "a.yaml", a);
    write_file(folder, "b.yaml", b);
    g_autoptr(config_t) config = config_load(path, CONFIG_MISSING_IS_ERROR, problems);

    assert_non_null(config);
    check_client(config, "acme");
    check_client(config, "bolt");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const names[] = {"main.yaml", "a.yaml", "b.yaml"};
        g_autofree char *file = g_build_filename(folder, names[i], NULL);

        unlink(file);
    }
    rmdir(folder);
}

// What the second system needs, the flow needs.
static void test_needs(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("erpwatch-across-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "main.yaml", NULL);
    g_autoptr(GPtrArray) problems = config_problems_new();

    (void)state;
    write_file(folder, "main.yaml",
               "systems: {shop: {url: https://shop.example}, erp: {url: https://erp.example, "
               "auth: {bearer: {token: '${env:ACROSS_NOT_SET}'}}}}\n"
               "flows: {a: {system: shop, steps: [{step: a, get: /}, {step: b, system: erp, get: "
               "/}]}, b: {system: shop, steps: [{step: c, get: /}]}}\n");
    g_autoptr(config_t) config = config_load(path, CONFIG_MISSING_IS_NEED, problems);

    assert_non_null(config);
    assert_int_equal(config_find_flow(config, "a")->needs->len, 1);
    assert_int_equal(config_find_flow(config, "b")->needs->len, 0);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_names_its_system),
        cmocka_unit_test(test_the_ledger_is_given_ids),
        cmocka_unit_test(test_what_comes_later),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

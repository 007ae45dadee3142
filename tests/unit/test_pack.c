// SPDX-License-Identifier: MIT
// Packs: each one in the program is without a mistake and explains all of its
// parameters; a system's own keys come before the pack's, values have their types, and
// what is secret is.
#include "../../config/config.h"
#include "../../config/pack.h"
#include "../../config/pack_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void print_problems(const GPtrArray *problems)
{
    for (unsigned i = 0; i < problems->len; i++) {
        g_autofree char *line = config_problem_format(problems->pdata[i]);

        print_error("%s\n", line);
    }
}

static void test_own_packs(void **state)
{
    g_autoptr(GPtrArray) names = pack_source_names(NULL);

    (void)state;
    assert_true(names->len >= 1);
    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(arena_t) arena = config_arena_new();
        g_autoptr(GPtrArray) problems = config_problems_new();
        g_autoptr(pack_t) pack = pack_read(arena, names->pdata[i], NULL, problems);

        print_problems(problems);
        assert_int_equal(problems->len, 0);
        assert_non_null(pack);
        assert_true(pack->built_in);
        assert_true(pack->flows->len >= 1);
        for (unsigned k = 0; k < pack->parameters->len; k++)
            assert_true(strlen(((const struct pack_parameter *)pack->parameters->pdata[k])->says) >
                        10);
    }
}

// The lists read alone are those of the whole file.
static void test_lexicon_alone(void **state)
{
    g_autoptr(GPtrArray) names = pack_source_names(NULL);
    unsigned seen = 0;

    (void)state;
    for (unsigned i = 0; i < names->len; i++) {
        g_autoptr(arena_t) arena = config_arena_new();
        g_autoptr(GPtrArray) problems = config_problems_new();
        g_autoptr(pack_t) pack = pack_read(arena, names->pdata[i], NULL, problems);
        g_autoptr(pack_lexicon_t) alone = pack_read_lexicon(names->pdata[i]);

        assert_non_null(pack);
        assert_int_equal(alone != NULL ? alone->meanings->len : 0, pack->lexicon->meanings->len);
        for (unsigned k = 0; alone != NULL && k < alone->meanings->len; k++) {
            const struct pack_meaning *one = alone->meanings->pdata[k];
            const struct pack_meaning *other = pack->lexicon->meanings->pdata[k];

            assert_int_equal(g_strcmp0(one->code, other->code), 0);
            assert_int_equal(g_strcmp0(one->message, other->message), 0);
            seen++;
        }
    }
    assert_true(seen > 0);
}

// The folder with packs/test.yaml in it, and the configuration `text` beside it.
static struct config *load(const char *pack, const char *text)
{
    g_autofree char *folder = g_dir_make_tmp("erpwatch-pack-XXXXXX", NULL);
    g_autofree char *packs = g_build_filename(folder, "packs", NULL);
    g_autofree char *pack_file = g_build_filename(packs, "test.yaml", NULL);
    g_autofree char *file = g_build_filename(folder, "erpwatch.yaml", NULL);
    g_autoptr(GPtrArray) problems = config_problems_new();

    assert_int_equal(mkdir(packs, 0700), 0);
    assert_true(g_file_set_contents(pack_file, pack, -1, NULL));
    assert_true(g_file_set_contents(file, text, -1, NULL));
    struct config *config = config_load(file, CONFIG_MISSING_IS_ERROR, problems);

    unlink(pack_file);
    rmdir(packs);
    unlink(file);
    rmdir(folder);
    return config;
}

static const char pack_text[] =
    "pack:\n"
    "  title: A test\n"
    "  parameters:\n"
    "    url: {type: url, says: The address of it}\n"
    "    key: {type: secret, says: The key of it}\n"
    "    item: {default: '000123', says: The item}\n"
    "    path: {default: '/v1/{{item}}', says: Made of another one}\n"
    "    size: {type: number, default: 2.50, says: How much}\n"
    "    marks: {type: list, default: '', says: What it bears}\n"
    "system: {url: '{{url}}', timeout: 7s, parallel: 3, headers: {X-Pack: '1'}}\n"
    "flows:\n"
    "  read:\n"
    "    title: Reads\n"
    "    priority: P2\n"
    "    steps: [{step: read, get: '{{path}}', query: {size: '{{size}}'}}]\n";

static const char head[] =
    "contacts: {ops: {email: ops@b.example}}\n"
    "systems:\n"
    "  erp: {pack: test, parallel: 5, with: {url: https://erp.example, key: abcdefgh, marks: a}}\n"
    "flows:\n";

static const struct config_value *value_of(const struct config_system *system, const char *name)
{
    for (unsigned i = 0; i < system->vars->len; i++) {
        const struct config_value *value = system->vars->pdata[i];

        if (strcmp(value->name, name) == 0)
            return value;
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static void test_system(void **state)
{
    g_autofree char *text = g_strconcat(head, "  a: {use: read, system: erp, notify: ops}\n", NULL);
    g_autoptr(config_t) config = load(pack_text, text);

    (void)state;
    assert_non_null(config);
    const struct config_flow *flow = config_find_flow(config, "a");
    const struct config_system *system = flow->system;

    assert_string_equal(system->pack, "test");
    assert_int_equal(system->timeout_ms, 7000);
    assert_int_equal(system->parallel, 5);
    assert_int_equal(system->headers->len, 1);
    assert_string_equal(template_source(system->url), "{{url}}");
    assert_string_equal(template_source(value_of(system, "item")->value), "\"000123\"");
    assert_string_equal(template_source(value_of(system, "size")->value), "2.50");
    assert_string_equal(template_source(value_of(system, "marks")->value), "[\"a\"]");
    assert_true(value_of(system, "key")->secret);
    assert_false(value_of(system, "item")->secret);
    // a later value may use an earlier one, so they keep the pack's order
    assert_string_equal(((const struct config_value *)system->vars->pdata[3])->name, "path");
    assert_string_equal(flow->title, "Reads");
    assert_int_equal(flow->priority, 2);
    assert_int_equal(flow->steps->len, 1);
}

static void test_flow_parameter(void **state)
{
    g_autofree char *text = g_strconcat(
        head, "  a: {use: read, system: erp, notify: ops, title: Mine, with: {item: '7'}}\n", NULL);
    g_autoptr(config_t) config = load(pack_text, text);

    (void)state;
    assert_non_null(config);
    const struct config_flow *flow = config_find_flow(config, "a");

    assert_string_equal(flow->title, "Mine");
    assert_int_equal(flow->vars->len, 1);
    assert_string_equal(((const struct call_field *)flow->vars->pdata[0])->name, "item");
}

// What only a flow goes by is asked for where that flow is used, and may stand in it.
static void test_needed_by_flow(void **state)
{
    static const char *const flows[] = {
        "  a: {system: erp, notify: ops, steps: [{step: x, get: /x}]}\n",
        "  a: {use: read, system: erp, notify: ops}\n",
        "  a: {use: read, system: erp, notify: ops, with: {item: '7'}}\n",
    };
    g_autoptr(GString) pack = g_string_new(pack_text);

    (void)state;
    g_string_replace(pack, "item: {default: '000123', ", "item: {", 1);
    g_string_replace(pack, "path: {default: '/v1/{{item}}'", "path: {default: '/v1'", 1);
    g_string_replace(pack, "get: '{{path}}'", "get: '{{path}}/{{ item }}'", 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(flows); i++) {
        g_autofree char *text = g_strconcat(head, flows[i], NULL);
        g_autoptr(config_t) config = load(pack->str, text);

        assert_int_equal(config != NULL, i != 1);
    }
    // where another parameter is made of it, every system needs it
    g_string_replace(pack, "default: '/v1'", "default: '/v1/{{item | url}}'", 1);
    g_autofree char *text = g_strconcat(head, flows[0], NULL);
    g_autoptr(config_t) config = load(pack->str, text);

    assert_null(config);
}

// What a system says itself, in place of its pack, needs no parameter.
static void test_needed_by_what_is_left(void **state)
{
    static const char system[] =
        "systems: {erp: {pack: test, with: {url: https://erp.example%s}%s}}\n";
    static const struct {
        const char *with, *own;
        bool good;
    } cases[] = {
        {"", "", false},
        {", key: abcdefgh", "", true},
        {"", ", auth: {basic: {username: a, password: '${env:NONE:-b}'}}", true},
        {"", ", timeout: 5s", false},
    };
    g_autoptr(GString) pack = g_string_new(pack_text);

    (void)state;
    g_string_replace(pack, "timeout: 7s,", "auth: {header: {X-Key: '{{key}}'}},", 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(system);

        g_string_replace(text, "%s", cases[i].with, 1);
        g_string_replace(text, "%s", cases[i].own, 1);
        g_autoptr(config_t) config = load(pack->str, text->str);

        assert_int_equal(config != NULL, cases[i].good);
    }
}

// A user may give a system less time than its pack thinks slow: the pack is not
// theirs to mend. In a flow of their own it is a mistake.
static void test_less_time(void **state)
{
    static const char slow[] = "  a: {use: read, system: erp, notify: ops}\n";
    static const char own[] = "  a: {system: erp, notify: ops, steps: [{step: x, get: /x, slow: "
                              "10s}]}\n";
    g_autoptr(GString) pack = g_string_new(pack_text);
    g_autoptr(GString) text = g_string_new(head);

    (void)state;
    g_string_replace(pack, "query: {", "slow: 10s, query: {", 0);
    g_string_append(text, slow);
    g_autoptr(config_t) config = load(pack->str, text->str);

    assert_non_null(config);
    g_string_replace(text, slow, own, 0);
    g_autoptr(config_t) wrong = load(pack->str, text->str);

    assert_null(wrong);
}

// A change of the pack is a change of the configuration.
static void test_digest(void **state)
{
    g_autofree char *text = g_strconcat(head, "  a: {use: read, system: erp, notify: ops}\n", NULL);
    g_autofree char *other = g_strconcat(pack_text, "# changed\n", NULL);
    g_autoptr(config_t) before = load(pack_text, text);
    g_autoptr(config_t) after = load(other, text);

    (void)state;
    assert_non_null(before);
    assert_non_null(after);
    assert_string_not_equal(before->digest, after->digest);
}

#define SWEEPING                                                                                   \
    "  order:\n"                                                                                   \
    "    steps: [{step: o, post: /orders, json: {no: '{{mark}}'}, undo: {none: swept}}]\n"         \
    "version: {get: '/about/{{item}}', capture: {version: {json: $.version}}}\n"                   \
    "sweeps:\n"                                                                                    \
    "  order:\n"                                                                                   \
    "    for: [order, other]\n"                                                                    \
    "    older: 1h\n"                                                                              \
    "    get: '/orders/{{item}}'\n"                                                                \
    "    query: {q: '{{ mark }}'}\n"                                                               \
    "    items: '$.value[*]'\n"                                                                    \
    "    only: {json: {$.no: {matches: '^{{mark}}'}}}\n"                                           \
    "    at: {json: $.at}\n"                                                                       \
    "    capture: {id: {json: $.id}}\n"                                                            \
    "    undo: {delete: '/orders/{{id}}'}\n"

// The pack with a sweep, and a second flow that it is for.
static char *sweeping_pack(void)
{
    return g_strconcat(pack_text, SWEEPING, NULL);
}

static struct config *load_sweeping(const char *flows)
{
    g_autofree char *pack = sweeping_pack();
    g_autoptr(GString) with_other = g_string_new(pack);
    g_autofree char *text = g_strconcat("agent: {mark: 'A+B-'}\n", head, flows, NULL);

    g_string_replace(
        with_other, "version:",
        "  other:\n    steps: [{step: o, put: /orders, undo: {none: swept}}]\nversion:", 1);
    return load(with_other->str, text);
}

// A pack's sweep is there where a flow makes what it finds, and knows the agent's mark
// and the system's parameters.
static void test_sweep(void **state)
{
    g_autoptr(config_t) config = load_sweeping("  a: {use: other, system: erp, notify: ops}\n"
                                               "  b: {use: read, system: erp, notify: ops}\n");

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->sweeps->len, 1);
    const struct config_sweep *sweep = config_find_sweep(config, "erp/order");

    assert_non_null(sweep);
    assert_string_equal(sweep->system->id, "erp");
    assert_int_equal(sweep->every_ms, 6 * 60 * 60 * 1000);
    assert_int_equal(sweep->older_ms, 60 * 60 * 1000);
    assert_null(sweep->off);
    assert_string_equal(
        template_source(((const struct call_field *)sweep->call->query->pdata[0])->value), "A+B-");
    const struct expectation *only = sweep->only->pdata[0];
    const struct check *check = only->checks->pdata[0];

    assert_true(regex_match(check->regex, "A+B-1", 5, 0, NULL, NULL)); // a mark is no pattern
    assert_false(regex_match(check->regex, "AAB-1", 5, 0, NULL, NULL));
}

static void test_sweep_unused(void **state)
{
    g_autoptr(config_t) config =
        load_sweeping("  a: {use: read, system: erp, notify: ops}\n"
                      "  b: {use: order, system: erp, notify: ops, off: not now}\n");

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->sweeps->len, 0);
}

// An entry of the user's stands in its place, under its own name.
static void test_sweep_taken(void **state)
{
    g_autoptr(config_t) config =
        load_sweeping("  a: {use: order, system: erp, notify: ops}\n"
                      "sweeps:\n"
                      "  mine: {use: order, system: erp, every: 1d, at_most: 7, notify: ops, off: "
                      "by hand}\n");

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->sweeps->len, 1);
    const struct config_sweep *sweep = config_find_sweep(config, "mine");

    assert_int_equal(sweep->every_ms, 24 * 60 * 60 * 1000);
    assert_int_equal(sweep->older_ms, 60 * 60 * 1000);
    assert_int_equal(sweep->at_most, 7);
    assert_int_equal(sweep->notify->len, 1);
    assert_string_equal(sweep->off, "by hand");
}

// A system's version comes from itself, else from its pack, and may be switched off.
static void test_version(void **state)
{
    g_autofree char *pack = sweeping_pack();
    g_autoptr(GString) whole = g_string_new(pack);

    (void)state;
    g_string_replace(whole, "for: [order, other]", "for: order", 1);
    g_autofree char *text = g_strconcat(
        "systems:\n"
        "  a: &a {pack: test, with: {url: https://erp.example, key: abcdefgh}}\n"
        "  b: {<<: *a, version: {get: /mine, capture: {version: {header: X-Version}}}}\n"
        "  c: {<<: *a, version: {off: it costs a call}}\n"
        "  d: {url: https://d.example}\n",
        NULL);
    g_autoptr(config_t) config = load(whole->str, text);

    assert_non_null(config);
    static const char *const paths[] = {"/about/{{item}}", "/mine", NULL, NULL};

    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        const char id[] = {(char)('a' + (int)i), '\0'};
        const struct config_system *system = g_hash_table_lookup(config->systems, id);

        assert_int_equal(system->version != NULL, paths[i] != NULL);
        if (paths[i] != NULL)
            assert_string_equal(template_source(system->version->path), paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_packs),      cmocka_unit_test(test_lexicon_alone),
        cmocka_unit_test(test_system),         cmocka_unit_test(test_flow_parameter),
        cmocka_unit_test(test_needed_by_flow), cmocka_unit_test(test_needed_by_what_is_left),
        cmocka_unit_test(test_less_time),      cmocka_unit_test(test_digest),
        cmocka_unit_test(test_sweep),          cmocka_unit_test(test_sweep_unused),
        cmocka_unit_test(test_sweep_taken),    cmocka_unit_test(test_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

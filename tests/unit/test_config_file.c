// SPDX-License-Identifier: MIT
// A file's tree: kinds, places and styles, anchors and merges, what is a number;
// and what of the words around it has no other home: guesses, scopes, sharing.
#include "../../base/json.h"
#include "../../config/config_file.h"
#include "../../config/config_problem.h"
#include "../../config/config_scope.h"
#include "../../config/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
    struct arena *arena;
    GPtrArray *problems;
    struct config_node *root;
};

static struct parsed parse(const char *text)
{
    struct parsed parsed = {config_arena_new(), config_problems_new(), NULL};

    parsed.root = config_file_parse(parsed.arena, "t.yaml", text, strlen(text), parsed.problems);
    return parsed;
}

static void parsed_free(struct parsed *parsed)
{
    arena_free(parsed->arena);
    g_ptr_array_unref(parsed->problems);
}

static void assert_place(const struct config_node *node, int line, int column)
{
    assert_non_null(node);
    assert_string_equal(node->place.file, "t.yaml");
    assert_int_equal(node->place.line, line);
    assert_int_equal(node->place.column, column);
}

static void test_places(void **state)
{
    struct parsed parsed =
        parse("a: 1\nb: 'two'\nc:\n  - x\n  - {d: \"é\", e: y}\nf:\ng: |\n  text\n");
    const struct config_node *list = config_node_get(parsed.root, "c");

    (void)state;
    assert_int_equal(parsed.problems->len, 0);
    assert_place(config_node_get(parsed.root, "a"), 1, 4);
    assert_place(config_node_get(parsed.root, "b"), 2, 4); // the quote, not what follows it
    assert_int_equal(config_node_get(parsed.root, "b")->style, CONFIG_NODE_QUOTED);
    assert_place(list, 4, 3);
    assert_int_equal(list->count, 2);
    assert_place(config_node_get(list->items[1], "e"), 5, 17); // characters, not bytes
    assert_int_equal(config_node_get(parsed.root, "f")->kind, CONFIG_NODE_NULL);
    assert_place(config_node_get(parsed.root, "f"), 6, 1); // an empty value: its key's
    assert_int_equal(config_node_get(parsed.root, "g")->style, CONFIG_NODE_BLOCK);
    assert_string_equal(config_node_text(config_node_get(parsed.root, "g")), "text\n");
    parsed_free(&parsed);
}

static void test_empty(void **state)
{
    static const char *const texts[] = {"", "# nothing\n", "\n\n"};

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct parsed parsed = parse(texts[i]);

        assert_non_null(parsed.root);
        assert_int_equal(parsed.root->count, 0);
        assert_int_equal(parsed.problems->len, 0);
        parsed_free(&parsed);
    }
}

static void test_anchors_are_shared(void **state)
{
    struct parsed parsed = parse("a: &x {k: 1}\nb: *x\nc: {<<: *x, k: 2}\nd: {<<: [*x, {m: 3}]}\n");

    (void)state;
    assert_int_equal(parsed.problems->len, 0);
    assert_ptr_equal(config_node_get(parsed.root, "a"), config_node_get(parsed.root, "b"));
    assert_string_equal(config_node_text(config_node_get(config_node_get(parsed.root, "c"), "k")),
                        "2");
    assert_int_equal(config_node_get(parsed.root, "d")->count, 2);
    parsed_free(&parsed);
}

static void test_to_json(void **state)
{
    struct parsed parsed = parse("[1, 12.10, '1', true, TRUE, yes, ~, null, 1.5e3, {a: }, 1896-S]");
    g_autoptr(cJSON) json = config_node_to_json(parsed.root);
    g_autofree char *text = json_print(json, false);

    (void)state;
    assert_string_equal(text, "[1,12.10,\"1\",true,true,\"yes\",null,null,1.5e3,{\"a\":null},"
                              "\"1896-S\"]");
    parsed_free(&parsed);
}

static void test_number_like(void **state)
{
    static const char *const like[] = {"000123", "0x1F", "1E10", "1e5",   "+5",   ".5",  "5.",
                                       "1_000",  "0o17", "0b1",  "-.inf", ".nan", "-007"};
    static const char *const fine[] = {"0",      "-1",    "12.10", "1.5e3",      "1e-5",
                                       "1896-S", "1.0.0", "12:30", "2026-11-21", "127.0.0.1",
                                       "",       "-",     "...",   "x1",         "5m"};

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(like); i++)
        assert_true(config_text_is_number_like(like[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(fine); i++)
        assert_false(config_text_is_number_like(fine[i]));
}

static void test_many_keys(void **state)
{
    g_autoptr(GString) text = g_string_new(NULL);

    (void)state;
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(text, "k%d: %d\n", i, i);
    g_string_append(text, "k1999: again\n");
    struct parsed parsed = parse(text->str);

    assert_int_equal(parsed.problems->len, 1);
    assert_int_equal(parsed.root->count, 2000);
    assert_int_equal(((struct config_problem *)parsed.problems->pdata[0])->place.line, 2001);
    parsed_free(&parsed);
}

static void test_guess(void **state)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    static const char *const known[] = {"status", "timeout", "headers", "until", "en"};

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
        g_ptr_array_add(words, (gpointer)(uintptr_t)known[i]);
    assert_string_equal(config_problem_guess("stauts", words), "status");
    assert_string_equal(config_problem_guess("Timeout", words), "timeout");
    assert_string_equal(config_problem_guess("header", words), "headers");
    assert_null(config_problem_guess("xml", words));
    assert_null(config_problem_guess("maintenance", words));
    assert_string_equal(config_problem_guess("EN", words), "en");
    assert_null(config_problem_guess("es", words));
}

static void test_scope(void **state)
{
    struct config_place place = {"t.yaml", 1, 1};
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_scope_t) outer = config_scope_new(NULL);

    (void)state;
    config_scope_add(outer, "one", place, false, problems);
    g_autoptr(config_scope_t) inner = config_scope_new(outer);

    config_scope_add(outer, "later", place, true, problems);
    assert_non_null(config_scope_find(inner, "one"));
    assert_null(config_scope_find(inner, "later")); // not known when inner began
    config_scope_add_login(outer, "sid", place);
    assert_true(config_scope_find(outer, "login.sid")->secret);
    assert_int_equal(problems->len, 0);
    config_scope_add(inner, "one", place, false, problems);
    assert_int_equal(problems->len, 1); // shadowing
    inner->own_names_again = true;
    config_scope_add(inner, "one", place, false, problems);
    assert_int_equal(problems->len, 1);
    g_autofree char *guess = config_scope_guess(outer, "laterr");

    assert_string_equal(guess, "later");
}

// What nodes say, wherever they stand.
static void test_equal_nodes(void **state)
{
    static const struct {
        const char *one, *other;
        bool equal;
    } pairs[] = {
        {"{a: 1, b: [x, ~]}", "a: 1\nb:\n  - x\n  - null\n", true},
        {"{a: 1, b: 2}", "{b: 2, a: 1}", false}, // the order of steps' captures counts
        {"{a: 1}", "{a: '1'}", false},
        {"{a: 1}", "{a: 10}", false},
        {"{a: 1}", "{b: 1}", false},
        {"{a: 1}", "{a: 1, b: 1}", false},
        {"[a, b]", "{a: b}", false},
        {"[[a], b]", "[a, [b]]", false},
        {"[{}]", "[[]]", false},
        {"[~]", "['']", false},
    };

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
        struct parsed one = parse(pairs[i].one), other = parse(pairs[i].other);

        assert_int_equal(config_node_equals(one.root, other.root), pairs[i].equal);
        assert_int_equal(config_node_hash(one.root) == config_node_hash(other.root),
                         pairs[i].equal);
        parsed_free(&one);
        parsed_free(&other);
    }
}

static void test_sharing(void **state)
{
    struct template *first = intern_template("{{mark}}", TEMPLATE_PLACE_PATH, false, NULL);
    struct template *second = intern_template("{{mark}}", TEMPLATE_PLACE_PATH, false, NULL);
    struct template *other = intern_template("{{mark}}", TEMPLATE_PLACE_QUERY, false, NULL);
    struct template *own = template_new("own", TEMPLATE_PLACE_TEXT, false, NULL);
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_ptr_equal(first, second);
    assert_ptr_not_equal(first, other); // escaped otherwise
    intern_release_template(first);
    assert_string_equal(template_source(second), "{{mark}}"); // still in use
    intern_release_template(second);
    intern_release_template(other);
    intern_release_template(own); // not shared: freed
    first = intern_template("{{mark}}", TEMPLATE_PLACE_PATH, false, NULL);
    intern_begin();
    second = intern_template("{{mark}}", TEMPLATE_PLACE_PATH, false, NULL);
    assert_ptr_not_equal(first, second);
    intern_release_template(first);
    other = intern_template("{{mark}}", TEMPLATE_PLACE_PATH, false, NULL);
    assert_ptr_equal(second, other); // the release of another one's has not changed that
    intern_release_template(second);
    intern_release_template(other);
    assert_null(intern_jsonpath("$[", &error));
    assert_non_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_anchors_are_shared),
        cmocka_unit_test(test_to_json),
        cmocka_unit_test(test_number_like),
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_equal_nodes),
        cmocka_unit_test(test_sharing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

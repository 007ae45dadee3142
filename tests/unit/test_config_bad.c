// SPDX-License-Identifier: MIT
// Each tests/config/bad/NAME.yaml gives exactly the problems of NAME.txt; the
// examples give none.
#include "../../config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAIRS_LEAST = 80 };

// What `path` gives, a line for each problem, without the folder of this run.
static char *problems_of(const char *path)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config = config_load(path, CONFIG_MISSING_IS_ERROR, problems);
    g_autofree char *folder = g_get_current_dir();
    g_autofree char *prefix = g_strconcat(folder, "/", NULL);
    g_autoptr(GString) lines = g_string_new(NULL);
    bool fatal = false;

    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        g_autofree char *line = config_problem_format(problem);

        fatal |= !problem->warning;
        g_string_append_printf(lines, "%s\n", line);
    }
    assert_int_equal(fatal, config == NULL);
    g_string_replace(lines, prefix, "", 0);
    return g_string_free(g_steal_pointer(&lines), FALSE);
}

static bool check_pair(const char *file)
{
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".yaml"));
    g_autofree char *expected_path = g_strconcat(name, ".txt", NULL);
    g_autofree char *expected = NULL;
    g_autofree char *found = problems_of(file);

    if (!g_file_get_contents(expected_path, &expected, NULL, NULL)) {
        print_error("%s is missing; the problems are:\n%s", expected_path, found);
        return false;
    }
    if (strcmp(expected, found) != 0)
        print_error("%s\nexpected:\n%sfound:\n%s", file, expected, found);
    return strcmp(expected, found) == 0 && expected[0] != '\0';
}

static void test_pairs(void **state)
{
    g_autofree char *start = g_get_current_dir();
    g_autoptr(GError) error = NULL;
    const char *file;
    unsigned pairs = 0, bad = 0;

    (void)state;
    g_unsetenv("ERPWATCH_TEST_UNSET");
    assert_int_equal(chdir("tests/config/bad"), 0);
    g_autoptr(GDir) folder = g_dir_open(".", 0, &error);

    assert_non_null(folder);
    while ((file = g_dir_read_name(folder)) != NULL) {
        if (!g_str_has_suffix(file, ".yaml"))
            continue;
        pairs++;
        bad += !check_pair(file);
    }
    assert_int_equal(chdir(start), 0);
    assert_int_equal(bad, 0);
    assert_true(pairs >= PAIRS_LEAST);
}

// A sentence quotes what is wrong, of whatever length that is.
static void test_long_text(void **state)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(GString) text = g_string_new("\"");

    (void)state;
    for (int i = 0; i < 50000; i++)
        g_string_append(text, "é");
    g_string_append_c(text, '"');
    assert_null(config_load_text("long", text->str, text->len, problems));
    assert_int_equal(problems->len, 1);
    const struct config_problem *problem = problems->pdata[0];

    assert_in_range(strlen(problem->message), 1000, 2100);
    assert_true(g_utf8_validate(problem->message, -1, NULL));
    assert_true(g_str_has_suffix(problem->message, "…"));
}

static void test_examples(void **state)
{
    g_autoptr(GDir) folder = g_dir_open("config/examples", 0, NULL);
    const char *file;
    unsigned examples = 0;

    (void)state;
    assert_non_null(folder);
    while ((file = g_dir_read_name(folder)) != NULL) {
        if (!g_str_has_suffix(file, ".yaml"))
            continue;
        g_autofree char *path = g_build_filename("config/examples", file, NULL);
        g_autofree char *found = problems_of(path);

        assert_string_equal(found, "");
        examples++;
    }
    assert_true(examples >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_examples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

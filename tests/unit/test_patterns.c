// SPDX-License-Identifier: MIT
// Patterns with their sieve find what they find without it; and the sieve does sift.
#include "../../base/pattern_need.h"
#include "../../base/patterns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// "(a b)(c)" of needs (a or b) and c.
static char *need_text(const char *pattern)
{
    g_autoptr(GPtrArray) needs = pattern_need(pattern);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < needs->len; i++) {
        const GPtrArray *runs = needs->pdata[i];

        for (guint k = 0; k < runs->len; k++)
            g_string_append_printf(text, "%s%s", k > 0 ? "|" : "(", (char *)runs->pdata[k]);
        g_string_append_c(text, ')');
    }
    return g_string_free(text, FALSE);
}

static void test_needs(void **state)
{
    static const struct {
        const char *pattern, *needs;
    } cases[] = {
        {"number series", "(number series)"},
        {"Number|Nummernserie", "(number|nummernserie)"},
        {"no\\. series", "(no. series)"},
        {"customers? is blocked", "(customer is blocked|customers is blocked)"},
        {"(?:item|customer) .* blocked", "(item |customer )( blocked)"},
        {"ab", ""},
        {"abc|de", ""},
        {"abc|d.*efg", "(abc|efg)"},
        {"(abc)*def", "(def)"},
        {"(abc)+def", "(abc)(def)"},
        {"(abc){2}def", "(abc)(def)"},
        {"(abc){0,2}def", "(def)"},
        {"ab{2,}cde", "(cde)"},
        {"{abc}", "({abc})"},
        {"x{,3}abc", ""},
        {"(?!abc)def", "(def)"},
        {"(?<=abc)def", "(def)"},
        {"(?i)abc", ""},
        {"(?x) a b c", ""},
        {"abc\\Kdef", ""},
        {"(abc)\\1", ""},
        {"\\Qabc.\\E", ""},
        {"\\x41bcdef", ""},
        {"\\bposting date\\b", "(posting date)"},
        {"[abc]def[^]x]ghi", "(def)(ghi)"},
        {"ghi[[:alpha:]]jkl", ""},
        {"[?[.]abc[]|[^ ]def", ""},
        {"[\\]]abc", "(abc)"},
        {"écart de paiement", "(cart de paiement)"},
        {"b(?:e|ee)n there", "(ben there|been there)"},
        {"\\Aabc\\z", "(abc)"},
        {"", ""},
        {"a?b?c?", ""},
        {"(?:abc)?def", "(def|abcdef)"},
        {"(?:abc|def|ghij)(?:klm|nop)", "(abcklm|abcnop|defklm|defnop|ghijklm|ghijnop)"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = need_text(cases[i].pattern);

        if (strcmp(found, cases[i].needs) != 0)
            print_error("%s\n", cases[i].pattern);
        assert_string_equal(found, cases[i].needs);
    }
}

static const char *const pieces[] = {
    "abc",    "ABC",   "kilo",    "sku",   "K",      "ſ",      "s",           "k",     "a",
    "b",      ".",     "\\.",     "\\s+",  "\\d",    "[a-c]",  "[^x]",        "(",     ")",
    "(?:",    "|",     "?",       "*",     "+",      "{2}",    "{0,1}",       "{1,3}", "^",
    "$",      "\\b",   "é",       "É",     "ß",      "straße", " ",           "-",     "_",
    "1",      "42",    "(?=abc)", "(?!k)", "(?<=a)", "\\w+",   "[[:alpha:]]", "\\A",   "\\z",
    "number", "x{,2}", "{",       "}",     "series", "'",
};
static const char *const words[] = {
    "abc",
    "ABC",
    "Abc",
    "kilo",
    "KILO",
    "Kilo",
    "\xe2\x84\xaailo",
    "sku",
    "SKU",
    "\xc5\xbfku",
    "\xc5\xbf\xe2\x84\xaau",
    "s",
    "k",
    "a",
    "b",
    ".",
    " ",
    "  ",
    "-",
    "_",
    "1",
    "42",
    "\xc3\xa9",
    "\xc3\x89",
    "stra\xc3\x9fX",
    "number",
    "NUMBER",
    "series",
    "\xff",
    "\xe2\x84",
    "\n",
    "{",
    "}",
    "'",
};

static char *make(const char *const *from, size_t count, GRand *random, int most)
{
    GString *text = g_string_new(NULL);

    for (int n = g_rand_int_range(random, 0, most); n > 0; n--)
        g_string_append(text, from[g_rand_int_range(random, 0, (gint32)count)]);
    return g_string_free(text, FALSE);
}

// As patterns_fit, by PCRE2 alone.
static bool plainly_fits(const char *pattern, enum regex_flags flags, const char *text)
{
    g_autoptr(regex_compiled_t) regex = regex_compile(pattern, flags | REGEX_CASELESS, NULL);

    return regex && regex_match(regex, text, strlen(text), 0, NULL, NULL);
}

static void compare(const char *pattern, enum regex_flags flags, GRand *random, unsigned *fits)
{
    g_autoptr(patterns_t) patterns = patterns_new(flags);

    patterns_add(patterns, pattern);
    for (int i = 0; i < 12; i++) {
        g_autofree char *text = make(words, G_N_ELEMENTS(words), random, 8);
        g_autoptr(patterns_text_t) held = patterns_text_new(text, strlen(text));
        bool wanted = plainly_fits(pattern, flags, text);

        if (patterns_fit(patterns, 0, held) != wanted)
            print_error("\"%s\" on \"%s\"\n", pattern, text);
        assert_int_equal(patterns_fit(patterns, 0, held), wanted);
        *fits += wanted;
    }
}

static void test_same_as_plain(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(4711);
    unsigned fits = 0, good = 0;

    (void)state;
    for (int i = 0; i < 4000; i++) {
        g_autofree char *pattern = make(pieces, G_N_ELEMENTS(pieces), random, 7);
        g_autoptr(regex_compiled_t) regex = regex_compile(pattern, REGEX_ONCE, NULL);

        if (regex == NULL)
            continue;
        good++;
        compare(pattern, i % 3 == 0 ? REGEX_WHOLE : REGEX_PLAIN, random, &fits);
    }
    assert_true(good > 1000);
    assert_true(fits > 1000);
}

// The folding of the sieve rests on it: which letters outside ASCII PCRE2 takes for
// one within.
static void test_only_two_letters_fold(void **state)
{
    g_autoptr(regex_compiled_t) ascii = regex_compile("[\\x00-\\x7f]", REGEX_CASELESS, NULL);
    g_autoptr(GString) found = g_string_new(NULL);

    (void)state;
    for (gunichar c = 0x80; c <= 0x10ffff; c++) {
        char text[8] = "";
        int length = g_unichar_validate(c) ? g_unichar_to_utf8(c, text) : 0;

        if (length > 0 && regex_match(ascii, text, (size_t)length, 0, NULL, NULL))
            g_string_append_printf(found, "%04X ", c);
    }
    assert_string_equal(found->str, "017F 212A ");
}

static void test_odd_input(void **state)
{
    g_autoptr(patterns_t) patterns = patterns_new(REGEX_PLAIN);
    g_autoptr(patterns_text_t) text = patterns_text_new("abc", 3);
    g_autoptr(patterns_text_t) empty = patterns_text_new("", 0);

    (void)state;
    patterns_add(patterns, "abc");
    patterns_add(patterns, NULL);
    patterns_add(patterns, "(");
    patterns_add(patterns, "^$");
    assert_true(patterns_fit(patterns, 0, text));
    assert_false(patterns_fit(patterns, 0, NULL));
    assert_false(patterns_fit(patterns, 1, text));
    assert_false(patterns_fit(patterns, 2, text));
    assert_false(patterns_fit(patterns, 3, text));
    assert_true(patterns_fit(patterns, 3, empty));
    assert_null(patterns_text_new(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_same_as_plain),
        cmocka_unit_test(test_only_two_letters_fold),
        cmocka_unit_test(test_odd_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

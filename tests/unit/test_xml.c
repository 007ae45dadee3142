// SPDX-License-Identifier: MIT
// base/xml: what is read and selected, what is refused and in which words; that
// hostile documents end soon, and nothing outside is touched.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/json.h"
#include "../../base/xml.h"

#include <string.h>

// What `xpath` selects in `text`, as JSON; an error's message with "!".
static char *select_in(const char *text, const char *xpath, bool html)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xml_document_t) document =
        html ? xml_parse_html(text, &error) : xml_parse(text, &error);
    if (!document)
        return g_strconcat("!", error->message, NULL);
    g_autoptr(xml_path_t) path = xml_path_compile(xpath, NULL, &error);
    assert_non_null(path);
    g_autoptr(GPtrArray) found = xml_path_select(path, document, &error);
    if (!found)
        return g_strconcat("!", error->message, NULL);
    g_autoptr(cJSON) list = cJSON_CreateArray();
    while (found->len)
        cJSON_AddItemToArray(list, g_ptr_array_steal_index(found, 0));
    return json_print(list, false);
}

struct selection {
    const char *text, *xpath, *selected;
};

static void check(const struct selection *cases, size_t count, bool html)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *selected = select_in(cases[i].text, cases[i].xpath, html);
        assert_string_equal(selected, cases[i].selected);
    }
}

static void test_selects(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"<a><b>000123</b><b> 12.10 </b></a>", "//b", "[\"000123\",\" 12.10 \"]"},
        {"<a i='&lt;é'/>", "/a/@i", "[\"<é\"]"},
        {"<a>x<b>y</b>z</a>", "/a", "[\"xyz\"]"},
        {"<a>x<b>y</b>z</a>", "/", "[\"xyz\"]"},
        {"<a>x<![CDATA[<y>]]>z</a>", "//text()", "[\"x<y>z\"]"},
        {"<a>&#233;&amp;</a>", "//a", "[\"é&\"]"},
        {"<a><!-- c --><?p q?></a>", "//comment() | //processing-instruction()", "[\" c \",\"q\"]"},
        {"<a><b/><b/></a>", "count(//b)", "[2]"},
        {"<a><b>0.1</b><b>0.2</b></a>", "sum(//b)", "[0.3]"},
        {"<a>x</a>", "number(//a)", "[\"NaN\"]"},
        {"<a>x</a>", "1 div 0", "[\"Infinity\"]"},
        {"<a>x</a>", "//a = 'x'", "[true]"},
        {"<a>x</a>", "string(//b)", "[\"\"]"},
        {"<a>x</a>", "//b", "[]"},
        {"<a xmlns='urn:x'><b>1</b></a>", "//b", "[]"},
        {"<a xmlns='urn:x'><b>1</b></a>", "//*[local-name()='b']", "[\"1\"]"},
        {"\n \r\n<?xml version='1.0'?>\n<a>1</a>\n", "/a", "[\"1\"]"},
        {"\xEF\xBB\xBF<?xml version='1.0'?><a>1</a>", "/a", "[\"1\"]"},
        {"<?xml version='1.0' encoding='UTF-16'?><a>é</a>", "/a", "[\"é\"]"},
        {"<?xml version='1.0' encoding='nonsense-8'?><a>é</a>", "/a", "[\"é\"]"},
        {"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a>1&unknown;2</a>", "/a", "[\"12\"]"},
        {"<!DOCTYPE a PUBLIC 'x' 'file:///etc/hostname'><a>1</a>", "/a", "[\"1\"]"},
    };
    check(cases, G_N_ELEMENTS(cases), false);
}

static void test_refused(void **state)
{
    (void)state;
    static const char own[] = "!not XML: line 1: its DOCTYPE declares entities or elements of its "
                              "own, which are never read";
    static const struct selection cases[] = {
        {"", "/a", "!not XML: it is empty"},
        {" \n", "/a", "!not XML: it is empty"},
        {"{\"a\":1}", "/a", "!not XML: line 1: Start tag expected, '<' not found"},
        {"\n\n<a>\n<b></a>", "/a",
         "!not XML: line 4: Opening and ending tag mismatch: b line 2 and a"},
        {"<a>&unknown;</a>", "/a", "!not XML: line 1: Entity 'unknown' not defined"},
        {"<a/>\n<b/>", "/a", "!not XML: line 2: Extra content at the end of the document"},
        {"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "/a", own},
        {"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><a>&e;</a>", "/a", own},
        {"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/' [ ]><a/>", "/a", own},
    };
    check(cases, G_N_ELEMENTS(cases), false);
}

static void test_page(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"<form ACTION='/x'><INPUT value='1&amp;2'><input value=é>",
         "//form[@action='/x']//input/@value", "[\"1&2\",\"é\"]"},
        {"<p>a<br>b<p>c&nbsp;&eacute;", "//p", "[\"ab\",\"c\u00a0é\"]"},
        {"<meta charset=iso-8859-1><p>é", "//p", "[\"é\"]"},
        {"<!DOCTYPE html [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><p>&e;", "//p",
         "[\"]>\",\"&e;\"]"},
        {"<svg:x>1</svg:x>", "count(//p)", "[0]"},
        {"", "//p", "!not HTML: it is empty"},
        {"{\"a\": 1}", "//p", "!not HTML: it holds no tag"},
    };
    check(cases, G_N_ELEMENTS(cases), true);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *xpath, *problem; // NULL: none
    } cases[] = {
        {"//a[@b='x:y']/text()", NULL},
        {"ancestor-or-self::node()", NULL},
        {"(1 + 2) div (3) and (4)", NULL},
        {"/e:a/@e:*", NULL},
        {"@xml:lang", NULL},
        {"", "at character 1: the expression is wrong"},
        {"//é[", "at character 5: the expression is wrong"},
        {"//a[.='x", "at character 9: a quote is not closed"},
        {"a b", "at character 3: the expression is wrong"},
        {"//x:id", "what the prefix \"x\" stands for: write namespaces: {x: 'URI'}"},
        {"//a[x:b = 1]", "what the prefix \"x\" stands for"},
        {"child::x:*", "what the prefix \"x\" stands for"},
        {"matches(., 'x')", "no function matches()"},
        {"//a[ends-with (b, 'x')]", "no function ends-with()"},
        {"e:f(1)", "no function e()"},
        {"$v", "there are no variables: write {{name}}"},
        {"count()", "too many or too few values"},
        {"count('a')", "the wrong kind of value"},
        {"\xff", "not UTF-8"},
    };
    g_autoptr(GHashTable) namespaces = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(namespaces, (char *)(uintptr_t) "e", (char *)(uintptr_t) "urn:e");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(xml_path_t) path = xml_path_compile(cases[i].xpath, namespaces, &error);
        if (!path != (cases[i].problem != NULL) ||
            (error && !strstr(error->message, cases[i].problem)))
            fail_msg("%s: %s", cases[i].xpath, error ? error->message : "no error");
    }
}

static void test_namespaces(void **state)
{
    (void)state;
    g_autoptr(GHashTable) namespaces = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(namespaces, (char *)(uintptr_t) "e", (char *)(uintptr_t) "urn:x");
    g_autoptr(xml_path_t) path = xml_path_compile("//e:b/@e:c", namespaces, NULL);
    g_autoptr(xml_document_t) document =
        xml_parse("<y:a xmlns:y='urn:x'><y:b y:c='1'/><b y:c='2'/></y:a>", NULL);
    g_autoptr(GPtrArray) found = xml_path_select(path, document, NULL);
    assert_int_equal(found->len, 1);
    assert_string_equal(cJSON_GetStringValue(found->pdata[0]), "1");
}

static char *repeat(const char *begin, const char *each, size_t length, const char *end)
{
    GString *text = g_string_new(begin);
    while (text->len < length)
        g_string_append(text, each);
    g_string_append(text, end);
    return g_string_free(text, FALSE);
}

// 4 MiB each: what would take minutes or gigabytes ends with a sentence.
static void test_hostile(void **state)
{
    (void)state;
    enum { SIZE = 4 * 1024 * 1024 };
    g_autofree char *deep = repeat("", "<a>", SIZE, "");
    g_autofree char *deep_page = repeat("", "<table><tr><td>", SIZE / 4, "");
    g_autoptr(GString) wide = g_string_new("<a");
    for (int i = 0; wide->len < SIZE; i++)
        g_string_append_printf(wide, " a%d=''", i);
    g_string_append(wide, "/>");
    g_autofree char *links = repeat("", "<a>", SIZE, "");
    g_autofree char *bare = repeat("<a", " b", SIZE, ">");
    g_autoptr(GString) named = g_string_new(NULL);
    for (int i = 0; i < 250; i++) {
        g_string_append(named, "<a");
        for (int k = 0; k < 900; k++)
            g_string_append_printf(named, " xmlns:p%dq%d='u'", i, k);
        g_string_append(named, ">");
    }
    for (int i = 0; i < 250; i++)
        g_string_append(named, "</a>");
    const struct {
        const char *text;
        bool html;
        const char *problem;
    } cases[] = {
        {deep, false, "!not XML: line 1: it is nested more than 256 elements deep"},
        {deep_page, true, "!not HTML to be read: it is nested more than 256 elements deep"},
        {links, true, "!not HTML to be read: it has more than 500000 tags"},
        {wide->str, false, "!not XML to be read: a tag has more than 1000 attributes"},
        {wide->str, true, "!not HTML to be read: a tag has more than 1000 attributes"},
        {bare, true, "!not HTML to be read: a tag has more than 1000 attributes"},
        {named->str, false, "!not XML: line 1: more than 1000 namespaces are open at once"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problem = select_in(cases[i].text, "/a", cases[i].html);
        assert_string_equal(problem, cases[i].problem);
    }
}

// Ordinary paths that would take minutes on this, or for ever, end with a sentence.
static void test_endless_paths(void **state)
{
    (void)state;
    g_autofree char *text = repeat("<r>", "<x><a>1</a></x>", 4 * 1024 * 1024, "</r>");
    static const char *const endless[] = {"//x/following-sibling::x[1]", "//x != //a",
                                          "//a[contains(string(/), 'y')]"};
    g_autoptr(xml_document_t) document = xml_parse(text, NULL);
    assert_non_null(document);
    for (size_t i = 0; i < G_N_ELEMENTS(endless); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(xml_path_t) path = xml_path_compile(endless[i], NULL, NULL);
        assert_null(xml_path_select(path, document, &error));
        assert_true(g_error_matches(error, XML_ERROR, XML_ERROR_LIMIT));
        assert_string_equal(error->message,
                            "the XPath takes too much work on this document: narrow it");
    }
}

// Many results come over from a process of its own, in order and whole.
static void test_many_results(void **state)
{
    (void)state;
    g_autofree char *text = repeat("<r>", "<x><a>1</a></x>", 512 * 1024, "</r>");
    g_autofree char *count = select_in(text, "count(//a)", false);
    assert_string_equal(count, "[34953]");
    g_autoptr(xml_document_t) document = xml_parse(text, NULL);
    g_autoptr(xml_path_t) path = xml_path_compile("//a[. = 1]", NULL, NULL);
    g_autoptr(GPtrArray) found = xml_path_select(path, document, NULL);
    assert_non_null(found);
    assert_int_equal(found->len, 34953);
    assert_string_equal(cJSON_GetStringValue(found->pdata[34952]), "1");
}

// The kinds of results from a large document are the same as from a small one.
static void test_large(void **state)
{
    (void)state;
    g_autofree char *text = repeat("<r><b>\xc3\xa9</b><c/>", "<a/>", 100000, "</r>");
    static const struct {
        const char *xpath, *selected;
    } cases[] = {{"//b", "[\"é\"]"},           {"//c", "[\"\"]"},         {"//d", "[]"},
                 {"count(//b)", "[1]"},        {"//b = 'é'", "[true]"},   {"//b = 1", "[false]"},
                 {"number(//b)", "[\"NaN\"]"}, {"string(//b)", "[\"é\"]"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *selected = select_in(text, cases[i].xpath, false);
        assert_string_equal(selected, cases[i].selected);
    }
}

// Scripts and comments hold no tags, however they look.
static void test_not_hostile(void **state)
{
    (void)state;
    g_autofree char *script = repeat("<script>if (a<b", " x=1", 100000, "</script><p>1");
    g_autofree char *comment = repeat("<a><!-- <b", " x='1'", 100000, "--></a>");
    g_autofree char *section = repeat("<a><![CDATA[<b", " x=1", 100000, "]]></a>");
    const struct {
        const char *text;
        bool html;
    } cases[] = {{script, true}, {comment, false}, {section, false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *count = select_in(cases[i].text, "count(//*) > 0", cases[i].html);
        assert_string_equal(count, "[true]");
    }
}

static void test_too_much_text(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 200; i++)
        g_string_append(text, "<a>");
    g_autofree char *long_text = g_strnfill(100000, 'x');
    g_string_append(text, long_text);
    for (int i = 0; i < 200; i++)
        g_string_append(text, "</a>");
    g_autofree char *all = select_in(text->str, "//a", false);
    assert_string_equal(all, "!the XPath selects more than 16 MiB of text: narrow it");
    g_autofree char *length = select_in(text->str, "string-length(/)", false);
    assert_string_equal(length, "[100000]");
}

static void test_undeclared(void **state)
{
    static const char *const cases[][2] = {
        {"<a xmlns:e='urn:e'><e:b e:c='1'/><d xml:lang='en'/></a>", NULL},
        {"<e:a/>", "e"},
        {"<a><b xmlns:e='urn:e'><e:c/></b><!-- x --><d><e:f/></d></a>", "e"},
        {"<a><b/><c g:h='1'/></a><!-- end -->", "g"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(xml_document_t) document = xml_parse(cases[i][0], NULL);
        g_autofree char *prefix = xml_document_find_undeclared(document);

        assert_int_equal(g_strcmp0(prefix, cases[i][1]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undeclared),    cmocka_unit_test(test_selects),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_page),
        cmocka_unit_test(test_paths),         cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_hostile),       cmocka_unit_test(test_not_hostile),
        cmocka_unit_test(test_too_much_text), cmocka_unit_test(test_endless_paths),
        cmocka_unit_test(test_many_results),  cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// base/jsonpath: cases of our own beside the public suite, and hostile input.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/json.h"
#include "../../base/jsonpath.h"

#include <string.h>

static cJSON *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    cJSON *tree = json_parse(text, strlen(text), &error);
    if (!tree)
        fail_msg("%s: %s", text, error->message);
    return tree;
}

static struct jsonpath *compile(const char *query)
{
    g_autoptr(GError) error = NULL;
    struct jsonpath *path = jsonpath_compile(query, &error);
    if (!path)
        fail_msg("%s: %s", query, error->message);
    assert_null(error);
    return path;
}

// What the query selects, printed as an array.
static char *select_text(const cJSON *document, const char *query)
{
    g_autoptr(jsonpath_t) path = compile(query);
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
    GString *text = g_string_new("[");
    for (unsigned i = 0; i < nodes->len; i++) {
        g_autofree char *node = json_print(g_ptr_array_index(nodes, i), false);
        g_string_append_printf(text, "%s%s", i ? "," : "", node);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

struct selection {
    const char *query, *nodes;
};

static void check(const char *document, const struct selection *cases, size_t count)
{
    g_autoptr(cJSON) tree = parse(document);
    for (size_t i = 0; i < count; i++) {
        g_autofree char *nodes = select_text(tree, cases[i].query);
        if (strcmp(nodes, cases[i].nodes) != 0)
            fail_msg("%s: %s, not %s", cases[i].query, nodes, cases[i].nodes);
    }
}

// The bookstore of RFC 9535 section 1.5.
static void test_bookstore(void **state)
{
    (void)state;
    static const char document[] =
        "{\"store\":{\"book\":["
        "{\"category\":\"reference\",\"author\":\"Nigel "
        "Rees\",\"title\":\"Sayings\",\"price\":8.95},"
        "{\"category\":\"fiction\",\"author\":\"Evelyn "
        "Waugh\",\"title\":\"Sword\",\"price\":12.99},"
        "{\"category\":\"fiction\",\"author\":\"Herman Melville\",\"title\":\"Moby Dick\","
        "\"isbn\":\"0-553-21311-3\",\"price\":8.99},"
        "{\"category\":\"fiction\",\"author\":\"J. R. R. Tolkien\",\"title\":\"Lord\","
        "\"isbn\":\"0-395-19395-8\",\"price\":22.99}],"
        "\"bicycle\":{\"color\":\"red\",\"price\":399}}}";
    static const struct selection cases[] = {
        {"$.store.book[*].author",
         "[\"Nigel Rees\",\"Evelyn Waugh\",\"Herman Melville\",\"J. R. R. Tolkien\"]"},
        {"$..author", "[\"Nigel Rees\",\"Evelyn Waugh\",\"Herman Melville\",\"J. R. R. Tolkien\"]"},
        {"$.store..price", "[8.95,12.99,8.99,22.99,399]"},
        {"$..book[2].title", "[\"Moby Dick\"]"},
        {"$..book[-1].title", "[\"Lord\"]"},
        {"$..book[0,1].title", "[\"Sayings\",\"Sword\"]"},
        {"$..book[:2].title", "[\"Sayings\",\"Sword\"]"},
        {"$..book[?@.isbn].title", "[\"Moby Dick\",\"Lord\"]"},
        {"$..book[?@.price<10].title", "[\"Sayings\",\"Moby Dick\"]"},
        {"$..book[?@.price==8.950].title", "[\"Sayings\"]"},
        {"$..book[?@.price>$.store.bicycle.price]", "[]"},
        {"$..book[?@.price<10 && @.category=='fiction'].title", "[\"Moby Dick\"]"},
        {"$..book[?!@.isbn].price", "[8.95,12.99]"},
        {"$..book[?match(@.author, '[A-Z].* Waugh')].title", "[\"Sword\"]"},
        {"$..book[?search(@.author, 'R\\\\.')].title", "[\"Lord\"]"},
        {"$.store.bicycle['color', \"price\"]", "[\"red\",399]"},
        {"$.store.book.author", "[]"},
        {"$.store.bicycle[0]", "[]"},
        {"$.nothing..x", "[]"},
    };
    check(document, cases, G_N_ELEMENTS(cases));
}

static void test_slices(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"$[1:3]", "[1,2]"},
        {"$[5:]", "[5,6]"},
        {"$[1:5:2]", "[1,3]"},
        {"$[5:1:-2]", "[5,3]"},
        {"$[::-1]", "[6,5,4,3,2,1,0]"},
        {"$[:]", "[0,1,2,3,4,5,6]"},
        {"$[::]", "[0,1,2,3,4,5,6]"},
        {"$[ 1 : 3 : 1 ]", "[1,2]"},
        {"$[::0]", "[]"},
        {"$[3:1]", "[]"},
        {"$[-2:]", "[5,6]"},
        {"$[:-5]", "[0,1]"},
        {"$[-100:2]", "[0,1]"},
        {"$[2:100]", "[2,3,4,5,6]"},
        {"$[100::-3]", "[6,3,0]"},
        {"$[-100::-1]", "[]"},
        {"$[:3:-1]", "[6,5,4]"},
        {"$[-1:-4:-1]", "[6,5,4]"},
        {"$[6]", "[6]"},
        {"$[7]", "[]"},
        {"$[-7]", "[0]"},
        {"$[-8]", "[]"},
        {"$[9007199254740991]", "[]"},
        {"$[-9007199254740991]", "[]"},
        {"$[::9007199254740991]", "[0]"},
        {"$[::-9007199254740991]", "[6]"},
        {"$[0,0,-1]", "[0,0,6]"},
        {"$[2:4,1]", "[2,3,1]"},
    };
    check("[0,1,2,3,4,5,6]", cases, G_N_ELEMENTS(cases));
    static const struct selection empty[] = {
        {"$[::-1]", "[]"}, {"$[-1]", "[]"}, {"$[0]", "[]"}, {"$[*]", "[]"}, {"$..*", "[]"}};
    check("[]", empty, G_N_ELEMENTS(empty));
}

static void test_names(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"$.a", "[1]"},
        {"$.A", "[2]"},
        {"$['']", "[3]"},
        {"$['it\\'s']", "[4]"},
        {"$[\"it's\"]", "[4]"},
        {"$['\\u0069t\\u0027s']", "[4]"},
        {"$.\u00e9", "[5]"},
        {"$['\\u00e9']", "[5]"},
        {"$['\\ud83d\\ude00']", "[6]"},
        {"$.\U0001F600", "[6]"},
        {"$['a.b']", "[7]"},
        {"$['\\u0000']", "[8]"}, // reads as U+FFFD, as the document's own does
        {"$['tab\\there']", "[9]"},
        {"$.length", "[10]"},
        {"$ .a", "[1]"},
        {"$\n[ 'a' , 'A' ]", "[1,2]"},
    };
    check("{\"a\":1,\"A\":2,\"\":3,\"it's\":4,\"\u00e9\":5,\"\U0001F600\":6,\"a.b\":7,"
          "\"\\u0000\":8,\"tab\\there\":9,\"length\":10}",
          cases, G_N_ELEMENTS(cases));
}

// A key that stands twice is ambiguous: both are selected, so that a capture of
// one value fails and an expectation has to hold for both.
static void test_duplicate_keys(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"$.a", "[1,3]"},          {"$..a", "[1,3]"},   {"$.*", "[1,2,3]"},
        {"$['a','b']", "[1,3,2]"}, {"$[?@==3]", "[3]"},
    };
    check("{\"a\":1,\"b\":2,\"a\":3}", cases, G_N_ELEMENTS(cases));
}

// Numbers by their digits, texts by their characters, nothing by itself.
static void test_comparisons(void **state)
{
    (void)state;
    static const struct {
        const char *test;
        bool holds;
    } cases[] = {
        {"$.big == 9007199254740993", true},
        {"$.big == 9007199254740992", false},
        {"$.big > 9007199254740992", true},
        {"$.price == 12.1", true},
        {"$.price == 1.21e1", true},
        {"$.price < 12.100000000000000000001", true},
        {"$.huge == 1e400", true},
        {"$.huge < 1e401", true},
        {"$.zero == -0", true},
        {"$.text == 'b'", true},
        {"$.text < 'c'", true},
        {"$.text < 'B'", false},
        {"$.text >= 'b'", true},
        {"$.text == 1", false},
        {"$.text < 1", false},
        {"$.text != 1", true},
        {"'\u00e9' < '\U0001F600'", true},
        {"'\uFFFF' < '\U00010000'", true},
        {"$.none == $.neither", true},
        {"$.none <= $.neither", true},
        {"$.none < $.neither", false},
        {"$.none == null", false},
        {"$.null == null", true},
        {"$.null <= null", true},
        {"$.null < null", false},
        {"true == true", true},
        {"true >= true", true},
        {"true > false", false},
        {"$.list == $.same", true},
        {"$.list < $.same", false},
        {"$.list != $.other", true},
        {"$.object == $.turned", true},
        {"$.list == $.object", false},
        {"length($.text) == 1", true},
        {"length($.list) == 2", true},
        {"length($.object) == 2", true},
        {"length($.big) == 2", false},
        {"length($.none) == $.neither", true},
        {"length('a\u00e9\U0001F600') == 3", true},
        {"count($.*) > 10", true},
        {"count($.none) == 0", true},
        {"count($..x) == 2", true},
        {"value($..x) == 1", false},
        {"value($..y) == 2", false},
        {"value($.last[*]) == 0", true},
        {"value($..none) == $.none", true},
        {"!($.text == 'b')", false},
        {"!$.none", true},
        {"($.none || $.text) && $.list", true},
        {"$.none || $.neither", false},
        {"$.null", true},
    };
    g_autoptr(cJSON) document =
        parse("{\"big\":9007199254740993,\"price\":12.10,\"huge\":1e400,\"zero\":0,\"text\":\"b\","
              "\"null\":null,\"list\":[1,2],\"same\":[1.0,2],\"other\":[2,1],"
              "\"object\":{\"x\":1,\"y\":2},\"turned\":{\"y\":2.0,\"x\":1},\"last\":[0]}");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        // The filter sees each member of the document: all or none are selected.
        g_autofree char *query = g_strdup_printf("$[?%s]", cases[i].test);
        g_autoptr(jsonpath_t) path = compile(query);
        g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
        unsigned expected = cases[i].holds ? (unsigned)cJSON_GetArraySize(document) : 0;
        if (nodes->len != expected)
            fail_msg("%s selects %u", query, nodes->len);
    }
}

// What I-Regexp has, what it has not (no match at all then), what it means.
static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches, found;
    } cases[] = {
        {"a.c", "abc", true, true},
        {"a.c", "xabcx", false, true},
        {"a.c", "a\\nc", false, false},
        {"a.c", "a\u2028c", true, true},
        {"a|bc", "bc", true, true},
        {"a|ab", "ab", true, true},
        {"(a|b)*c", "ababc", true, true},
        {"a{2}", "aa", true, true},
        {"a{2,}", "aaa", true, true},
        {"a{2,3}", "aaaa", false, true},
        {"a?b+", "bb", true, true},
        {"[a-c]+", "abc", true, true},
        {"[^a-c]+", "xyz", true, true},
        {"[-a]+", "-a-", true, true},
        {"[a-]+", "a-", true, true},
        {"[\\\\]\\\\[]+", "][", true, true},
        {"[a^]+", "^a", true, true},
        {"\\\\p{L}+", "A\u00e9\u0436", true, true},
        {"\\\\p{Nd}", "7", true, true},
        {"\\\\P{Lu}+", "abc", true, true},
        {"[\\\\p{Lu}0-9]+", "A1", true, true},
        {"\\\\.\\\\*\\\\n", ".*\\n", true, true},
        {"^ab$", "ab", true, true},
        {"b$", "ab\\n", false, false},
        {"", "", true, true},
        {"()", "x", false, true},
        {"\U0001F600+", "\U0001F600\U0001F600", true, true},
        // not I-Regexp
        {"\\\\d+", "12", false, false},
        {"\\\\w", "a", false, false},
        {"\\\\bx", "x", false, false},
        {"a*?", "a", false, false},
        {"a++", "a", false, false},
        {"(?:a)", "a", false, false},
        {"(?i)A", "a", false, false},
        {"(*UTF)a", "a", false, false},
        {"[[:alpha:]]", "a", false, false},
        {"[]", "]", false, false},
        {"[a", "a", false, false},
        {"[c-a]", "b", false, false},
        {"[a-c-e]", "b", false, false},
        {"a{,2}", "a", false, false},
        {"a{2", "a{2", false, false},
        {"a{99999999999}", "a", false, false},
        {"(a", "a", false, false},
        {"a)", "a", false, false},
        {"*a", "a", false, false},
        {"\\\\p{Xx}", "a", false, false},
        {"\\\\p{L", "a", false, false},
        {"\\\\pL", "a", false, false},
        {"a\\\\", "a", false, false},
        {"\\\\/", "/", false, false},
        {"(a)\\\\1", "aa", false, false},
        {"}", "}", false, false},
        {"]", "]", false, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("[\"%s\"]", cases[i].text);
        g_autofree char *list =
            g_strdup_printf("{\"t\":[\"%s\"],\"p\":\"%s\"}", cases[i].text, cases[i].pattern);
        g_autofree char *match = g_strdup_printf("$[?match(@, \"%s\")]", cases[i].pattern);
        g_autofree char *search = g_strdup_printf("$[?search(@, \"%s\")]", cases[i].pattern);
        const struct {
            const char *document, *query;
            bool expected;
        } ways[] = {{text, match, cases[i].matches},
                    {text, search, cases[i].found},
                    {list, "$.t[?match(@, $.p)]", cases[i].matches},
                    {list, "$.t[?search(@, $.p)]", cases[i].found}};
        for (size_t w = 0; w < G_N_ELEMENTS(ways); w++) {
            g_autoptr(cJSON) document = parse(ways[w].document);
            g_autoptr(jsonpath_t) path = compile(ways[w].query);
            g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
            if ((nodes->len == 1) != ways[w].expected)
                fail_msg("%s on %s", ways[w].query, ways[w].document);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        enum jsonpath_error code;
        const char *part;
    } cases[] = {
        {"", JSONPATH_ERROR_SYNTAX, "character 1: a query begins with $"},
        {"a", JSONPATH_ERROR_SYNTAX, "begins with $"},
        {"@.a", JSONPATH_ERROR_SYNTAX, "begins with $"},
        {" $", JSONPATH_ERROR_SYNTAX, "begins with $"},
        {"$ ", JSONPATH_ERROR_SYNTAX, "character 2: the query should end"},
        {"$.", JSONPATH_ERROR_SYNTAX, "character 3: a name or *"},
        {"$..", JSONPATH_ERROR_SYNTAX, "a name or *"},
        {"$...a", JSONPATH_ERROR_SYNTAX, "a name or *"},
        {"$.a.", JSONPATH_ERROR_SYNTAX, "character 5"},
        {"$.1", JSONPATH_ERROR_SYNTAX, "a name or *"},
        {"$.a-b", JSONPATH_ERROR_SYNTAX, "character 4: the query should end"},
        {"$.['a']", JSONPATH_ERROR_SYNTAX, "a name or *"},
        {"$a", JSONPATH_ERROR_SYNTAX, "should end"},
        {"$[", JSONPATH_ERROR_SYNTAX, "a selector"},
        {"$[]", JSONPATH_ERROR_SYNTAX, "a selector"},
        {"$[a]", JSONPATH_ERROR_SYNTAX, "a selector"},
        {"$[0", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[0,]", JSONPATH_ERROR_SYNTAX, "a selector"},
        {"$[0 1]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[01]", JSONPATH_ERROR_SYNTAX, "no 0 in front"},
        {"$[-0]", JSONPATH_ERROR_SYNTAX, "no -0"},
        {"$[-]", JSONPATH_ERROR_SYNTAX, "an integer"},
        {"$[1.0]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[9007199254740992]", JSONPATH_ERROR_SYNTAX, "2^53"},
        {"$[99999999999999999999999999]", JSONPATH_ERROR_SYNTAX, "2^53"},
        {"$[1:2:3:4]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$['a]", JSONPATH_ERROR_SYNTAX, "the quote that closes"},
        {"$['a\\']", JSONPATH_ERROR_SYNTAX, "the quote that closes"},
        {"$['\\x']", JSONPATH_ERROR_SYNTAX, "no such escape"},
        {"$['\\\"']", JSONPATH_ERROR_SYNTAX, "no such escape"},
        {"$[\"\\'\"]", JSONPATH_ERROR_SYNTAX, "no such escape"},
        {"$['\\u12']", JSONPATH_ERROR_SYNTAX, "four hexadecimal"},
        {"$['\\ud800']", JSONPATH_ERROR_SYNTAX, "in pairs"},
        {"$['\\ud800\\u0041']", JSONPATH_ERROR_SYNTAX, "in pairs"},
        {"$['\\udc00']", JSONPATH_ERROR_SYNTAX, "in pairs"},
        {"$['a\nb']", JSONPATH_ERROR_SYNTAX, "control character"},
        {"$.caf\xE9", JSONPATH_ERROR_SYNTAX, "character 6: a byte is not UTF-8"},
        {"$[?]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
        {"$[?@", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[?@.a ==]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
        {"$[?@.a = 1]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[?@.a === 1]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
        {"$[?@.a == 01]", JSONPATH_ERROR_SYNTAX, "not a number of JSON"},
        {"$[?@.a == 1.]", JSONPATH_ERROR_SYNTAX, "not a number of JSON"},
        {"$[?@.a == TRUE]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
        {"$[?@.a & @.b]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[?@.a &&]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
        {"$[?(@.a]", JSONPATH_ERROR_SYNTAX, "a )"},
        {"$[?!@.a == 1]", JSONPATH_ERROR_SYNTAX, "parentheses around"},
        {"$[?!@.a == count(@.*)]", JSONPATH_ERROR_SYNTAX, "parentheses around"},
        {"$[?(@.a == 1) == 2]", JSONPATH_ERROR_SYNTAX, "a comma or ]"},
        {"$[?count(@.a) ]", JSONPATH_ERROR_TYPE, "is no test"},
        {"$[?1]", JSONPATH_ERROR_TYPE, "a value alone is no test"},
        {"$[?true]", JSONPATH_ERROR_TYPE, "a value alone is no test"},
        {"$[?'a' && @.b]", JSONPATH_ERROR_TYPE, "a value alone is no test"},
        {"$[?@.* == 1]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?@..a == 1]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?@['a','b'] == 1]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?@[ 'a' ] == 1]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?1 == @.*]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?match(@.a, 'x') == true]", JSONPATH_ERROR_TYPE, "one node"},
        {"$[?foo(@.a)]", JSONPATH_ERROR_TYPE, "the functions are"},
        {"$[?length(@.*) == 1]", JSONPATH_ERROR_TYPE, "a value or a query for one node"},
        {"$[?length() == 1]", JSONPATH_ERROR_TYPE, "arguments"},
        {"$[?length(@.a, @.b) == 1]", JSONPATH_ERROR_TYPE, "fewer arguments"},
        {"$[?match(@.a)]", JSONPATH_ERROR_TYPE, "more arguments"},
        {"$[?count(1) == 1]", JSONPATH_ERROR_TYPE, "a query here"},
        {"$[?count(length(@.a)) == 1]", JSONPATH_ERROR_TYPE, "a query here"},
        {"$[?length(@.a == 1]", JSONPATH_ERROR_SYNTAX, "a comma or )"},
        {"$[?length (@.a) == 1]", JSONPATH_ERROR_SYNTAX, "a value, a query"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(jsonpath_compile(cases[i].query, &error));
        if (!g_error_matches(error, JSONPATH_ERROR, (int)cases[i].code) ||
            !strstr(error->message, cases[i].part))
            fail_msg("%s: %s", cases[i].query, error ? error->message : "no error");
    }
    jsonpath_free(NULL);
}

// Every prefix of queries with everything in them: refused or not, nothing breaks.
static void test_prefixes(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "$..book[?(@.price < 1.5e3 && !match(@['a'], \"x\\u00e9\")) || value(@..b) == 'c', "
        "1:2:-1].x",
        "$[ 'a\\n' , \"b\" , * , -1 , : , ?length($.x[0]) >= 2 && count(@.*) != null ]..*"};
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autoptr(jsonpath_t) whole = compile(queries[i]);
        assert_non_null(whole);
        for (size_t length = 0; length < strlen(queries[i]); length++) {
            g_autofree char *prefix = g_strndup(queries[i], length);
            g_autoptr(GError) error = NULL;
            g_autoptr(jsonpath_t) path = jsonpath_compile(prefix, &error);
            assert_int_equal(path == NULL, error != NULL);
        }
    }
}

// Queries that nest as deep as their length allows.
static void test_deep_queries(void **state)
{
    (void)state;
    static const char *const parts[] = {"(", "!(", "$[?", "[?@", "..*", ".a", "length(", "[0]"};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        for (size_t length = 4000; length < 1000000; length *= 16) {
            g_autoptr(GString) query = g_string_new(i >= 3 && i != 6 ? "$" : "$[?");
            while (query->len < length)
                g_string_append(query, parts[i]);
            g_autoptr(GError) error = NULL;
            g_autoptr(jsonpath_t) path = jsonpath_compile(query->str, &error);
            assert_int_equal(path == NULL, error != NULL);
            if (length > 4096)
                assert_non_null(strstr(error->message, "longer than 4096"));
            g_autoptr(cJSON) document = parse("[[[[[[1]]]]]]");
            if (path)
                g_ptr_array_unref(jsonpath_select(path, document));
        }
}

static cJSON *nest(unsigned depth)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, "[");
    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, "]");
    return parse(text->str);
}

// Work is bounded: such a query stops, and selects nothing.
static void test_bombs(void **state)
{
    (void)state;
    static const char *const bombs[] = {
        "$..*..*..*..*..*",
        "$..[*,*,*,*]..[*,*,*,*]..[*,*,*,*]",
        "$..[?@..*]..[?@..*]..[?@..*]..*",
        "$..[?count(@..*..*) > 1 || count(@..*..*..*) > 0]",
        "$[*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*"
        "]"
        "[*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*][*,*"
        "]",
    };
    g_autoptr(cJSON) deep = nest(1000);
    for (size_t i = 0; i < G_N_ELEMENTS(bombs); i++) {
        g_autoptr(jsonpath_t) path = compile(bombs[i]);
        g_autoptr(GPtrArray) nodes = jsonpath_select(path, deep);
        assert_int_equal(nodes->len, 0);
    }
    // What is deep but no bomb is selected.
    g_autoptr(jsonpath_t) all = compile("$..*");
    g_autoptr(GPtrArray) nodes = jsonpath_select(all, deep);
    assert_int_equal(nodes->len, 999);
}

// A pattern that backtracks without end is no match, and costs a bounded time.
static void test_pattern_bombs(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("[");
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(text,
                               "%s\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d\"",
                               i ? "," : "", i);
    g_string_append(text, "]");
    g_autoptr(cJSON) document = parse(text->str);
    g_autoptr(jsonpath_t) path = compile("$[?match(@, '(a+)+b')]");
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
    assert_int_equal(nodes->len, 0);
}

static void test_nothing(void **state)
{
    (void)state;
    g_autoptr(jsonpath_t) path = compile("$..*");
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, NULL);
    assert_int_equal(nodes->len, 0);
    static const struct selection scalars[] = {
        {"$", "[7]"}, {"$.a", "[]"}, {"$[0]", "[]"}, {"$..*", "[]"}, {"$[?@==7]", "[]"}};
    check("7", scalars, G_N_ELEMENTS(scalars));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bookstore),     cmocka_unit_test(test_slices),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_comparisons),   cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_deep_queries),  cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_pattern_bombs), cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

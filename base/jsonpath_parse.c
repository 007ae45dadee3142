// SPDX-License-Identifier: MIT
// From the text of a JSONPath query (RFC 9535) to its tree: queries, segments,
// selectors. Filters are in jsonpath_filter.c, literals in jsonpath_literal.c.
// A query's length is bounded, and with it how deep anything recurses.
#include "jsonpath_parser.h"

#include <string.h>

#define QUERY_LENGTH_MOST 4096

G_DEFINE_QUARK(erpwatch - jsonpath - error, jsonpath_error)

bool jsonpath_parser_fail(const struct jsonpath_parser *parser, enum jsonpath_error code,
                          const char *what)
{
    g_set_error(parser->error, JSONPATH_ERROR, (int)code,
                "the JSONPath is wrong at character %ld: %s",
                g_utf8_strlen(parser->text, parser->at - parser->text) + 1, what);
    return false;
}

static bool fail(const struct jsonpath_parser *parser, const char *what)
{
    return jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX, what);
}

bool jsonpath_parser_take(struct jsonpath_parser *parser, char character)
{
    if (*parser->at != character)
        return false;
    parser->at++;
    return true;
}

void jsonpath_parser_skip_blanks(struct jsonpath_parser *parser)
{
    parser->at += strspn(parser->at, " \t\n\r");
}

static bool is_name_first(char c)
{
    return g_ascii_isalpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static struct jsonpath_selector *parse_name(struct jsonpath_parser *parser)
{
    g_autofree char *name = jsonpath_parser_text(parser);
    if (!name)
        return NULL;
    struct jsonpath_selector *selector = jsonpath_selector_new(JSONPATH_NAME);
    selector->name = g_steal_pointer(&name);
    return selector;
}

static struct jsonpath_selector *parse_filter(struct jsonpath_parser *parser)
{
    parser->at++;
    jsonpath_parser_skip_blanks(parser);
    struct jsonpath_expression *filter = jsonpath_parser_filter(parser);
    if (!filter)
        return NULL;
    struct jsonpath_selector *selector = jsonpath_selector_new(JSONPATH_FILTER);
    selector->filter = filter;
    return selector;
}

// An integer where one stands here; `given` says whether one did.
static bool parse_optional(struct jsonpath_parser *parser, int64_t *number, bool *given)
{
    *given = *parser->at == '-' || g_ascii_isdigit(*parser->at);
    return !*given || jsonpath_parser_integer(parser, number);
}

// What follows the first number (or none) of a slice, from its colon on.
static bool parse_slice(struct jsonpath_parser *parser, struct jsonpath_selector *slice)
{
    slice->kind = JSONPATH_SLICE;
    parser->at++;
    jsonpath_parser_skip_blanks(parser);
    if (!parse_optional(parser, &slice->end, &slice->has_end))
        return false;
    const char *before = parser->at;
    jsonpath_parser_skip_blanks(parser);
    if (!jsonpath_parser_take(parser, ':')) {
        parser->at = before;
        return true;
    }
    jsonpath_parser_skip_blanks(parser);
    bool given;
    return parse_optional(parser, &slice->step, &given);
}

static struct jsonpath_selector *parse_index_or_slice(struct jsonpath_parser *parser)
{
    g_autoptr(jsonpath_selector_t) selector = jsonpath_selector_new(JSONPATH_INDEX);
    if (!parse_optional(parser, &selector->start, &selector->has_start))
        return NULL;
    const char *before = parser->at;
    jsonpath_parser_skip_blanks(parser);
    if (*parser->at == ':') {
        if (!parse_slice(parser, selector))
            return NULL;
    } else if (selector->has_start) {
        parser->at = before;
    } else {
        fail(parser, "a selector was expected: 'name', *, 0, 1:2 or ?filter");
        return NULL;
    }
    return g_steal_pointer(&selector);
}

static struct jsonpath_selector *parse_selector(struct jsonpath_parser *parser)
{
    switch (*parser->at) {
    case '\'':
    case '"':
        return parse_name(parser);
    case '*':
        parser->at++;
        return jsonpath_selector_new(JSONPATH_WILDCARD);
    case '?':
        return parse_filter(parser);
    default:
        return parse_index_or_slice(parser);
    }
}

// Selectors between brackets. `tight` says whether there were no blanks, as the
// grammar of singular queries wants it.
static bool parse_brackets(struct jsonpath_parser *parser, struct jsonpath_segment *segment,
                           bool *tight)
{
    const char *from = ++parser->at;
    do {
        jsonpath_parser_skip_blanks(parser);
        *tight = parser->at == from;
        struct jsonpath_selector *selector = parse_selector(parser);
        if (!selector)
            return false;
        g_ptr_array_add(segment->selectors, selector);
        from = parser->at;
        jsonpath_parser_skip_blanks(parser);
        *tight = *tight && parser->at == from;
    } while (jsonpath_parser_take(parser, ','));
    return jsonpath_parser_take(parser, ']') || fail(parser, "a comma or ] was expected");
}

// What follows a dot or two without brackets: * or a name.
static bool parse_shorthand(struct jsonpath_parser *parser, struct jsonpath_segment *segment)
{
    if (jsonpath_parser_take(parser, '*')) {
        g_ptr_array_add(segment->selectors, jsonpath_selector_new(JSONPATH_WILDCARD));
        return true;
    }
    if (!is_name_first(*parser->at))
        return fail(parser, "a name or * was expected; other names are written ['so']");
    const char *from = parser->at;
    while (is_name_first(*parser->at) || g_ascii_isdigit(*parser->at))
        parser->at++;
    struct jsonpath_selector *selector = jsonpath_selector_new(JSONPATH_NAME);
    selector->name = g_strndup(from, (size_t)(parser->at - from));
    g_ptr_array_add(segment->selectors, selector);
    return true;
}

// True where the segment's form alone says that it selects one node at most.
static bool is_singular(const struct jsonpath_segment *segment, bool tight)
{
    if (segment->descendant || segment->selectors->len != 1 || !tight)
        return false;
    const struct jsonpath_selector *selector = g_ptr_array_index(segment->selectors, 0);
    return selector->kind == JSONPATH_NAME || selector->kind == JSONPATH_INDEX;
}

static bool parse_segment(struct jsonpath_parser *parser, struct jsonpath_query *query)
{
    bool dot = jsonpath_parser_take(parser, '.');
    bool descendant = dot && jsonpath_parser_take(parser, '.');
    struct jsonpath_segment *segment = jsonpath_segment_new(descendant);
    g_ptr_array_add(query->segments, segment);
    bool tight = true;
    bool brackets = *parser->at == '[' && (!dot || descendant);
    if (!(brackets ? parse_brackets(parser, segment, &tight) : parse_shorthand(parser, segment)))
        return false;
    query->singular = query->singular && is_singular(segment, tight);
    return true;
}

struct jsonpath_query *jsonpath_parser_query(struct jsonpath_parser *parser)
{
    g_autoptr(jsonpath_query_t) query = jsonpath_query_new(*parser->at == '@');
    const char *end = ++parser->at;
    for (;;) {
        jsonpath_parser_skip_blanks(parser);
        if (*parser->at != '.' && *parser->at != '[')
            break;
        if (!parse_segment(parser, query))
            return NULL;
        end = parser->at;
    }
    parser->at = end; // blanks behind the last segment belong to whatever follows
    return g_steal_pointer(&query);
}

static struct jsonpath_query *parse_whole(struct jsonpath_parser *parser)
{
    if (*parser->at != '$') {
        fail(parser, "a query begins with $");
        return NULL;
    }
    g_autoptr(jsonpath_query_t) query = jsonpath_parser_query(parser);
    if (!query)
        return NULL;
    if (*parser->at) {
        fail(parser, "the query should end here, or go on with . or [");
        return NULL;
    }
    return g_steal_pointer(&query);
}

struct jsonpath *jsonpath_compile(const char *query, GError **error)
{
    struct jsonpath_parser parser = {.text = query, .at = query, .error = error};
    const char *bad = NULL;
    if (strnlen(query, QUERY_LENGTH_MOST + 1) > QUERY_LENGTH_MOST) {
        fail(&parser, "it is longer than 4096 bytes");
        return NULL;
    }
    if (!g_utf8_validate(query, -1, &bad)) {
        parser.at = bad;
        fail(&parser, "a byte is not UTF-8");
        return NULL;
    }
    struct jsonpath_query *tree = parse_whole(&parser);
    if (!tree)
        return NULL;
    struct jsonpath *path = g_new(struct jsonpath, 1);
    path->query = tree;
    return path;
}

void jsonpath_free(struct jsonpath *path)
{
    if (!path)
        return;
    jsonpath_query_free(path->query);
    g_free(path);
}

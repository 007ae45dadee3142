// SPDX-License-Identifier: MIT
// The filters of JSONPath (RFC 9535 section 2.3.5), with the types of their
// functions checked (section 2.4.3): what may be compared, tested, passed.
#include "jsonpath_iregexp.h"
#include "jsonpath_parser.h"

#include <string.h>

static bool fail(const struct jsonpath_parser *parser, const char *what)
{
    return jsonpath_parser_fail(parser, JSONPATH_ERROR_SYNTAX, what);
}

static bool fail_type(const struct jsonpath_parser *parser, const char *what)
{
    return jsonpath_parser_fail(parser, JSONPATH_ERROR_TYPE, what);
}

static struct jsonpath_expression *new_literal(cJSON *literal)
{
    if (!literal)
        return NULL;
    struct jsonpath_expression *expression = jsonpath_expression_new(JSONPATH_LITERAL);
    expression->literal = literal;
    return expression;
}

static struct jsonpath_expression *parse_text(struct jsonpath_parser *parser)
{
    g_autofree char *text = jsonpath_parser_text(parser);
    return text ? new_literal(cJSON_CreateString(text)) : NULL;
}

static struct jsonpath_expression *parse_query(struct jsonpath_parser *parser)
{
    struct jsonpath_query *query = jsonpath_parser_query(parser);
    if (!query)
        return NULL;
    struct jsonpath_expression *expression = jsonpath_expression_new(JSONPATH_QUERY);
    expression->query = query;
    return expression;
}

// True where the expression gives one value or nothing, so that it can be
// compared or passed as a value.
static bool is_value(const struct jsonpath_expression *expression)
{
    if (expression->kind == JSONPATH_QUERY)
        return expression->query->singular;
    if (expression->kind == JSONPATH_CALL)
        return expression->function->result == JSONPATH_TYPE_VALUE;
    return expression->kind == JSONPATH_LITERAL;
}

static bool check_argument(const struct jsonpath_parser *parser,
                           const struct jsonpath_function *function,
                           const struct jsonpath_expression *argument, unsigned index)
{
    if (index >= function->parameters)
        return fail_type(parser, "the function takes fewer arguments");
    if (function->parameter[index] == JSONPATH_TYPE_NODES)
        return argument->kind == JSONPATH_QUERY ||
               fail_type(parser, "the function wants a query here");
    return is_value(argument) ||
           fail_type(parser, "the function wants a value or a query for one node here");
}

static struct jsonpath_expression *parse_primary(struct jsonpath_parser *parser);

static bool parse_arguments(struct jsonpath_parser *parser, struct jsonpath_expression *call)
{
    jsonpath_parser_skip_blanks(parser);
    if (jsonpath_parser_take(parser, ')'))
        return call->function->parameters == 0 || fail_type(parser, "the function wants arguments");
    do {
        jsonpath_parser_skip_blanks(parser);
        struct jsonpath_expression *argument = parse_primary(parser);
        if (!argument)
            return false;
        g_ptr_array_add(call->operands, argument);
        if (!check_argument(parser, call->function, argument, call->operands->len - 1))
            return false;
        jsonpath_parser_skip_blanks(parser);
    } while (jsonpath_parser_take(parser, ','));
    if (!jsonpath_parser_take(parser, ')'))
        return fail(parser, "a comma or ) was expected");
    return call->operands->len == call->function->parameters ||
           fail_type(parser, "the function takes more arguments");
}

// A pattern that stands in the query is compiled once.
static void compile_pattern(struct jsonpath_expression *call)
{
    if (call->function->kind != JSONPATH_MATCH && call->function->kind != JSONPATH_SEARCH)
        return;
    const struct jsonpath_expression *pattern = jsonpath_expression_operand(call, 1);
    if (pattern->kind == JSONPATH_LITERAL && cJSON_IsString(pattern->literal))
        call->regex = jsonpath_iregexp_compile(pattern->literal->valuestring,
                                               call->function->kind == JSONPATH_MATCH);
}

static struct jsonpath_expression *parse_call(struct jsonpath_parser *parser, size_t length)
{
    const struct jsonpath_function *function = jsonpath_function_find(parser->at, length);
    if (!function) {
        fail_type(parser, "the functions are length, count, match, search and value");
        return NULL;
    }
    parser->at += length + 1;
    g_autoptr(jsonpath_expression_t) call = jsonpath_expression_new(JSONPATH_CALL);
    call->function = function;
    if (!parse_arguments(parser, call))
        return NULL;
    compile_pattern(call);
    return g_steal_pointer(&call);
}

// true, false, null, or a function's call.
static struct jsonpath_expression *parse_word(struct jsonpath_parser *parser)
{
    static const struct {
        const char *word;
        cJSON *(*create)(void);
    } words[] = {
        {"true", cJSON_CreateTrue}, {"false", cJSON_CreateFalse}, {"null", cJSON_CreateNull}};
    size_t length = strspn(parser->at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (parser->at[length] == '(')
        return parse_call(parser, length);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i].word) == length && memcmp(parser->at, words[i].word, length) == 0) {
            parser->at += length;
            return new_literal(words[i].create());
        }
    fail(parser, "a value, a query ($ or @) or a function was expected");
    return NULL;
}

// A literal, a query or a call.
static struct jsonpath_expression *parse_primary(struct jsonpath_parser *parser)
{
    char next = *parser->at;
    if (next == '@' || next == '$')
        return parse_query(parser);
    if (next == '\'' || next == '"')
        return parse_text(parser);
    if (next == '-' || g_ascii_isdigit(next))
        return new_literal(jsonpath_parser_number(parser));
    return parse_word(parser);
}

static bool take_comparison(struct jsonpath_parser *parser, enum jsonpath_comparison *comparison)
{
    static const struct {
        const char *sign;
        enum jsonpath_comparison comparison;
    } signs[] = {// longer ones first
                 {"==", JSONPATH_EQUAL},      {"!=", JSONPATH_UNEQUAL},
                 {"<=", JSONPATH_LESS_EQUAL}, {">=", JSONPATH_GREATER_EQUAL},
                 {"<", JSONPATH_LESS},        {">", JSONPATH_GREATER}};
    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++)
        if (g_str_has_prefix(parser->at, signs[i].sign)) {
            parser->at += strlen(signs[i].sign);
            *comparison = signs[i].comparison;
            return true;
        }
    return false;
}

// True where the expression, alone, says yes or no.
static bool check_test(const struct jsonpath_parser *parser,
                       const struct jsonpath_expression *expression)
{
    if (expression->kind == JSONPATH_LITERAL)
        return fail_type(parser, "a value alone is no test: compare it");
    if (expression->kind == JSONPATH_CALL && expression->function->result == JSONPATH_TYPE_VALUE)
        return fail_type(parser, "what the function gives is no test: compare it");
    return true;
}

static bool check_comparable(const struct jsonpath_parser *parser,
                             const struct jsonpath_expression *expression)
{
    return is_value(expression) ||
           fail_type(parser, "only values and queries for one node (names and indexes, no blanks "
                             "within the brackets) can be compared");
}

// A test, or the comparison that begins with it.
static struct jsonpath_expression *parse_test(struct jsonpath_parser *parser)
{
    g_autoptr(jsonpath_expression_t) left = parse_primary(parser);
    if (!left)
        return NULL;
    const char *end = parser->at;
    jsonpath_parser_skip_blanks(parser);
    enum jsonpath_comparison comparison;
    if (!take_comparison(parser, &comparison)) {
        parser->at = end;
        return check_test(parser, left) ? g_steal_pointer(&left) : NULL;
    }
    if (!check_comparable(parser, left))
        return NULL;
    jsonpath_parser_skip_blanks(parser);
    g_autoptr(jsonpath_expression_t) right = parse_primary(parser);
    if (!right || !check_comparable(parser, right))
        return NULL;
    struct jsonpath_expression *compare = jsonpath_expression_new(JSONPATH_COMPARE);
    compare->comparison = comparison;
    g_ptr_array_add(compare->operands, g_steal_pointer(&left));
    g_ptr_array_add(compare->operands, g_steal_pointer(&right));
    return compare;
}

static struct jsonpath_expression *parse_parentheses(struct jsonpath_parser *parser)
{
    parser->at++;
    jsonpath_parser_skip_blanks(parser);
    g_autoptr(jsonpath_expression_t) inner = jsonpath_parser_filter(parser);
    if (!inner)
        return NULL;
    jsonpath_parser_skip_blanks(parser);
    if (jsonpath_parser_take(parser, ')'))
        return g_steal_pointer(&inner);
    fail(parser, "a ) was expected");
    return NULL;
}

static struct jsonpath_expression *parse_basic(struct jsonpath_parser *parser)
{
    bool negated = jsonpath_parser_take(parser, '!');
    if (negated)
        jsonpath_parser_skip_blanks(parser);
    bool parentheses = *parser->at == '(';
    g_autoptr(jsonpath_expression_t) inner =
        parentheses ? parse_parentheses(parser) : parse_test(parser);
    if (!inner || !negated)
        return g_steal_pointer(&inner);
    if (inner->kind == JSONPATH_COMPARE && !parentheses) {
        fail(parser, "put parentheses around the comparison behind !");
        return NULL;
    }
    struct jsonpath_expression *not = jsonpath_expression_new(JSONPATH_NOT);
    g_ptr_array_add(not ->operands, g_steal_pointer(&inner));
    return not ;
}

// One or more of what `parse` reads, with `sign` (twice) in between.
static struct jsonpath_expression *
parse_chain(struct jsonpath_parser *parser, enum jsonpath_expression_kind kind, const char *sign,
            struct jsonpath_expression *(*parse)(struct jsonpath_parser *))
{
    g_autoptr(jsonpath_expression_t) chain = jsonpath_expression_new(kind);
    for (;;) {
        struct jsonpath_expression *operand = parse(parser);
        if (!operand)
            return NULL;
        g_ptr_array_add(chain->operands, operand);
        const char *end = parser->at;
        jsonpath_parser_skip_blanks(parser);
        if (!g_str_has_prefix(parser->at, sign)) {
            parser->at = end;
            break;
        }
        parser->at += 2;
        jsonpath_parser_skip_blanks(parser);
    }
    if (chain->operands->len > 1)
        return g_steal_pointer(&chain);
    return g_ptr_array_steal_index(chain->operands, 0);
}

static struct jsonpath_expression *parse_and(struct jsonpath_parser *parser)
{
    return parse_chain(parser, JSONPATH_AND, "&&", parse_basic);
}

struct jsonpath_expression *jsonpath_parser_filter(struct jsonpath_parser *parser)
{
    return parse_chain(parser, JSONPATH_OR, "||", parse_and);
}

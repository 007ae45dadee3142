// SPDX-License-Identifier: MIT
// What the files of the JSONPath parser share: the place in the text, and the
// productions that another file needs. Whitespace is part of the grammar, so it
// reads characters, not tokens. Inside of base/jsonpath only.
#ifndef BASE_JSONPATH_PARSER_H
#define BASE_JSONPATH_PARSER_H

#include "jsonpath.h"
#include "jsonpath_tree.h"

struct jsonpath_parser {
    const char *text, *at;
    GError **error;
};

// Sets the error at the present place; returns false.
bool jsonpath_parser_fail(const struct jsonpath_parser *parser, enum jsonpath_error code,
                          const char *what);

// Steps over `character` where it stands here.
bool jsonpath_parser_take(struct jsonpath_parser *parser, char character);

// Steps over blanks: space, tab, line feed, carriage return.
void jsonpath_parser_skip_blanks(struct jsonpath_parser *parser);

// jsonpath_literal.c: a quoted text, an integer within ±(2^53 − 1), a number.
char *jsonpath_parser_text(struct jsonpath_parser *parser);
bool jsonpath_parser_integer(struct jsonpath_parser *parser, int64_t *number);
cJSON *jsonpath_parser_number(struct jsonpath_parser *parser);

// jsonpath_parse.c: a query, whose $ or @ is the next character.
struct jsonpath_query *jsonpath_parser_query(struct jsonpath_parser *parser);

// jsonpath_filter.c: a logical expression.
struct jsonpath_expression *jsonpath_parser_filter(struct jsonpath_parser *parser);

#endif

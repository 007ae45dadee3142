// SPDX-License-Identifier: MIT
// A compiled JSONPath query as a tree: what the parser makes and the evaluator
// reads. Inside of base/jsonpath only.
#ifndef BASE_JSONPATH_TREE_H
#define BASE_JSONPATH_TREE_H

#include "regex.h"

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// RFC 9535 section 2.3.
enum jsonpath_selector_kind {
    JSONPATH_NAME,
    JSONPATH_WILDCARD,
    JSONPATH_INDEX, // in `start`
    JSONPATH_SLICE,
    JSONPATH_FILTER
};

struct jsonpath_expression;

// Of one kind; what belongs to the others stays empty.
struct jsonpath_selector {
    enum jsonpath_selector_kind kind;
    char *name;
    int64_t start, end, step; // may be negative: from the end
    bool has_start, has_end;  // else the default, which depends on the sign of `step` (2.3.4.2)
    struct jsonpath_expression *filter;
};

// Section 2.5: [a, b] or ..[a, b].
struct jsonpath_segment {
    bool descendant;
    GPtrArray *selectors; // of struct jsonpath_selector
};

struct jsonpath_query {
    bool relative;       // begins with @
    bool singular;       // selects one node at most, by its form (2.3.5.1): may be compared
    GPtrArray *segments; // of struct jsonpath_segment
};

struct jsonpath {
    struct jsonpath_query *query;
};

// The types of RFC 9535 section 2.4.1.
enum jsonpath_type { JSONPATH_TYPE_VALUE, JSONPATH_TYPE_LOGICAL, JSONPATH_TYPE_NODES };

// Sections 2.4.4 to 2.4.8.
enum jsonpath_function_kind {
    JSONPATH_LENGTH,
    JSONPATH_COUNT,
    JSONPATH_MATCH,
    JSONPATH_SEARCH,
    JSONPATH_VALUE
};

// What the parser holds a call to: a wrong type or count is an error of the query (2.4.3).
struct jsonpath_function {
    const char *name;
    enum jsonpath_function_kind kind;
    enum jsonpath_type result;
    unsigned parameters; // how many
    enum jsonpath_type parameter[2];
};

enum jsonpath_expression_kind {
    JSONPATH_OR,
    JSONPATH_AND,
    JSONPATH_NOT,
    JSONPATH_COMPARE,
    JSONPATH_QUERY,
    JSONPATH_CALL,
    JSONPATH_LITERAL
};

enum jsonpath_comparison {
    JSONPATH_EQUAL,
    JSONPATH_UNEQUAL,
    JSONPATH_LESS,
    JSONPATH_LESS_EQUAL,
    JSONPATH_GREATER,
    JSONPATH_GREATER_EQUAL
};

// A node of a filter, of one kind. Numbers are compared as they are written, so that ids above
// 2^53 stay apart.
struct jsonpath_expression {
    enum jsonpath_expression_kind kind;
    GPtrArray *operands; // of struct jsonpath_expression: of or, and, not, compare, call
    enum jsonpath_comparison comparison;
    struct jsonpath_query *query;
    const struct jsonpath_function *function;
    struct regex *regex; // of match and search with a literal pattern; NULL: it is none
    cJSON *literal;
};

// Constructors give empty lists; frees own everything below and allow NULL.
struct jsonpath_selector *jsonpath_selector_new(enum jsonpath_selector_kind kind);
struct jsonpath_segment *jsonpath_segment_new(bool descendant);
struct jsonpath_query *jsonpath_query_new(bool relative);
struct jsonpath_expression *jsonpath_expression_new(enum jsonpath_expression_kind kind);
void jsonpath_selector_free(struct jsonpath_selector *selector);
void jsonpath_segment_free(struct jsonpath_segment *segment);
void jsonpath_query_free(struct jsonpath_query *query);
void jsonpath_expression_free(struct jsonpath_expression *expression);

// The operand at `index`; borrowed.
const struct jsonpath_expression *
jsonpath_expression_operand(const struct jsonpath_expression *expression, unsigned index);

// The function of this name (not NUL-terminated), or NULL.
const struct jsonpath_function *jsonpath_function_find(const char *name, size_t length);

typedef struct jsonpath_selector jsonpath_selector_t;
typedef struct jsonpath_segment jsonpath_segment_t;
typedef struct jsonpath_query jsonpath_query_t;
typedef struct jsonpath_expression jsonpath_expression_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(jsonpath_selector_t, jsonpath_selector_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(jsonpath_segment_t, jsonpath_segment_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(jsonpath_query_t, jsonpath_query_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(jsonpath_expression_t, jsonpath_expression_free)

#endif

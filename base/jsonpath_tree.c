// SPDX-License-Identifier: MIT
// Makes and frees the parts of a compiled query, and knows its functions.
#include "jsonpath_tree.h"

#include <string.h>

static void free_selector(void *selector)
{
    jsonpath_selector_free(selector);
}

static void free_segment(void *segment)
{
    jsonpath_segment_free(segment);
}

static void free_expression(void *expression)
{
    jsonpath_expression_free(expression);
}

struct jsonpath_selector *jsonpath_selector_new(enum jsonpath_selector_kind kind)
{
    struct jsonpath_selector *selector = g_new0(struct jsonpath_selector, 1);
    selector->kind = kind;
    selector->step = 1;
    return selector;
}

struct jsonpath_segment *jsonpath_segment_new(bool descendant)
{
    struct jsonpath_segment *segment = g_new0(struct jsonpath_segment, 1);
    segment->descendant = descendant;
    segment->selectors = g_ptr_array_new_with_free_func(free_selector);
    return segment;
}

struct jsonpath_query *jsonpath_query_new(bool relative)
{
    struct jsonpath_query *query = g_new0(struct jsonpath_query, 1);
    query->relative = relative;
    query->singular = true;
    query->segments = g_ptr_array_new_with_free_func(free_segment);
    return query;
}

struct jsonpath_expression *jsonpath_expression_new(enum jsonpath_expression_kind kind)
{
    struct jsonpath_expression *expression = g_new0(struct jsonpath_expression, 1);
    expression->kind = kind;
    expression->operands = g_ptr_array_new_with_free_func(free_expression);
    return expression;
}

void jsonpath_selector_free(struct jsonpath_selector *selector)
{
    if (!selector)
        return;
    g_free(selector->name);
    jsonpath_expression_free(selector->filter);
    g_free(selector);
}

void jsonpath_segment_free(struct jsonpath_segment *segment)
{
    if (!segment)
        return;
    g_ptr_array_unref(segment->selectors);
    g_free(segment);
}

void jsonpath_query_free(struct jsonpath_query *query)
{
    if (!query)
        return;
    g_ptr_array_unref(query->segments);
    g_free(query);
}

void jsonpath_expression_free(struct jsonpath_expression *expression)
{
    if (!expression)
        return;
    g_ptr_array_unref(expression->operands);
    jsonpath_query_free(expression->query);
    regex_free(expression->regex);
    cJSON_Delete(expression->literal);
    g_free(expression);
}

const struct jsonpath_expression *
jsonpath_expression_operand(const struct jsonpath_expression *expression, unsigned index)
{
    return g_ptr_array_index(expression->operands, index);
}

const struct jsonpath_function *jsonpath_function_find(const char *name, size_t length)
{
    static const struct jsonpath_function functions[] = {
        {"length", JSONPATH_LENGTH, JSONPATH_TYPE_VALUE, 1, {JSONPATH_TYPE_VALUE}},
        {"count", JSONPATH_COUNT, JSONPATH_TYPE_VALUE, 1, {JSONPATH_TYPE_NODES}},
        {"match",
         JSONPATH_MATCH,
         JSONPATH_TYPE_LOGICAL,
         2,
         {JSONPATH_TYPE_VALUE, JSONPATH_TYPE_VALUE}},
        {"search",
         JSONPATH_SEARCH,
         JSONPATH_TYPE_LOGICAL,
         2,
         {JSONPATH_TYPE_VALUE, JSONPATH_TYPE_VALUE}},
        {"value", JSONPATH_VALUE, JSONPATH_TYPE_VALUE, 1, {JSONPATH_TYPE_NODES}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
        if (strlen(functions[i].name) == length && memcmp(functions[i].name, name, length) == 0)
            return &functions[i];
    return NULL;
}

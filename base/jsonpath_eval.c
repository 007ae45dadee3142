// SPDX-License-Identifier: MIT
// Selects the nodes of a document. Each node found goes straight on through the
// next segments, depth first, which gives the order of the RFC without lists in
// between, and lets a test stop at the first node. Descendants are walked
// without recursion: documents are hostile, queries are short (jsonpath_parse.c).
//
// Names that stand twice in an object are all selected: which one counts is not
// ours to guess.
#include "json.h"
#include "jsonpath.h"
#include "jsonpath_iregexp.h"
#include "jsonpath_tree.h"

#include <string.h>

// Steps of work in one selection; a child looked at is one.
#define WORK_MOST 10000000
#define WORK_PATTERN 200     // compiling one
#define WORK_UNDECIDED 10000 // a match that ran into its limits

struct run {
    cJSON *root;
    uint64_t work_left;
    // The last pattern that came from the document.
    char *pattern;
    bool pattern_whole;
    struct regex *regex;
};

// Where nodes go, and how many are enough (0: no end).
struct sink {
    GPtrArray *nodes; // or NULL
    cJSON *first;
    unsigned count, enough;
};

// A query on its way: what its segment number `next - 1` selects goes to `next`.
struct walk {
    struct run *run;
    const struct jsonpath_query *query;
    unsigned next;
    struct sink *sink;
};

static bool spend(struct run *run, uint64_t work)
{
    if (run->work_left < work) {
        run->work_left = 0;
        return false;
    }
    run->work_left -= work;
    return true;
}

static bool sink_add(struct sink *sink, cJSON *node)
{
    if (sink->count++ == 0)
        sink->first = node;
    if (sink->nodes)
        g_ptr_array_add(sink->nodes, node);
    return sink->count != sink->enough;
}

// All of these return false where the walk has to stop.
static bool walk_on(const struct walk *walk, cJSON *node);
static bool test(struct run *run, const struct jsonpath_expression *expression, cJSON *current);

static bool select_name(const struct walk *walk, const struct jsonpath_selector *selector,
                        cJSON *node)
{
    if (!cJSON_IsObject(node))
        return true;
    for (cJSON *child = node->child; child; child = child->next) {
        if (!spend(walk->run, 1))
            return false;
        if (strcmp(child->string, selector->name) == 0 && !walk_on(walk, child))
            return false;
    }
    return true;
}

static bool select_wildcard(const struct walk *walk, const struct jsonpath_selector *selector,
                            cJSON *node)
{
    (void)selector;
    for (cJSON *child = node->child; child; child = child->next)
        if (!spend(walk->run, 1) || !walk_on(walk, child))
            return false;
    return true;
}

static bool select_filter(const struct walk *walk, const struct jsonpath_selector *selector,
                          cJSON *node)
{
    for (cJSON *child = node->child; child; child = child->next) {
        if (!spend(walk->run, 1))
            return false;
        if (test(walk->run, selector->filter, child) && !walk_on(walk, child))
            return false;
    }
    return true;
}

static int64_t count_children(struct run *run, const cJSON *node)
{
    int64_t count = 0;
    for (const cJSON *child = node->child; child && spend(run, 1); child = child->next)
        count++;
    return count;
}

static bool select_index(const struct walk *walk, const struct jsonpath_selector *selector,
                         cJSON *node)
{
    if (!cJSON_IsArray(node))
        return true;
    int64_t index = selector->start;
    if (index < 0)
        index += count_children(walk->run, node);
    if (index < 0)
        return true;
    cJSON *child = node->child;
    for (; child && index > 0; child = child->next, index--)
        if (!spend(walk->run, 1))
            return false;
    return !child || walk_on(walk, child);
}

// The first and the last but one index of a slice (RFC 9535 section 2.3.4.2.2).
struct bounds {
    int64_t lower, upper;
};

static int64_t normalize(int64_t index, int64_t length, int64_t least, int64_t most)
{
    if (index < 0)
        index += length;
    return CLAMP(index, least, most);
}

static struct bounds slice_bounds(const struct jsonpath_selector *slice, int64_t length)
{
    if (slice->step > 0)
        return (struct bounds){
            .lower = slice->has_start ? normalize(slice->start, length, 0, length) : 0,
            .upper = slice->has_end ? normalize(slice->end, length, 0, length) : length};
    return (struct bounds){
        .lower = slice->has_end ? normalize(slice->end, length, -1, length - 1) : -1,
        .upper = slice->has_start ? normalize(slice->start, length, -1, length - 1) : length - 1};
}

static bool slice_forward(const struct walk *walk, cJSON *node, struct bounds bounds, int64_t step)
{
    int64_t index = 0;
    for (cJSON *child = node->child; child && index < bounds.upper; child = child->next, index++) {
        if (!spend(walk->run, 1))
            return false;
        if (index >= bounds.lower && (index - bounds.lower) % step == 0 && !walk_on(walk, child))
            return false;
    }
    return true;
}

static bool slice_backward(const struct walk *walk, cJSON *node, struct bounds bounds, int64_t step,
                           int64_t length)
{
    cJSON *child = node->child ? node->child->prev : NULL; // the first one's prev is the last one
    for (int64_t index = length - 1; child && index > bounds.lower; index--) {
        if (!spend(walk->run, 1))
            return false;
        if (index <= bounds.upper && (bounds.upper - index) % step == 0 && !walk_on(walk, child))
            return false;
        child = child->prev;
    }
    return true;
}

static bool select_slice(const struct walk *walk, const struct jsonpath_selector *selector,
                         cJSON *node)
{
    if (!cJSON_IsArray(node) || selector->step == 0)
        return true;
    int64_t length = count_children(walk->run, node);
    struct bounds bounds = slice_bounds(selector, length);
    if (selector->step > 0)
        return slice_forward(walk, node, bounds, selector->step);
    return slice_backward(walk, node, bounds, -selector->step, length);
}

// Applies all selectors of a segment to one node.
static bool select_children(const struct walk *walk, const struct jsonpath_segment *segment,
                            cJSON *node)
{
    static bool (*const selects[])(const struct walk *, const struct jsonpath_selector *,
                                   cJSON *) = {
        [JSONPATH_NAME] = select_name,     [JSONPATH_WILDCARD] = select_wildcard,
        [JSONPATH_INDEX] = select_index,   [JSONPATH_SLICE] = select_slice,
        [JSONPATH_FILTER] = select_filter,
    };
    for (unsigned i = 0; i < segment->selectors->len; i++) {
        const struct jsonpath_selector *selector = g_ptr_array_index(segment->selectors, i);
        if (!selects[selector->kind](walk, selector, node))
            return false;
    }
    return true;
}

// The node itself and all below it, parents first.
static bool select_descendants(const struct walk *walk, const struct jsonpath_segment *segment,
                               cJSON *top)
{
    g_autoptr(GPtrArray) later = g_ptr_array_new(); // siblings of the nodes above
    cJSON *node = top;
    while (node) {
        if (!spend(walk->run, 1) || !select_children(walk, segment, node))
            return false;
        cJSON *sibling = node == top ? NULL : node->next;
        if (node->child && sibling)
            g_ptr_array_add(later, sibling);
        if (node->child)
            node = node->child;
        else if (sibling)
            node = sibling;
        else
            node = later->len ? g_ptr_array_steal_index(later, later->len - 1) : NULL;
    }
    return true;
}

static bool walk_on(const struct walk *walk, cJSON *node)
{
    if (walk->next == walk->query->segments->len)
        return sink_add(walk->sink, node);
    const struct jsonpath_segment *segment = g_ptr_array_index(walk->query->segments, walk->next);
    struct walk further = *walk;
    further.next++;
    return segment->descendant ? select_descendants(&further, segment, node)
                               : select_children(&further, segment, node);
}

static void run_query(struct run *run, const struct jsonpath_query *query, cJSON *current,
                      struct sink *sink)
{
    const struct walk walk = {.run = run, .query = query, .sink = sink};
    walk_on(&walk, query->relative ? current : run->root);
}

// A value, or nothing where `node` is NULL. `own` holds what a function computed.
struct operand {
    const cJSON *node;
    cJSON own;
};

static void evaluate(struct run *run, const struct jsonpath_expression *expression, cJSON *current,
                     struct operand *operand);

// The text of a text, NULL for all else.
static const char *text_of(const cJSON *node)
{
    return node && cJSON_IsString(node) ? node->valuestring : NULL;
}

static void set_number(struct operand *operand, int64_t number)
{
    operand->own = (cJSON){.type = cJSON_Number, .valuedouble = (double)number};
    operand->node = &operand->own;
}

static void call_length(struct run *run, const struct jsonpath_expression *argument, cJSON *current,
                        struct operand *result)
{
    struct operand value;
    evaluate(run, argument, current, &value);
    const char *text = text_of(value.node);
    if (text)
        set_number(result, g_utf8_strlen(text, -1));
    else if (value.node && (cJSON_IsArray(value.node) || cJSON_IsObject(value.node)))
        set_number(result, count_children(run, value.node));
}

// length, count and value.
static void evaluate_call(struct run *run, const struct jsonpath_expression *call, cJSON *current,
                          struct operand *result)
{
    const struct jsonpath_expression *argument = jsonpath_expression_operand(call, 0);
    result->node = NULL;
    if (call->function->kind == JSONPATH_LENGTH) {
        call_length(run, argument, current, result);
        return;
    }
    struct sink sink = {.enough = call->function->kind == JSONPATH_VALUE ? 2 : 0};
    run_query(run, argument->query, current, &sink);
    if (call->function->kind == JSONPATH_COUNT)
        set_number(result, sink.count);
    else if (sink.count == 1)
        result->node = sink.first;
}

static void evaluate(struct run *run, const struct jsonpath_expression *expression, cJSON *current,
                     struct operand *operand)
{
    if (expression->kind == JSONPATH_LITERAL) {
        operand->node = expression->literal;
    } else if (expression->kind == JSONPATH_CALL) {
        evaluate_call(run, expression, current, operand);
    } else {
        struct sink sink = {.enough = 1};
        run_query(run, expression->query, current, &sink);
        operand->node = sink.first;
    }
}

// The expression of a pattern that comes from the document.
static const struct regex *find_pattern(struct run *run, const char *pattern, bool whole)
{
    if (run->pattern && run->pattern_whole == whole && strcmp(run->pattern, pattern) == 0)
        return run->regex;
    if (!spend(run, WORK_PATTERN + strlen(pattern)))
        return NULL;
    regex_free(run->regex);
    g_free(run->pattern);
    run->pattern = g_strdup(pattern);
    run->pattern_whole = whole;
    run->regex = jsonpath_iregexp_compile(pattern, whole);
    return run->regex;
}

// match and search; what is not a text, or no pattern, does not match.
static bool call_match(struct run *run, const struct jsonpath_expression *call, cJSON *current)
{
    struct operand subject, pattern;
    evaluate(run, jsonpath_expression_operand(call, 0), current, &subject);
    evaluate(run, jsonpath_expression_operand(call, 1), current, &pattern);
    const char *text = text_of(subject.node), *written = text_of(pattern.node);
    if (!text || !written)
        return false;
    bool literal = jsonpath_expression_operand(call, 1)->kind == JSONPATH_LITERAL;
    bool whole = call->function->kind == JSONPATH_MATCH;
    const struct regex *regex = literal ? call->regex : find_pattern(run, written, whole);
    size_t length = strlen(text);
    if (!regex || !spend(run, 1 + length / 16))
        return false;
    g_autoptr(GError) undecided = NULL;
    bool matches = regex_match(regex, text, length, 0, NULL, &undecided);
    if (undecided)
        spend(run, WORK_UNDECIDED);
    return matches;
}

// Less than, equal or greater than 0; false where the two have no order.
static bool order(const cJSON *left, const cJSON *right, int *difference)
{
    if (left && right && cJSON_IsNumber(left) && cJSON_IsNumber(right))
        return json_order_numbers(left, right, difference);
    const char *a = text_of(left), *b = text_of(right);
    if (!a || !b)
        return false;
    *difference = strcmp(a, b); // UTF-8 keeps the order of the characters
    return true;
}

static bool compare(const cJSON *left, const cJSON *right, enum jsonpath_comparison comparison)
{
    int difference = 0;
    switch (comparison) {
    case JSONPATH_EQUAL:
        return left && right ? json_equal(left, right) : left == right;
    case JSONPATH_UNEQUAL:
        return !compare(left, right, JSONPATH_EQUAL);
    case JSONPATH_LESS:
        return order(left, right, &difference) && difference < 0;
    case JSONPATH_GREATER:
        return order(left, right, &difference) && difference > 0;
    case JSONPATH_LESS_EQUAL:
        return compare(left, right, JSONPATH_LESS) || compare(left, right, JSONPATH_EQUAL);
    case JSONPATH_GREATER_EQUAL:
        return compare(left, right, JSONPATH_GREATER) || compare(left, right, JSONPATH_EQUAL);
    }
    return false;
}

static bool test_comparison(struct run *run, const struct jsonpath_expression *expression,
                            cJSON *current)
{
    struct operand left, right;
    evaluate(run, jsonpath_expression_operand(expression, 0), current, &left);
    evaluate(run, jsonpath_expression_operand(expression, 1), current, &right);
    return compare(left.node, right.node, expression->comparison);
}

// Or: true as soon as one is; and: false as soon as one is not.
static bool test_chain(struct run *run, const struct jsonpath_expression *chain, cJSON *current,
                       bool decisive)
{
    for (unsigned i = 0; i < chain->operands->len; i++)
        if (test(run, jsonpath_expression_operand(chain, i), current) == decisive)
            return decisive;
    return !decisive;
}

static bool test_exists(struct run *run, const struct jsonpath_query *query, cJSON *current)
{
    struct sink sink = {.enough = 1};
    run_query(run, query, current, &sink);
    return sink.count > 0;
}

static bool test(struct run *run, const struct jsonpath_expression *expression, cJSON *current)
{
    switch (expression->kind) {
    case JSONPATH_OR:
        return test_chain(run, expression, current, true);
    case JSONPATH_AND:
        return test_chain(run, expression, current, false);
    case JSONPATH_NOT:
        return !test(run, jsonpath_expression_operand(expression, 0), current);
    case JSONPATH_COMPARE:
        return test_comparison(run, expression, current);
    case JSONPATH_QUERY:
        return test_exists(run, expression->query, current);
    case JSONPATH_CALL:
        return call_match(run, expression, current);
    case JSONPATH_LITERAL:
        break; // the parser lets none through
    }
    return false;
}

GPtrArray *jsonpath_select(const struct jsonpath *path, const cJSON *document)
{
    GPtrArray *nodes = g_ptr_array_new();
    // Nothing is written; the nodes are handed out as the caller's own.
    struct run run = {.root = (cJSON *)(uintptr_t)document, .work_left = WORK_MOST};
    struct sink sink = {.nodes = nodes};
    if (document)
        run_query(&run, path->query, run.root, &sink);
    if (run.work_left == 0)
        g_ptr_array_set_size(nodes, 0);
    regex_free(run.regex);
    g_free(run.pattern);
    return nodes;
}

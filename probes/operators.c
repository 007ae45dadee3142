// SPDX-License-Identifier: MIT
// The operators of expectations, one function each, in a table. Some ask about
// each result, some about all of them together; used by expect.
#include "operators.h"

#include "../base/decimal.h"
#include "../base/json.h"
#include "quoting.h"

#include <math.h>
#include <string.h>

// One check being judged, its operands at hand.
struct judging {
    const struct check *check;
    const GPtrArray *operands; // of cJSON
    const struct operators_input *input;
    GError **error;
};

typedef enum operators_outcome (*judge_each)(const struct judging *judging, const cJSON *result);
typedef enum operators_outcome (*judge_whole)(const struct judging *judging,
                                              const GPtrArray *results);

static enum operators_outcome outcome_of(bool holds)
{
    return holds ? OPERATORS_HOLD : OPERATORS_FAIL;
}

static enum operators_outcome invert(enum operators_outcome outcome)
{
    return outcome == OPERATORS_FAULT ? outcome : outcome_of(outcome == OPERATORS_FAIL);
}

static enum operators_outcome fault(const struct judging *judging, const char *format,
                                    const char *text)
{
    g_set_error(judging->error, TEMPLATE_ERROR, TEMPLATE_ERROR_VALUE, "%s%s", format, text);
    return OPERATORS_FAULT;
}

static const cJSON *operand_at(const struct judging *judging, unsigned index)
{
    return g_ptr_array_index(judging->operands, index);
}

// The digits of a number, or of a text that is exactly a decimal; else NULL.
// Borrowed from `value` or `buffer`.
static const char *decimal_of(const cJSON *value, char buffer[32])
{
    const char *text = cJSON_IsNumber(value)   ? json_number_text(value, buffer)
                       : cJSON_IsString(value) ? value->valuestring
                                               : NULL;
    return text && decimal_is_valid(text) ? text : NULL;
}

// "2xx" against a status.
static bool fits_status(const char *pattern, const cJSON *status)
{
    char digits[16];
    g_snprintf(digits, sizeof digits, "%.0f", status->valuedouble);
    if (strlen(pattern) != 3 || strlen(digits) != 3)
        return false;
    for (int i = 0; i < 3; i++)
        if (g_ascii_tolower(pattern[i]) != 'x' && pattern[i] != digits[i])
            return false;
    return true;
}

static bool equals(const struct judging *judging, const cJSON *operand, const cJSON *result)
{
    char left[32], right[32];
    if (cJSON_IsString(operand) && cJSON_IsNumber(result))
        return judging->input->kind == SELECTOR_STATUS && fits_status(operand->valuestring, result);
    if (!cJSON_IsNumber(operand))
        return json_equal(operand, result);
    const char *expected = decimal_of(operand, left), *actual = decimal_of(result, right);
    return expected && actual && decimal_compare(expected, actual) == 0;
}

static bool equals_one(const struct judging *judging, const cJSON *result)
{
    for (unsigned i = 0; i < judging->operands->len; i++)
        if (equals(judging, operand_at(judging, i), result))
            return true;
    return false;
}

static enum operators_outcome judge_equals(const struct judging *judging, const cJSON *result)
{
    return outcome_of(equals_one(judging, result));
}

static char *text_of(const cJSON *value)
{
    return cJSON_IsString(value) ? g_strdup(value->valuestring) : json_print(value, false);
}

// An array contains an element that equals the operand, all else its text.
static enum operators_outcome judge_contains(const struct judging *judging, const cJSON *result)
{
    if (cJSON_IsArray(result)) {
        const cJSON *element = NULL;
        cJSON_ArrayForEach(element, result)
        {
            if (equals_one(judging, element))
                return OPERATORS_HOLD;
        }
        return OPERATORS_FAIL;
    }
    g_autofree char *text = text_of(result);
    g_autofree char *part = text_of(operand_at(judging, 0));
    return outcome_of(strstr(text, part) != NULL);
}

static enum operators_outcome match(const struct judging *judging, const struct regex *regex,
                                    const cJSON *result)
{
    g_autofree char *text = text_of(result);
    g_autoptr(GError) undecided = NULL;
    bool matches = regex_match(regex, text, strlen(text), 0, NULL, &undecided);
    if (!undecided)
        return outcome_of(matches);
    g_propagate_error(judging->error, g_steal_pointer(&undecided));
    return OPERATORS_FAULT;
}

static enum operators_outcome judge_matches(const struct judging *judging, const cJSON *result)
{
    if (judging->check->regex)
        return match(judging, judging->check->regex, result);
    g_autofree char *pattern = text_of(operand_at(judging, 0));
    g_autoptr(regex_compiled_t) regex = regex_compile(pattern, REGEX_PLAIN, judging->error);
    return regex ? match(judging, regex, result) : OPERATORS_FAULT;
}

static enum operators_outcome judge_order(const struct judging *judging, const cJSON *result)
{
    char left[32], right[32];
    const char *bound = decimal_of(operand_at(judging, 0), right);
    const char *actual = decimal_of(result, left);
    if (!bound) {
        g_autofree char *text = text_of(operand_at(judging, 0));
        return fault(judging, "only numbers are above or below each other, not ", text);
    }
    if (!actual)
        return OPERATORS_FAIL;
    int order = decimal_compare(actual, bound);
    switch (judging->check->operator) {
    case CHECK_ABOVE:
        return outcome_of(order > 0);
    case CHECK_BELOW:
        return outcome_of(order < 0);
    case CHECK_AT_LEAST:
        return outcome_of(order >= 0);
    default:
        return outcome_of(order <= 0);
    }
}

// 12.0 is an integer too.
static bool is_integer(const cJSON *value)
{
    char buffer[32];
    if (!cJSON_IsNumber(value))
        return false;
    const char *text = json_number_text(value, buffer);
    return !strpbrk(text, ".eE") ||
           (isfinite(value->valuedouble) && floor(value->valuedouble) == value->valuedouble);
}

static bool has_type(const cJSON *value, const char *type)
{
    static const struct {
        const char *word;
        int type;
    } types[] = {{"string", cJSON_String}, {"number", cJSON_Number}, {"boolean", cJSON_True},
                 {"boolean", cJSON_False}, {"null", cJSON_NULL},     {"array", cJSON_Array},
                 {"object", cJSON_Object}};
    if (strcmp(type, "integer") == 0)
        return is_integer(value);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if ((value->type & 0xFF) == types[i].type && strcmp(type, types[i].word) == 0)
            return true;
    return false;
}

static enum operators_outcome judge_type(const struct judging *judging, const cJSON *result)
{
    for (unsigned i = 0; i < judging->operands->len; i++) {
        const cJSON *operand = operand_at(judging, i);
        if (has_type(result, cJSON_IsNull(operand)     ? "null"
                             : cJSON_IsString(operand) ? operand->valuestring
                                                       : ""))
            return OPERATORS_HOLD;
    }
    return OPERATORS_FAIL;
}

// true or false, as such or as a text; true where there is no operand.
static bool wanted(const struct judging *judging)
{
    if (judging->operands->len == 0)
        return true;
    const cJSON *operand = operand_at(judging, 0);
    return !cJSON_IsFalse(operand) &&
           !(cJSON_IsString(operand) && strcmp(operand->valuestring, "false") == 0);
}

static enum operators_outcome judge_empty(const struct judging *judging, const cJSON *result)
{
    bool empty = cJSON_IsNull(result) || operators_length(result) == 0;
    return outcome_of(empty == wanted(judging));
}

// Judges nested checks, which hold together.
static enum operators_outcome judge_nested(const struct judging *judging, const GPtrArray *results,
                                           enum selector_kind kind)
{
    const struct operators_input input = {.kind = kind, .context = judging->input->context};
    for (unsigned i = 0; i < judging->check->nested->len; i++) {
        const struct check *check = g_ptr_array_index(judging->check->nested, i);
        enum operators_outcome outcome =
            operators_judge(check, results, &input, NULL, judging->error);
        if (outcome != OPERATORS_HOLD)
            return outcome;
    }
    return OPERATORS_HOLD;
}

// The check on one value: its nested checks, or whether it equals an operand.
static enum operators_outcome judge_one(const struct judging *judging, const cJSON *value,
                                        enum selector_kind kind)
{
    if (!judging->check->nested)
        return outcome_of(equals_one(judging, value));
    cJSON *only = (cJSON *)(uintptr_t)value; // read only, by the contract of operators_judge
    gpointer elements[] = {only};
    const GPtrArray results = {.pdata = elements, .len = 1};
    return judge_nested(judging, &results, kind);
}

static enum operators_outcome judge_number(const struct judging *judging, int number)
{
    const cJSON node = {.type = cJSON_Number, .valuedouble = number, .valueint = number};
    return judge_one(judging, &node, SELECTOR_BODY);
}

int operators_length(const cJSON *value)
{
    if (cJSON_IsString(value))
        return (int)g_utf8_strlen(value->valuestring, -1);
    if (cJSON_IsArray(value) || cJSON_IsObject(value))
        return cJSON_GetArraySize(value);
    return -1;
}

static enum operators_outcome judge_length(const struct judging *judging, const cJSON *result)
{
    int length = operators_length(result);
    return length < 0 ? OPERATORS_FAIL : judge_number(judging, length);
}

static enum operators_outcome judge_not(const struct judging *judging, const cJSON *result)
{
    return invert(judge_one(judging, result, judging->input->kind));
}

static enum operators_outcome judge_exists(const struct judging *judging, const GPtrArray *results)
{
    return outcome_of((results->len > 0) == wanted(judging));
}

static enum operators_outcome judge_count(const struct judging *judging, const GPtrArray *results)
{
    return judge_number(judging, (int)results->len);
}

static enum operators_outcome judge_any(const struct judging *judging, const GPtrArray *results)
{
    for (unsigned i = 0; i < results->len; i++) {
        enum operators_outcome outcome =
            judge_one(judging, g_ptr_array_index(results, i), judging->input->kind);
        if (outcome != OPERATORS_FAIL)
            return outcome;
    }
    return OPERATORS_FAIL;
}

// `not` around something that asks about all results: not {exists: true}.
static enum operators_outcome judge_not_whole(const struct judging *judging,
                                              const GPtrArray *results)
{
    return invert(judge_nested(judging, results, judging->input->kind));
}

static const struct {
    judge_each each;
    judge_whole whole;
} operators[] = {
    [CHECK_EQUALS] = {.each = judge_equals},     [CHECK_NOT] = {.each = judge_not},
    [CHECK_CONTAINS] = {.each = judge_contains}, [CHECK_MATCHES] = {.each = judge_matches},
    [CHECK_ABOVE] = {.each = judge_order},       [CHECK_BELOW] = {.each = judge_order},
    [CHECK_AT_LEAST] = {.each = judge_order},    [CHECK_AT_MOST] = {.each = judge_order},
    [CHECK_ONE_OF] = {.each = judge_equals},     [CHECK_COUNT] = {.whole = judge_count},
    [CHECK_LENGTH] = {.each = judge_length},     [CHECK_EXISTS] = {.whole = judge_exists},
    [CHECK_TYPE] = {.each = judge_type},         [CHECK_EMPTY] = {.each = judge_empty},
    [CHECK_ANY] = {.whole = judge_any},
};

static judge_whole whole_of(const struct check *check)
{
    if (check->operator== CHECK_NOT)
        for (unsigned i = 0; check->nested && i < check->nested->len; i++)
            if (whole_of(g_ptr_array_index(check->nested, i)))
                return judge_not_whole;
    return operators[check->operator].whole;
}

// An operand with holes; in a pattern, values stand for themselves.
static cJSON *evaluate(const struct template *operand, enum check_operator operator,
                       const struct template_context * context, GError **error)
{
    struct quoting quoting;
    quoting_init(&quoting, context, QUOTING_REGEX);
    struct value *value =
        template_evaluate(operand, operator== CHECK_MATCHES ? &quoting.context : context, error);
    quoting_clear(&quoting);
    cJSON *json = value ? g_steal_pointer(&value->json) : NULL;
    value_free(value);
    return json;
}

// The operands as JSON; NULL and `error` where a hole cannot be filled.
static GPtrArray *resolve(const struct check *check, const struct template_context *context,
                          GError **error)
{
    if (check->constants)
        return g_ptr_array_ref(check->constants);
    g_autoptr(GPtrArray) operands = json_list_new();
    for (unsigned i = 0; check->operands && i < check->operands->len; i++) {
        cJSON *operand =
            evaluate(g_ptr_array_index(check->operands, i), check->operator, context, error);
        if (!operand)
            return NULL;
        g_ptr_array_add(operands, operand);
    }
    return g_steal_pointer(&operands);
}

// All results have to hold, and one at least to exist.
static enum operators_outcome judge_all(const struct judging *judging, const GPtrArray *results,
                                        unsigned *culprit)
{
    for (unsigned i = 0; i < results->len; i++) {
        enum operators_outcome outcome = operators[judging->check->operator].each(
            judging, g_ptr_array_index(results, i));
        if (outcome == OPERATORS_HOLD)
            continue;
        *culprit = i;
        return outcome;
    }
    return outcome_of(results->len > 0);
}

enum operators_outcome operators_judge(const struct check *check, const GPtrArray *results,
                                       const struct operators_input *input, unsigned *culprit,
                                       GError **error)
{
    unsigned ignored;
    if (!culprit)
        culprit = &ignored;
    *culprit = OPERATORS_ALL;
    g_autoptr(GPtrArray) operands = resolve(check, input->context, error);
    if (!operands)
        return OPERATORS_FAULT;
    const struct judging judging = {
        .check = check, .operands = operands, .input = input, .error = error};
    judge_whole whole = whole_of(check);
    return whole ? whole(&judging, results) : judge_all(&judging, results, culprit);
}

// SPDX-License-Identifier: MIT
// Judges a call's expectations in their order and tells the first that does not
// hold in words for people. Comes after the captures, before the classifier.
#include "expect.h"

#include "../base/decimal.h"
#include "../base/duration.h"
#include "../base/json.h"
#include "operators.h"

#include <string.h>

// Characters of a value in a sentence.
#define SHOWN_MOST 120

// Cuts a text for a sentence: valid UTF-8, on one line, not too long.
static char *show_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *shown = g_string_new(NULL);
    char *p = valid;
    for (int i = 0; *p && i < SHOWN_MOST; i++, p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\r' || c == '\t')
            g_string_append(shown, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else
            g_string_append_unichar(shown, g_unichar_iscntrl(c) ? '?' : c);
    }
    if (*p)
        g_string_append(shown, "…");
    return g_string_free(shown, FALSE);
}

// True where a text without quotes would look like something else.
static bool wants_quotes(const char *text)
{
    static const char *const words[] = {"", "true", "false", "null", NULL};
    return g_strv_contains(words, text) || decimal_is_valid(text);
}

static char *show_json(const cJSON *value);

static char *show_members(const cJSON *object)
{
    GString *shown = g_string_new(NULL);
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, object)
    {
        g_autofree char *value = show_json(member);
        g_string_append_printf(shown, "%s%s %s", shown->len ? ", " : "", member->string, value);
    }
    return g_string_free(shown, FALSE);
}

// An operand as the user wrote it, without JSON's quotes and braces.
static char *show_json(const cJSON *value)
{
    if (cJSON_IsObject(value) && value->child)
        return show_members(value);
    if (cJSON_IsString(value) && !wants_quotes(value->valuestring))
        return show_text(value->valuestring);
    g_autofree char *printed = json_print(value, false);
    return show_text(printed);
}

// A selected value: a text without quotes, all else as JSON.
static char *show_value(const cJSON *value)
{
    if (cJSON_IsString(value) && !wants_quotes(value->valuestring))
        return show_text(value->valuestring);
    g_autofree char *printed = json_print(value, false);
    return show_text(printed);
}

// For fill_source: operators within an operator, by their text.
static char *fill_nested(const char *source, const struct template_context *context)
{
    bool secret = false;
    if (!source || !strstr(source, "{{"))
        return NULL;
    g_autoptr(template_t) template = template_new(source, TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *filled = template ? template_render(template, context, &secret, NULL) : NULL;
    return secret ? NULL : g_steal_pointer(&filled);
}

// The check as it was written, with the values of its holes in place: a person who
// reads that the price is another wants to know which it was to be. NULL where there
// is nothing to fill in, or a secret would be.
static char *fill_source(const struct check *check, const struct template_context *context)
{
    bool secret = false;
    if (check->nested)
        return fill_nested(check->source, context);
    if (!check->source || check->constants || !check->operands || check->operands->len != 1)
        return NULL;
    const char *blank = strchr(check->source, ' ');
    g_autofree char *operand =
        template_render(g_ptr_array_index(check->operands, 0), context, &secret, NULL);
    if (!operand || secret || !blank)
        return NULL;
    return g_strdup_printf("%.*s %s", (int)(blank - check->source), check->source, operand);
}

// The check in words: its operator, and its operand (JSON in `source`).
static char *show_check(const struct check *check, const struct template_context *context)
{
    g_autofree char *filled = fill_source(check, context);
    const char *source = filled ? filled : check->source ? check->source : "holds";
    const char *operand = strchr(source, ' ');
    g_autoptr(cJSON) json = operand ? json_parse(operand, strlen(operand), NULL) : NULL;
    if (!json)
        return g_strdup(source);
    g_autofree char *shown = show_json(json);
    return g_strdup_printf("%.*s %s", (int)(operand - source), source, shown);
}

static char *show_subject(const struct expectation *expectation)
{
    g_autofree char *selector = selector_describe(expectation->selector);
    if (!expectation->from)
        return g_steal_pointer(&selector);
    return g_strdup_printf("%s from %s", selector, expectation->from);
}

// Several results of which none does.
static char *show_all(const GPtrArray *results)
{
    GString *all = g_string_new(NULL);
    for (unsigned i = 0; i < results->len && all->len < SHOWN_MOST; i++) {
        g_autofree char *value = show_value(g_ptr_array_index(results, i));
        g_string_append_printf(all, "%s%s", i ? ", " : "", value);
    }
    g_autofree char *whole = g_string_free(all, FALSE);
    return show_text(whole);
}

static char *show_length(const cJSON *value)
{
    int length = operators_length(value);
    return length < 0 ? show_value(value) : g_strdup_printf("%d", length);
}

// Time left, to the hour, or to the minute where it is short.
static char *show_time_left(const cJSON *value)
{
    int64_t left = (int64_t)value->valuedouble;
    int64_t unit = ABS(left) >= 3600000 ? 3600000 : 60000;
    return duration_format(left / unit * unit);
}

// A result with its unit, where its selector gives it one.
static char *show_result(const cJSON *value, enum selector_kind kind, enum check_operator operator)
{
    if (kind == SELECTOR_CERTIFICATE && cJSON_IsNumber(value))
        return show_time_left(value);
    g_autofree char *shown = operator== CHECK_LENGTH ? show_length(value) : show_value(value);
    const char *unit = kind == SELECTOR_TIME ? " ms" : kind == SELECTOR_SIZE ? " bytes" : "";
    return g_strconcat(shown, unit, NULL);
}

struct failure {
    const struct expectation *expectation;
    const struct check *check;
    struct subject *subject;
    const GPtrArray *results;
    unsigned culprit;
    const struct template_context *context;
};

// Why nothing was selected.
static char *show_nothing(const struct failure *failure)
{
    enum selector_kind kind = failure->expectation->selector->kind;
    bool markup = kind == SELECTOR_XML || kind == SELECTOR_HTML;
    const char *problem = markup ? subject_markup_problem(failure->subject, kind) : NULL;
    if (problem)
        return g_strdup_printf("it is %s", problem);
    bool no_json = kind == SELECTOR_JSON && !subject_document(failure->subject);
    return g_strdup(no_json ? "it is not JSON" : "selected nothing");
}

// What was there instead.
static char *show_actual(const struct failure *failure)
{
    const GPtrArray *results = failure->results;
    enum selector_kind kind = failure->expectation->selector->kind;
    if (failure->check->operator== CHECK_COUNT)
        return g_strdup_printf("selected %u", results->len);
    if (results->len == 0)
        return show_nothing(failure);
    unsigned index = failure->culprit;
    if (index == OPERATORS_ALL) {
        g_autofree char *all = show_all(results);
        return g_strdup_printf("was %s", all);
    }
    g_autofree char *value =
        show_result(g_ptr_array_index(results, index), kind, failure->check->operator);
    if (results->len == 1)
        return g_strdup_printf("was %s", value);
    return g_strdup_printf("was %s (number %u of %u)", value, index + 1, results->len);
}

static char *tell_failure(const struct failure *failure)
{
    g_autofree char *subject = show_subject(failure->expectation);
    g_autofree char *check = show_check(failure->check, failure->context);
    g_autofree char *actual = show_actual(failure);
    return g_strdup_printf("%s %s: %s", subject, check, actual);
}

static char *tell_fault(const struct expectation *expectation, const GError *error)
{
    g_autofree char *subject = show_subject(expectation);
    return g_strdup_printf("%s cannot be judged: %s", subject, error->message);
}

// Judges the checks of one expectation on its results.
static enum expect_outcome judge_checks(const struct expectation *expectation,
                                        struct subject *subject, const GPtrArray *results,
                                        const struct template_context *context, char **failed)
{
    const struct operators_input input = {.kind = expectation->selector->kind, .context = context};
    for (unsigned i = 0; i < expectation->checks->len; i++) {
        const struct check *check = g_ptr_array_index(expectation->checks, i);
        g_autoptr(GError) error = NULL;
        unsigned culprit;
        enum operators_outcome outcome = operators_judge(check, results, &input, &culprit, &error);
        if (outcome == OPERATORS_HOLD)
            continue;
        const struct failure failure = {expectation, check, subject, results, culprit, context};
        bool fault = outcome == OPERATORS_FAULT;
        *failed = fault ? tell_fault(expectation, error) : tell_failure(&failure);
        return fault ? EXPECT_OUR_FAULT : EXPECT_FAILS;
    }
    return EXPECT_HOLDS;
}

static enum expect_outcome judge_subject(const struct expectation *expectation,
                                         struct subject *subject,
                                         const struct template_context *context, char **failed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) results = selector_select(expectation->selector, subject, context, &error);
    if (results)
        return judge_checks(expectation, subject, results, context, failed);
    *failed = tell_fault(expectation, error);
    return EXPECT_OUR_FAULT;
}

// Judges on a captured value; a value that is not there selects nothing.
static enum expect_outcome judge_from(const struct expectation *expectation, struct values *values,
                                      const struct template_context *context, char **failed)
{
    const struct value *value = values_find(values, expectation->from);
    struct subject subject;
    subject_init_value(&subject, value);
    enum expect_outcome outcome = judge_subject(expectation, &subject, context, failed);
    subject_clear(&subject);
    return outcome;
}

static bool is_left_out(const struct expectation *expectation, struct values *values,
                        struct clock_wall now)
{
    if (!expectation->only_if)
        return false;
    const struct value *value = values_find(values, expectation->only_if_name);
    return !expect_value(expectation->only_if, value, values, now);
}

enum expect_outcome expect_judge(const GPtrArray *expectations, struct subject *subject,
                                 struct values *values, struct clock_wall now, char **failed)
{
    const struct template_context context = values_context(values, now);
    *failed = NULL;
    for (unsigned i = 0; i < expectations->len; i++) {
        const struct expectation *expectation = g_ptr_array_index(expectations, i);
        if (is_left_out(expectation, values, now))
            continue;
        enum expect_outcome outcome = expectation->from
                                          ? judge_from(expectation, values, &context, failed)
                                          : judge_subject(expectation, subject, &context, failed);
        if (outcome != EXPECT_HOLDS)
            return outcome;
    }
    return EXPECT_HOLDS;
}

bool expect_value(const GPtrArray *checks, const struct value *value, struct values *values,
                  struct clock_wall now)
{
    const struct template_context context = values_context(values, now);
    const struct operators_input input = {.kind = SELECTOR_BODY, .context = &context};
    g_autoptr(GPtrArray) results = g_ptr_array_new();
    if (value && value->json)
        g_ptr_array_add(results, value->json);
    for (unsigned i = 0; i < checks->len; i++)
        if (operators_judge(g_ptr_array_index(checks, i), results, &input, NULL, NULL) !=
            OPERATORS_HOLD)
            return false;
    return true;
}

bool expect_names_kind(const GPtrArray *expectations, enum selector_kind kind)
{
    for (unsigned i = 0; i < expectations->len; i++) {
        const struct expectation *expectation = g_ptr_array_index(expectations, i);
        if (!expectation->from && expectation->selector->kind == kind)
            return true;
    }
    return false;
}

bool expect_names_status(const GPtrArray *expectations)
{
    return expect_names_kind(expectations, SELECTOR_STATUS);
}

bool expect_names_content(const GPtrArray *expectations)
{
    for (unsigned i = 0; i < expectations->len; i++) {
        const struct expectation *expectation = g_ptr_array_index(expectations, i);
        enum selector_kind kind = expectation->selector->kind;
        if (expectation->from ||
            (kind != SELECTOR_TIME && kind != SELECTOR_SIZE && kind != SELECTOR_CERTIFICATE))
            return true;
    }
    return false;
}

// SPDX-License-Identifier: MIT
// For tests of selectors, expectations and captures: builds them from short
// texts as the configuration reader would, and responses to judge.
#ifndef TESTS_UNIT_SUPPORT_EXPECT_H
#define TESTS_UNIT_SUPPORT_EXPECT_H

#include "../../base/json.h"
#include "../../base/transfer.h"
#include "../../config/call.h"

#include <string.h>

static G_GNUC_UNUSED cJSON *support_parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    cJSON *tree = json_parse(text, strlen(text), &error);
    if (!tree)
        g_error("%s: %s", text, error->message);
    return tree;
}

// A selector from "status", "json $.id", "header Location".
static G_GNUC_UNUSED struct selector *support_selector(const char *text)
{
    static const char *const words[] = {"status", "time", "size", "header", "cookie",     "json",
                                        "regex",  "body", "xml",  "html",   "certificate"};
    g_auto(GStrv) parts = g_strsplit(text, " ", 2);
    unsigned kind = 0;
    while (strcmp(words[kind], parts[0]) != 0)
        kind++;
    struct selector *selector = selector_new((enum selector_kind)kind, parts[1]);
    g_autoptr(GError) error = NULL;
    if (!selector_compile(selector, &error))
        g_error("%s: %s", text, error->message);
    return selector;
}

static G_GNUC_UNUSED void support_free_template(void *operand)
{
    template_free(operand);
}

static G_GNUC_UNUSED void support_free_json(void *json)
{
    cJSON_Delete(json);
}

static G_GNUC_UNUSED void support_free_check(void *check)
{
    check_free(check);
}

static G_GNUC_UNUSED void support_free_expectation(void *expectation)
{
    expectation_free(expectation);
}

static G_GNUC_UNUSED void support_free_capture(void *capture)
{
    capture_free(capture);
}

static G_GNUC_UNUSED GPtrArray *support_checks(const cJSON *json);

static G_GNUC_UNUSED void support_add_operand(struct check *check, const cJSON *operand)
{
    g_autofree char *text = json_print(operand, false);
    g_ptr_array_add(check->operands, template_new_json(operand, false, NULL));
    if (strstr(text, "{{"))
        g_clear_pointer(&check->constants, g_ptr_array_unref);
    else if (check->constants)
        g_ptr_array_add(check->constants, cJSON_Duplicate(operand, true));
}

static G_GNUC_UNUSED struct check *support_check(const char *word, const cJSON *operand)
{
    static const char *const words[] = {"equals", "not",      "contains", "matches", "above",
                                        "below",  "at_least", "at_most",  "one_of",  "count",
                                        "length", "exists",   "type",     "empty",   "any"};
    unsigned kind = 0;
    while (strcmp(words[kind], word) != 0)
        kind++;
    struct check *check = check_new((enum check_operator)kind);
    g_autofree char *text = json_print(operand, false);
    check->source = g_strdup_printf("%s %s", word, text);
    check->operands = g_ptr_array_new_with_free_func(support_free_template);
    bool nests = strstr("not count length any", word) != NULL;
    if (nests && cJSON_IsObject(operand)) {
        check->nested = support_checks(operand);
        return check;
    }
    check->constants = g_ptr_array_new_with_free_func(support_free_json);
    bool list = kind == CHECK_ONE_OF || kind == CHECK_TYPE;
    if (list && cJSON_IsArray(operand))
        for (const cJSON *one = operand->child; one; one = one->next)
            support_add_operand(check, one);
    else
        support_add_operand(check, operand);
    if (kind == CHECK_MATCHES && check->constants)
        check->regex = regex_compile(operand->valuestring, REGEX_PLAIN, NULL);
    return check;
}

// Checks from {"above": 1, "not": {"equals": 2}}, or from a bare value.
static G_GNUC_UNUSED GPtrArray *support_checks(const cJSON *json)
{
    GPtrArray *checks = g_ptr_array_new_with_free_func(support_free_check);
    if (!cJSON_IsObject(json))
        g_ptr_array_add(checks, support_check("equals", json));
    for (const cJSON *one = cJSON_IsObject(json) ? json->child : NULL; one; one = one->next)
        g_ptr_array_add(checks, support_check(one->string, one));
    return checks;
}

// Adds the expectation "json $.id" with checks from a JSON text.
static G_GNUC_UNUSED struct expectation *support_expect(GPtrArray *expectations,
                                                        const char *selector, const char *checks)
{
    g_autoptr(cJSON) json = support_parse(checks);
    struct expectation *expectation = expectation_new();
    expectation->selector = support_selector(selector);
    g_ptr_array_unref(expectation->checks);
    expectation->checks = support_checks(json);
    g_ptr_array_add(expectations, expectation);
    return expectation;
}

static G_GNUC_UNUSED struct transfer_response *support_response(int status, const char *body,
                                                                gssize length)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    if (response->body)
        g_bytes_unref(response->body);
    response->body = g_bytes_new(body, length < 0 ? strlen(body) : (size_t)length);
    return response;
}

#endif

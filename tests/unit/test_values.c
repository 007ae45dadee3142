// SPDX-License-Identifier: MIT
// The names of a run: set, found, rendered, kept without secrets.
#include "../../base/json.h"
#include "../../base/redact.h"
#include "../../probes/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct value *json_value(const char *text, bool secret)
{
    cJSON *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    return value_new(json, secret);
}

static struct values *sample(void)
{
    struct values *values = values_new(NULL, "Europe/Brussels");
    values_set_text(values, "order", "SO-1", false);
    values_set(values, "id", json_value("9007199254740993", false));
    values_set(values, "lines", json_value("[{\"a\":1.50}]", false));
    values_set_text(values, "session", "s3cret-value", true);
    values_set(values, "keys", json_value("{\"a\":[\"first-key\",7654321],\"b\":null}", true));
    return values;
}

static void test_set_and_find(void **state)
{
    (void)state;
    struct values *values = sample();
    assert_string_equal(values_find(values, "order")->json->valuestring, "SO-1");
    assert_null(values_find(values, "Order"));
    assert_null(values_find(values, ""));
    values_set_text(values, "order", "SO-2", false);
    assert_string_equal(values_find(values, "order")->json->valuestring, "SO-2");
    values_free(values);
    values_free(NULL);
    assert_null(values_copy(NULL));
    struct values *plain = values_new(NULL, NULL);
    values_set_text(plain, "a", "b", false);
    assert_false(values_have_secrets(plain));
    values_free(plain);
}

static void test_context(void **state)
{
    (void)state;
    struct values *values = sample();
    // 2026-11-21T09:30:00Z
    struct template_context context =
        values_context(values, (struct clock_wall){INT64_C(1795253400000000)});
    g_autoptr(template_t) template = template_new("{{order}} {{id}} {{now}} ${env:NONE:-else}",
                                                  TEMPLATE_PLACE_TEXT, false, NULL);
    bool secret = false;
    g_autofree char *text = template_render(template, &context, &secret, NULL);
    assert_string_equal(text, "SO-1 9007199254740993 2026-11-21T10:30:00+01:00 else");
    assert_false(secret);
    g_autoptr(template_t) login = template_new("{{session}}", TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *key = template_render(login, &context, &secret, NULL);
    assert_string_equal(key, "s3cret-value");
    assert_true(secret);
    values_free(values);
}

// What the machine gives comes from the store of secrets.
static void test_references(void **state)
{
    (void)state;
    struct secret_store *store = secret_store_new();
    struct template_reference reference = {.kind = TEMPLATE_REFERENCE_ENV,
                                           .name = (char *)(uintptr_t) "ERPWATCH_TEST_VALUE"};
    g_setenv("ERPWATCH_TEST_VALUE", "given", TRUE);
    assert_true(secret_store_load(store, &reference, "/", NULL));
    struct values *values = values_new(store, NULL);
    struct template_context context = values_context(values, (struct clock_wall){0});
    g_autoptr(template_t) template =
        template_new("${env:ERPWATCH_TEST_VALUE} {{now}}", TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *text = template_render(template, &context, NULL, NULL);
    assert_string_equal(text, "given 1970-01-01T00:00:00Z");
    values_free(values);
    secret_store_free(store);
}

static const char kept[] = "{\"order\":\"SO-1\",\"id\":9007199254740993,\"lines\":[{\"a\":1.50}]}";

static void test_json(void **state)
{
    (void)state;
    struct values *values = sample();
    g_autoptr(cJSON) object = values_to_json(values);
    g_autofree char *text = json_print(object, false);
    assert_string_equal(text, kept);
    struct values *back = values_new(NULL, NULL);
    values_set_text(back, "order", "old", true);
    values_add_json(back, object);
    g_autoptr(cJSON) again = values_to_json(back);
    g_autofree char *same = json_print(again, false);
    assert_string_equal(same, kept);
    values_free(back);
    values_free(values);
}

static void test_redact(void **state)
{
    (void)state;
    struct values *values = sample();
    g_autoptr(redact_t) redact = redact_new();
    assert_true(values_have_secrets(values));
    values_redact(values, redact);
    g_autofree char *text = redact_text(redact, "SO-1 s3cret-value first-key 7654321 null", -1);
    assert_string_equal(text, "SO-1 *** *** *** null");
    values_free(values);
}

// What filters make of a secret is one too: of values, and of the machine's.
static void test_made(void **state)
{
    (void)state;
    struct values *values = values_new(NULL, NULL);
    values_set_text(values, "order", "SO-1", false);
    struct template_context context = values_context(values, (struct clock_wall){0});
    g_autoptr(template_t) plain =
        template_new("{{order | lower}}", TEMPLATE_PLACE_TEXT, false, NULL);
    g_autofree char *lower = template_render(plain, &context, NULL, NULL);
    assert_string_equal(lower, "so-1");
    assert_false(values_have_secrets(values));
    g_autoptr(template_t) made =
        template_new("{{'${env:NONE:-s3cret-value}' | upper}} {{order | hmac_sha256: "
                     "'${env:NONE:-key}'}}",
                     TEMPLATE_PLACE_TEXT, true, NULL);
    g_autofree char *text = template_render(made, &context, NULL, NULL);
    assert_true(g_str_has_prefix(text, "S3CRET-VALUE "));
    assert_true(values_have_secrets(values));
    struct values *copy = values_copy(values);
    values_free(values);
    g_autoptr(redact_t) redact = redact_new();
    values_redact(copy, redact);
    g_autofree char *masked = redact_text(redact, text, -1);
    assert_string_equal(masked, "*** ***");
    values_free(copy);
}

static void test_copy(void **state)
{
    (void)state;
    struct values *values = sample();
    struct values *copy = values_copy(values);
    values_set_text(values, "order", "SO-2", false);
    values_set_text(copy, "own", "x", false);
    assert_string_equal(values_find(copy, "order")->json->valuestring, "SO-1");
    assert_null(values_find(values, "own"));
    assert_true(values_find(copy, "session")->secret);
    values_free(values);
    assert_string_equal(values_find(copy, "session")->json->valuestring, "s3cret-value");
    values_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_find), cmocka_unit_test(test_context),
        cmocka_unit_test(test_references),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_redact),       cmocka_unit_test(test_copy),
        cmocka_unit_test(test_made),
    };
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}

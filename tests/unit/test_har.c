// SPDX-License-Identifier: MIT
// The HTTP archive: what importers insist on, times that add up, bodies that are
// cut and say so.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../alerts/compose_har.h"
#include "sample_facts.h"

#include <math.h>

enum { LARGE = 640 * 1024 };

static cJSON *archive(const cJSON *facts, gsize max_bytes)
{
    g_autofree char *text = compose_har(json_member(facts, "result"), max_bytes);
    cJSON *tree;

    assert_non_null(text);
    assert_true(strlen(text) <= max_bytes);
    tree = json_parse(text, strlen(text), NULL);
    assert_non_null(tree);
    return tree;
}

static cJSON *entry_at(cJSON *tree, int index)
{
    cJSON *entries = sample_member_of(sample_member_of(tree, "log"), "entries");

    return cJSON_GetArrayItem(entries, index);
}

static cJSON *sample_exchange(cJSON *facts)
{
    return cJSON_GetArrayItem(sample_member_of(sample_step(facts), "exchanges"), 0);
}

static void each_call_is_an_entry_with_all_that_is_required(void **state)
{
    static const char *const required[] = {"startedDateTime", "time",  "request",
                                           "response",        "cache", "timings"};
    static const char *const request[] = {"method",  "url",         "httpVersion", "cookies",
                                          "headers", "queryString", "headersSize", "bodySize"};
    static const char *const response[] = {"status",      "statusText",  "httpVersion",
                                           "cookies",     "headers",     "content",
                                           "redirectURL", "headersSize", "bodySize"};
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(cJSON) tree = archive(facts, LARGE);

    (void)state;
    assert_string_equal(json_text(json_member(tree, "log"), "version"), "1.2");
    for (int i = 0; i < 2; i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(required); k++)
            assert_non_null(json_member(entry_at(tree, i), required[k]));
        for (gsize k = 0; k < G_N_ELEMENTS(request); k++)
            assert_non_null(json_member(json_member(entry_at(tree, i), "request"), request[k]));
        for (gsize k = 0; k < G_N_ELEMENTS(response); k++)
            assert_non_null(json_member(json_member(entry_at(tree, i), "response"), response[k]));
    }
    assert_null(entry_at(tree, 2));
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

static void times_add_up_and_ssl_is_part_of_connect(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(cJSON) tree = archive(facts, LARGE);
    const cJSON *fresh = json_member(entry_at(tree, 0), "timings");
    const cJSON *kept = json_member(entry_at(tree, 1), "timings");

    (void)state;
    assert_true(fabs(number(fresh, "dns") - 1) < 0.01);
    assert_true(fabs(number(fresh, "connect") - 40) < 0.01);
    assert_true(fabs(number(fresh, "ssl") - 27) < 0.01);
    assert_true(fabs(number(fresh, "wait") - 357) < 0.01);
    assert_true(fabs(number(fresh, "receive") - 4) < 0.01);
    assert_true(fabs(number(entry_at(tree, 0), "time") - 402) < 0.01);
    assert_true(fabs(number(kept, "connect") + 1) < 0.01);
    assert_true(fabs(number(kept, "send") - 1) < 0.01);
    assert_true(fabs(number(entry_at(tree, 1), "time") - 310) < 0.01);
}

static void a_call_without_an_answer_has_status_0(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    cJSON *exchange = sample_exchange(facts);
    g_autoptr(cJSON) tree = NULL;
    const cJSON *entry;

    (void)state;
    cJSON_DeleteItemFromObjectCaseSensitive(exchange, "status");
    cJSON_DeleteItemFromObjectCaseSensitive(exchange, "timing_ms");
    cJSON_DeleteItemFromObjectCaseSensitive(exchange, "response_body");
    cJSON_DeleteItemFromObjectCaseSensitive(exchange, "response_headers");
    tree = archive(facts, LARGE);
    entry = entry_at(tree, 1);
    assert_int_equal(json_integer(json_member(entry, "response"), "status", -7), 0);
    assert_true(number(json_member(entry, "timings"), "wait") >= 0);
    assert_true(number(entry, "time") >= 0);
}

static void the_query_is_taken_apart(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(cJSON) tree = NULL;
    g_autofree char *text = NULL;

    (void)state;
    sample_set(sample_exchange(facts), "url", "https://e.example/a?x=1%202&y&z=a+b=c&&%zz=%ff#f");
    tree = archive(facts, LARGE);
    text = json_print(json_member(json_member(entry_at(tree, 1), "request"), "queryString"), false);
    assert_string_equal(text, "[{\"name\":\"x\",\"value\":\"1 2\"},{\"name\":\"y\",\"value\":\"\"},"
                              "{\"name\":\"z\",\"value\":\"a b=c\"},"
                              "{\"name\":\"%zz\",\"value\":\"%ff\"}]");
}

static void a_large_body_is_cut_and_marked(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autofree char *body = g_strnfill(200000, 'B');
    g_autoptr(cJSON) tree = NULL;
    const cJSON *content;

    (void)state;
    sample_set(sample_exchange(facts), "response_body", body);
    tree = archive(facts, LARGE);
    content = json_member(json_member(entry_at(tree, 1), "response"), "content");
    assert_int_equal(strlen(json_text(content, "text")), 65536);
    assert_int_equal(json_integer(content, "size", 0), 200000);
    assert_string_equal(json_text(content, "comment"), "cut after 65536 of 200000 bytes");
}

static void a_cut_never_splits_a_character(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    GString *body = g_string_new("x");
    g_autoptr(cJSON) tree = NULL;

    (void)state;
    for (int i = 0; i < 40000; i++)
        g_string_append(body, "€");
    sample_set(sample_exchange(facts), "response_body", body->str);
    g_string_free(body, TRUE);
    tree = archive(facts, LARGE); // reads it back: bad UTF-8 would be refused
    assert_non_null(tree);
}

static void the_failing_call_is_kept_where_not_all_fit(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    cJSON *step = sample_step(facts);
    cJSON *exchanges = sample_member_of(step, "exchanges");
    g_autofree char *body = g_strnfill(100000, 'B');
    g_autoptr(cJSON) tree = NULL;
    cJSON *entries;

    (void)state;
    sample_set(sample_exchange(facts), "response_body", body);
    for (int i = 0; i < 200; i++)
        cJSON_AddItemToArray(exchanges, cJSON_Duplicate(sample_exchange(facts), true));
    sample_set(cJSON_GetArrayItem(exchanges, 200), "method", "PATCH");
    tree = archive(facts, 100000);
    entries = sample_member_of(sample_member_of(tree, "log"), "entries");
    assert_true(cJSON_GetArraySize(entries) >= 1);
    assert_string_equal(
        json_text(json_member(entry_at(tree, cJSON_GetArraySize(entries) - 1), "request"),
                  "method"),
        "PATCH");
}

static void hostile_texts_leave_it_valid(void **state)
{
    g_autoptr(cJSON) facts = sample_facts();
    g_autoptr(cJSON) tree = NULL;

    (void)state;
    sample_spoil(facts, "\xff\xfe\r\n\"\\</script>\x01\xed\xa0\x80");
    tree = archive(facts, LARGE);
    assert_non_null(entry_at(tree, 1));
}

static void without_an_exchange_there_is_no_archive(void **state)
{
    g_autoptr(cJSON) empty = cJSON_CreateObject();

    (void)state;
    assert_null(compose_har(empty, LARGE));
    assert_null(compose_har(NULL, LARGE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_an_entry_with_all_that_is_required),
        cmocka_unit_test(times_add_up_and_ssl_is_part_of_connect),
        cmocka_unit_test(a_call_without_an_answer_has_status_0),
        cmocka_unit_test(the_query_is_taken_apart),
        cmocka_unit_test(a_large_body_is_cut_and_marked),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(the_failing_call_is_kept_where_not_all_fit),
        cmocka_unit_test(hostile_texts_leave_it_valid),
        cmocka_unit_test(without_an_exchange_there_is_no_archive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

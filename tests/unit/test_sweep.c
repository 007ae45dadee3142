// SPDX-License-Identifier: MIT
// Which records a sweep takes for ours, how old they are, whose they are, and what is
// said of them. Nothing of somebody else's is ever due.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../base/json.h"
#include "../../probes/sweep.h"

#define HEAD                                                                                       \
    "systems: {erp: {url: https://erp.example/api, with: {company: c1}}}\n"                        \
    "sweeps:\n  left:\n    system: erp\n    get: /orders\n    items: '$.value[*]'\n"               \
    "    older: 30m\n    undo: {delete: '/orders/{{order}}'}\n"
#define AT "    at: {json: $.changed}\n"
#define CAPTURE "    capture: {order: {json: $.id}}\n"
#define ONLY "    only: {json: {$.ref: {matches: '^ERPW-'}}}\n"

// 2026-11-21T12:00:00Z
static const struct clock_wall now = {INT64_C(1795262400) * G_USEC_PER_SEC};

struct sample {
    struct config *config;
    struct values *values;
    struct sweep_judging judging;
};

static void open_sample(struct sample *sample, const char *text)
{
    g_autoptr(GPtrArray) problems = config_problems_new();

    sample->config = config_load_text("sweep.yaml", text, strlen(text), problems);
    if (problems->len > 0) {
        g_autofree char *line = config_problem_format(problems->pdata[0]);

        print_error("%s\n", line);
    }
    assert_non_null(sample->config);
    sample->values = values_new(sample->config->secrets, "UTC");
    sample->judging = (struct sweep_judging){
        .sweep = config_find_sweep(sample->config, "left"),
        .mark = sample->config->agent.mark,
        .zone = "UTC",
        .values = sample->values,
        .now = now,
    };
}

static void close_sample(struct sample *sample)
{
    values_free(sample->values);
    config_free(sample->config);
}

static struct sweep_record *judge_text(const struct sample *sample, const char *json)
{
    g_autoptr(cJSON) item = json_parse(json, strlen(json), NULL);

    assert_non_null(item);
    return sweep_judge(&sample->judging, item);
}

#define OLD "\"changed\":\"2026-11-21T11:00:00Z\""
#define YOUNG "\"changed\":\"2026-11-21T11:45:00Z\""

static void test_ours(void **state)
{
    static const struct {
        const char *item;
        int state; // -1: not ours
    } cases[] = {
        {"{\"id\":1,\"ref\":\"ERPW-0K3V9Z8T1ABC\"," OLD "}", SWEEP_DUE},
        {"{\"id\":1,\"ref\":\"ERPW-0K3V9Z8T1ABC\"," YOUNG "}", SWEEP_YOUNG},
        {"{\"id\":1,\"ref\":\"ERPW-1\",\"changed\":\"2026-11-21T11:29:59Z\"}", SWEEP_DUE},
        {"{\"id\":1,\"ref\":\"ERPW-1\",\"changed\":\"2026-11-21T11:30:00Z\"}", SWEEP_YOUNG},
        {"{\"id\":1,\"ref\":\"ERPW-1\",\"changed\":\"2027-01-01T00:00:00Z\"}", SWEEP_YOUNG},
        {"{\"id\":1,\"ref\":\"ERPW-1\",\"changed\":null}", SWEEP_UNDATED},
        {"{\"id\":1,\"ref\":\"ERPW-1\",\"changed\":\"0001-01-01T00:00:00Z\"}", SWEEP_UNDATED},
        {"{\"id\":1,\"ref\":\"ERPW-1\"}", SWEEP_UNDATED},
        {"{\"ref\":\"ERPW-1\"," OLD "}", SWEEP_FAILED}, // its id cannot be captured
        {"{\"id\":\"\",\"ref\":\"ERPW-1\"," OLD "}", SWEEP_FAILED},
        {"{\"id\":1,\"ref\":\"SO-1001\"," OLD "}", -1},
        {"{\"id\":1,\"ref\":\"SO-1001\",\"note\":\"ERPW-1\"," OLD "}", -1}, // another field
        {"{\"id\":1,\"ref\":\"see ERPW-1\"," OLD "}", -1},
        {"{\"id\":1,\"ref\":null," OLD "}", -1},
        {"{\"id\":1,\"ref\":[\"ERPW-1\",\"SO-1\"]," OLD "}", -1},
        {"{\"id\":1," OLD "}", -1},
        {"{}", -1},
        {"null", -1},
        {"\"ERPW-1\"", -1},
        {"[]", -1},
    };
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT CAPTURE ONLY);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(sweep_record_t) record = judge_text(&sample, cases[i].item);
        int found = record ? (int)record->state : -1;

        if (found != cases[i].state)
            print_error("%s\n", cases[i].item);
        assert_int_equal(found, cases[i].state);
    }
    close_sample(&sample);
}

// `only` that validate cannot see through: the mark is looked for again in what it selects.
static void test_mark_is_looked_for(void **state)
{
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT CAPTURE
                "    only: {json: {$.ref: {matches: 'ERPW-|^[A-Z]{7}$'}, $.state: draft}}\n");
    g_autoptr(sweep_record_t) ours =
        judge_text(&sample, "{\"id\":1,\"ref\":\"x erpw-0k3v\",\"state\":\"draft\"," OLD "}");
    g_autoptr(sweep_record_t) foreign =
        judge_text(&sample, "{\"id\":1,\"ref\":\"FOREIGN\",\"state\":\"draft\"," OLD "}");

    assert_null(ours); // the pattern minds the case
    assert_int_equal(foreign->state, SWEEP_UNMARKED);
    g_autoptr(sweep_record_t) shout =
        judge_text(&sample, "{\"id\":1,\"ref\":\"x ERPW-0k3v\",\"state\":\"draft\"," OLD "}");

    assert_int_equal(shout->state, SWEEP_DUE);
    assert_string_equal(shout->name, "x ERPW-0k3v");
    assert_string_equal(shout->run, "0K3V");
    close_sample(&sample);
}

static void test_known(void **state)
{
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT ONLY "    capture: {order: {json: $.id}, etag: {json: $.etag, "
                                      "default: '*'}}\n    set: {key: 'k{{order}}'}\n");
    g_autoptr(sweep_record_t) record =
        judge_text(&sample, "{\"id\":12.10,\"ref\":\"ERPW-0K3V9Z8T1ABCD\"," OLD "}");
    g_autofree char *known = json_print(record->known, false);

    assert_string_equal(known, "{\"order\":12.10,\"etag\":\"*\",\"key\":\"k12.10\"}");
    assert_string_equal(record->run, "0K3V9Z8T1ABC"); // twelve characters
    assert_null(record->problem);
    close_sample(&sample);
}

static struct sweep_result *result_of(const struct sample *sample, const char *const *items)
{
    struct sweep_result *result = sweep_result_new(sample->judging.sweep, now);

    for (; *items; items++) {
        struct sweep_record *record = judge_text(sample, *items);

        assert_non_null(record);
        g_ptr_array_add(result->records, record);
        result->listed++;
    }
    result->searched = true;
    return result;
}

static void test_runs_keep_theirs(void **state)
{
    static const char *const items[] = {
        "{\"id\":1,\"ref\":\"ERPW-0K3V9Z8T1ABC\"," OLD "}",
        "{\"id\":2,\"ref\":\"ERPW-0k3v9z\"," OLD "}", // the system cut it and changed its case
        "{\"id\":3,\"ref\":\"ERPW-ZZZZZZZZZZZZ\"," OLD "}",
        "{\"id\":4,\"ref\":\"ERPW-\"," OLD "}",
        "{\"id\":5,\"ref\":\"ERPW-0K3V9Z8T1ABC\"," YOUNG "}",
        NULL,
    };
    static const enum sweep_state after[] = {SWEEP_OWED, SWEEP_OWED, SWEEP_DUE, SWEEP_DUE,
                                             SWEEP_OWED};
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT CAPTURE ONLY);
    g_autoptr(sweep_result_t) result = result_of(&sample, items);
    g_autoptr(GPtrArray) runs = g_ptr_array_new();

    assert_int_equal(sweep_ripe(result, 30 * 60 * 1000).us,
                     now.us + INT64_C(15 * 60) * G_USEC_PER_SEC);
    sweep_hold(result->records, runs);
    assert_int_equal(sweep_count(result, SWEEP_OWED), 0);
    g_ptr_array_add(runs, (void *)(uintptr_t) "AAAAAAAAAAAA");
    g_ptr_array_add(runs, (void *)(uintptr_t) "0K3V9Z8T1ABC");
    sweep_hold(result->records, runs);
    for (guint i = 0; i < result->records->len; i++)
        assert_int_equal(((struct sweep_record *)result->records->pdata[i])->state, after[i]);
    assert_int_equal(sweep_ripe(result, 30 * 60 * 1000).us, 0); // its run will remove it
    close_sample(&sample);
}

static void test_outcomes(void **state)
{
    static const char *const items[] = {"{\"id\":1,\"ref\":\"ERPW-1\"," OLD "}",
                                        "{\"id\":2,\"ref\":\"ERPW-2\"," YOUNG "}", NULL};
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT CAPTURE ONLY);
    g_autoptr(sweep_result_t) result = result_of(&sample, items);
    struct sweep_record *first = result->records->pdata[0];
    g_autofree char *due = sweep_summary(result);

    assert_string_equal(due, "1 would be deleted, 1 too young");
    first->state = SWEEP_DELETED;
    assert_int_equal(sweep_outcome(result), SWEEP_OK);
    first->state = SWEEP_FAILED;
    first->problem = g_strdup("DELETE answered 403");
    g_autofree char *failed = sweep_summary(result);

    assert_string_equal(failed, "1 could not be deleted, 1 too young: DELETE answered 403");
    assert_int_equal(sweep_outcome(result), SWEEP_LEFT);
    result->searched = false;
    assert_int_equal(sweep_outcome(result), SWEEP_SEARCH_FAILED);
    result->cut_off = true;
    assert_int_equal(sweep_outcome(result), SWEEP_UNKNOWN);
    assert_string_equal(sweep_outcome_word(SWEEP_LEFT), "left");
    close_sample(&sample);
}

static void test_json(void **state)
{
    static const char *const items[] = {
        "{\"id\":\"topsecret-1\",\"ref\":\"ERPW-0K3V9Z8T1ABC\"," OLD "}", NULL};
    struct sample sample;

    (void)state;
    open_sample(&sample, HEAD AT CAPTURE ONLY);
    g_autoptr(sweep_result_t) result = result_of(&sample, items);
    struct redact *redact = redact_new();

    redact_add(redact, "topsecret");
    ((struct sweep_record *)result->records->pdata[0])->state = SWEEP_DELETED;
    g_autoptr(cJSON) json = sweep_result_to_json(result, redact);
    g_autofree char *text = json_print(json, false);

    redact_free(redact);
    assert_null(strstr(text, "topsecret"));
    assert_string_equal(
        text, "{\"sweep\":\"left\",\"system\":\"erp\",\"state\":\"ok\","
              "\"started\":\"2026-11-21T12:00:00.000Z\",\"ended\":\"2026-11-21T12:00:00.000Z\","
              "\"duration_ms\":0,\"dry_run\":false,\"pages\":0,\"listed\":1,\"found\":1,\"due\":0,"
              "\"deleted\":1,\"failed\":0,\"left\":0,\"problem\":null,\"summary\":\"1 deleted\","
              "\"records\":[{\"name\":\"ERPW-0K3V9Z8T1ABC\",\"run\":\"0K3V9Z8T1ABC\","
              "\"at\":\"2026-11-21T11:00:00.000Z\",\"state\":\"deleted\",\"why\":\"deleted\","
              "\"problem\":null,\"known\":{\"order\":\"***-1\"}}]}");
    close_sample(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours),     cmocka_unit_test(test_mark_is_looked_for),
        cmocka_unit_test(test_known),    cmocka_unit_test(test_runs_keep_theirs),
        cmocka_unit_test(test_outcomes), cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

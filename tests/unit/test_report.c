// SPDX-License-Identifier: MIT
// What the commands that read the store say: states and exit codes by age and
// heartbeat, history, incidents, and the table that shows them.
#include "../../monitor/command.h"
#include "../../monitor/report.h"
#include "../../monitor/report_view.h"
#include "../../monitor/store.h"
#include "../../monitor/store_runs.h"
#include "../../monitor/table.h"
#include "../../monitor/watch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define START (INT64_C(1790000000) * SECOND)

struct world {
    struct db *db;
    struct config config;
    struct config_system system;
    struct config_flow flow;
};

static struct clock_wall at(int64_t seconds)
{
    return (struct clock_wall){START + seconds * SECOND};
}

static int set_up(void **state)
{
    struct world *world = g_new0(struct world, 1);
    world->db = store_open_memory(NULL);
    world->system.id = g_strdup("erp");
    world->system.act = g_hash_table_new(g_str_hash, g_str_equal);
    world->flow = (struct config_flow){.id = g_strdup("orders"),
                                       .title = g_strdup("Orders"),
                                       .system = &world->system,
                                       .priority = 1,
                                       .every_ms = 300000,
                                       .timeout_ms = 60000,
                                       .confirm_runs = 1,
                                       .recover = 1,
                                       .notify = g_ptr_array_new()};
    world->config.agent.timezone = g_strdup("Europe/Brussels");
    world->config.contacts = g_hash_table_new(g_str_hash, g_str_equal);
    world->config.systems = g_hash_table_new(g_str_hash, g_str_equal);
    world->config.flows = g_ptr_array_new();
    world->config.sweeps = g_ptr_array_new();
    g_hash_table_insert(world->config.systems, world->system.id, &world->system);
    config_add_flow(&world->config, &world->flow);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    db_close(world->db);
    g_hash_table_destroy(world->system.act);
    g_hash_table_destroy(world->config.contacts);
    g_hash_table_destroy(world->config.systems);
    g_hash_table_unref(world->config.by_id);
    g_ptr_array_unref(world->config.flows);
    g_ptr_array_unref(world->config.sweeps);
    g_ptr_array_unref(world->flow.notify);
    g_free(world->config.agent.timezone);
    g_free(world->system.id);
    g_free(world->flow.id);
    g_free(world->flow.title);
    g_free(world);
    return 0;
}

static void run(struct world *world, const char *id, enum verdict_state state, int64_t seconds)
{
    struct watch_answer answer;
    static const char failed[] =
        "{\"steps\":[{\"step\":\"read\",\"state\":\"failed\",\"verdict\":{\"message\":\"no\"}}]}";
    g_autoptr(cJSON) json = state == VERDICT_OK ? NULL : json_parse(failed, strlen(failed), NULL);
    struct watch_event event = {.run = g_strdup(id),
                                .flow = world->flow.id,
                                .system = world->system.id,
                                .state = state,
                                .started = at(seconds),
                                .ended = at(seconds + 1),
                                .duration_us = SECOND,
                                .fingerprint = state == VERDICT_FAILED ? g_strdup("f") : NULL,
                                .json = json,
                                .counts = true};
    assert_true(watch_result(world->db, &world->config, &event, &answer, NULL));
    g_free(event.run);
    g_free(event.fingerprint);
}

static int code_at(struct world *world, int64_t seconds)
{
    g_autoptr(cJSON) status = report_status(world->db, &world->config, at(seconds), NULL);
    assert_non_null(status);
    return report_status_code(status);
}

static void test_states(void **state)
{
    struct world *world = *state;
    assert_int_equal(code_at(world, 0), COMMAND_UNKNOWN); // never ran
    run(world, "1", VERDICT_OK, 0);
    assert_int_equal(code_at(world, 10), COMMAND_OK);
    run(world, "2", VERDICT_SLOW, 300);
    assert_int_equal(code_at(world, 310), COMMAND_DEGRADED);
    run(world, "3", VERDICT_FAILED, 600);
    assert_int_equal(code_at(world, 610), COMMAND_FAILED);
    run(world, "4", VERDICT_UNKNOWN, 900);
    assert_int_equal(code_at(world, 910), COMMAND_UNKNOWN);
    world->flow.off = (char *)(uintptr_t) "moved";
    assert_int_equal(code_at(world, 910), COMMAND_OK);
}

static void test_age(void **state)
{
    struct world *world = *state;
    run(world, "1", VERDICT_OK, 0);
    assert_int_equal(code_at(world, 2 * 300 + 60), COMMAND_OK);
    assert_int_equal(code_at(world, 2 * 300 + 61), COMMAND_UNKNOWN);
    world->flow.every_ms = 0; // runs by hand alone never grow old
    assert_int_equal(code_at(world, 2 * 300 + 61), COMMAND_OK);
}

static void test_heartbeat(void **state)
{
    struct world *world = *state;
    run(world, "1", VERDICT_FAILED, 0);
    assert_true(store_runs_beat(world->db, at(0), NULL));
    assert_int_equal(code_at(world, 60), COMMAND_FAILED);
    assert_int_equal(code_at(world, 61), COMMAND_UNKNOWN);
    g_autoptr(cJSON) status = report_status(world->db, &world->config, at(61), NULL);
    assert_false(cJSON_IsTrue(json_member(json_member(status, "agent"), "running")));
    assert_string_equal(json_text(status, "state"), "unknown");
}

static void test_no_store(void **state)
{
    struct world *world = *state;
    g_autoptr(cJSON) status = report_status(NULL, &world->config, at(0), NULL);
    assert_int_equal(report_status_code(status), COMMAND_UNKNOWN);
    const cJSON *flow = cJSON_GetArrayItem(json_member(status, "flows"), 0);
    assert_string_equal(json_text(flow, "state"), "unknown");
    assert_string_equal(json_text(flow, "phase"), "ok");
}

static void test_status_members(void **state)
{
    struct world *world = *state;
    run(world, "1", VERDICT_OK, 0);
    run(world, "2", VERDICT_FAILED, 300);
    assert_true(watch_mute(world->db, &world->config, "erp", at(900), "works", at(301), NULL));
    g_autoptr(cJSON) status = report_status(world->db, &world->config, at(310), NULL);
    const cJSON *flow = cJSON_GetArrayItem(json_member(status, "flows"), 0);
    assert_string_equal(json_text(flow, "flow"), "orders");
    assert_string_equal(json_text(flow, "priority"), "P1");
    assert_string_equal(json_text(flow, "state"), "failed");
    assert_string_equal(json_text(flow, "phase"), "failing");
    assert_string_equal(json_text(flow, "summary"), "read: no");
    assert_true(cJSON_IsTrue(json_member(flow, "muted")));
    const cJSON *incident = cJSON_GetArrayItem(json_member(status, "incidents"), 0);
    assert_string_equal(json_text(incident, "incident"), json_text(flow, "incident"));
    assert_string_equal(json_text(incident, "state"), "open");
    const cJSON *mute = cJSON_GetArrayItem(json_member(status, "mutes"), 0);
    assert_string_equal(json_text(mute, "why"), "works");
    g_autoptr(cJSON) later = report_status(world->db, &world->config, at(900), NULL);
    assert_int_equal(cJSON_GetArraySize(json_member(later, "mutes")), 0);
}

static void test_history(void **state)
{
    struct world *world = *state;
    static const enum verdict_state states[] = {VERDICT_OK, VERDICT_FAILED, VERDICT_OK, VERDICT_OK,
                                                VERDICT_SLOW};
    for (int i = 0; i < 5; i++) {
        g_autofree char *id = g_strdup_printf("%d", i);
        run(world, id, states[i], i * 300);
    }
    g_autoptr(cJSON) all = report_history(world->db, "orders", 10, NULL);
    g_autoptr(GString) seen = g_string_new(NULL);
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(all, "runs"))
    {
        g_string_append_c(seen, json_text(item, "state")[0]);
    }
    assert_string_equal(seen->str, "soofo");
    g_autoptr(cJSON) some = report_history(world->db, "orders", 2, NULL);
    assert_int_equal(cJSON_GetArraySize(json_member(some, "runs")), 2);
}

static void test_history_of_a_damaged_result(void **state)
{
    struct world *world = *state;
    run(world, "1", VERDICT_FAILED, 0);
    run(world, "2", VERDICT_FAILED, 300);
    assert_true(db_run(world->db, NULL, "UPDATE run SET result = '{\"steps' WHERE id = '1'", ""));
    g_autoptr(GError) error = NULL;
    g_autoptr(cJSON) history = report_history(world->db, "orders", 10, &error);
    assert_null(error);
    assert_int_equal(cJSON_GetArraySize(json_member(history, "runs")), 2);
}

static void test_incident(void **state)
{
    struct world *world = *state;
    run(world, "1", VERDICT_FAILED, 0);
    run(world, "2", VERDICT_OK, 300);
    run(world, "3", VERDICT_FAILED, 600);
    g_autoptr(cJSON) all = report_incidents(world->db, false, 10, at(700), NULL);
    g_autoptr(cJSON) open = report_incidents(world->db, true, 10, at(700), NULL);
    assert_int_equal(cJSON_GetArraySize(all), 2);
    assert_int_equal(cJSON_GetArraySize(open), 1);
    const cJSON *last = cJSON_GetArrayItem(all, 1);
    assert_string_equal(json_text(last, "state"), "recovered");
    assert_int_equal(json_integer(last, "duration_ms", 0), 301000);
    g_autoptr(cJSON) one = report_incident(world->db, json_text(last, "incident"), at(700), NULL);
    assert_int_equal(cJSON_GetArraySize(json_member(one, "members")), 1);
    assert_true(cJSON_GetArraySize(json_member(one, "decisions")) >= 3);
    assert_true(cJSON_IsObject(json_member(one, "evidence")));
}

static char *stars(const char *text, int column)
{
    return column == 0 ? g_strdup_printf("*%s*", text) : g_strdup(text);
}

static void test_table(void **state)
{
    (void)state;
    g_autoptr(table_t) table = table_new("NAME", "WHAT", NULL);
    table_add(table, "caf\xc3\xa9", "a");
    table_add(table, "x", NULL);
    table_add(table, "\x1b[31mred", "b\nc");
    g_autofree char *text = table_format(table, NULL);
    assert_string_equal(text, "NAME      WHAT\ncaf\xc3\xa9      a\nx         -\n [31mred  b c\n");
    g_autofree char *coloured = table_format(table, stars);
    assert_non_null(strstr(coloured, "*x*         -\n"));
}

static void test_spans(void **state)
{
    static const struct {
        int64_t milliseconds;
        const char *text;
    } cases[] = {
        {0, "0 ms"},
        {812, "812 ms"},
        {4200, "4.2 s"},
        {119000, "119.0 s"},
        {42 * 60000, "42 min"},
        {185 * 60000, "3 h 5 min"},
        {52 * 3600000, "2 d 4 h"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = report_view_span(cases[i].milliseconds);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_local_times(void **state)
{
    struct world *world = *state;
    struct report_view view = {.config = &world->config};
    g_autoptr(cJSON) object = cJSON_CreateObject();
    json_add_text(object, "at", "2026-11-21T09:30:05.120Z");
    g_autofree char *text = report_view_time(&view, object, "at");
    assert_string_equal(text, "2026-11-21 10:30:05");
    assert_null(report_view_time(&view, object, "nothing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_states),
        TEST(test_age),
        TEST(test_heartbeat),
        TEST(test_no_store),
        TEST(test_history),
        TEST(test_history_of_a_damaged_result),
        TEST(test_status_members),
        TEST(test_incident),
        TEST(test_local_times),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Runs, incidents and notices on a real SQLite file: what is stored, who is told,
// what a mute and company do, and that a replay of the events gives the same rows:
// every test here ends with one.
#include "../../monitor/watch.h"

#include "../../alerts/outbox.h"
#include "../../monitor/ledger.h"
#include "../../monitor/store.h"
#include "../../monitor/store_runs.h"
#include "../../monitor/version_rows.h"
#include "../../monitor/watch_apply.h"
#include "support_replay.h"
#include "watch_config.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY (24 * 60 * MINUTE)
#define START (INT64_C(1790000000) * SECOND)

struct world {
    char *folder, *path;
    struct store *store;
    struct db *db;
    struct config *config;
    struct config *former; // that of another process
    int64_t now_us;
    int runs;
    bool reconfigured; // notices of then cannot be had from the configuration of now
    struct watch_answer answer;
};

static int set_up(void **state)
{
    struct world *world = g_new0(struct world, 1);
    world->folder = g_dir_make_tmp("erpwatch-watch-XXXXXX", NULL);
    world->path = g_build_filename(world->folder, "s.db", NULL);
    world->store = store_open(world->path, NULL);
    world->db = store_db(world->store);
    world->config = make_config();
    world->now_us = START;
    *state = world;
    return 0;
}

// All rows of a query as text.
static char *dump(struct db *db, const char *sql, int columns)
{
    GString *text = g_string_new(NULL);
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    assert_non_null(rows);
    while (db_rows_next(rows, NULL)) {
        for (int i = 0; i < columns; i++) {
            const char *value = db_rows_text(rows, i);
            g_string_append_printf(text, "%s|", value != NULL ? value : "NULL");
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

static const struct config *find_config(const char *mark, void *context)
{
    const struct world *world = context;
    assert_non_null(mark);
    bool is_former = world->former != NULL && g_str_has_prefix(world->former->digest, mark);
    return is_former ? world->former : world->config;
}

static void assert_replay_is_the_same(struct world *world)
{
    g_autofree char *difference = replay_differs(world->db, find_config, world, NULL);
    if (difference != NULL) {
        fail_msg("%s", difference);
    }
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    g_remove(path);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    if (!world->reconfigured) {
        assert_replay_is_the_same(world);
    }
    store_free(world->store);
    free_config(world->config);
    if (world->former != NULL) {
        free_config(world->former);
    }
    remove_tree(world->folder);
    g_free(world->folder);
    g_free(world->path);
    g_free(world);
    return 0;
}

static struct watch_event *make_event(struct world *world, const char *flow, char letter)
{
    char fingerprint[] = {letter, '\0'};
    bool good = letter == 'G';
    struct watch_event *event = g_new0(struct watch_event, 1);
    event->run = g_strdup_printf("run%d", ++world->runs);
    event->flow = g_strdup(flow);
    event->system = g_strdup("erp");
    event->state = good ? VERDICT_OK : letter == 'U' ? VERDICT_UNKNOWN : VERDICT_FAILED;
    event->started.us = world->now_us;
    event->ended.us = world->now_us + SECOND;
    event->duration_us = SECOND;
    event->fingerprint = event->state == VERDICT_FAILED ? g_strdup(fingerprint) : NULL;
    event->counts = true;
    event->groups = true;
    g_autofree char *text =
        event->state != VERDICT_FAILED
            ? NULL
            : g_strdup_printf(
                  "{\"flow\":\"%s\",\"system\":\"erp\",\"state\":\"failed\",\"run\":\"%s\","
                  "\"steps\":[{\"step\":\"submit\",\"state\":\"failed\",\"status\":400,"
                  "\"request\":{\"method\":\"POST\",\"url\":\"https://erp.example/o\"},"
                  "\"verdict\":{\"class\":\"error_code\",\"cause\":\"validation\","
                  "\"code\":\"E%c\",\"message\":\"order %d\\nis wrong\",\"act\":null},"
                  "\"exchanges\":[{\"secret-body\":1}]}],\"undo\":[]}",
                  flow, event->run, letter, world->runs);
    event->json = text ? json_parse(text, strlen(text), NULL) : NULL;
    return event;
}

static void apply(struct world *world, struct watch_event *event)
{
    g_autoptr(GError) error = NULL;
    assert_true(db_begin(world->db, NULL));
    if (!watch_result(world->db, world->config, event, &world->answer, &error)) {
        fail_msg("%s", error->message);
    }
    assert_true(db_commit(world->db, NULL));
    watch_event_free(event);
}

// Runs of one flow, a minute apart.
static void run(struct world *world, const char *flow, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        apply(world, make_event(world, flow, *letters));
        world->now_us += MINUTE;
    }
}

static int64_t one(struct world *world, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(world->db, NULL, sql, "");
    assert_non_null(rows);
    assert_true(db_rows_next(rows, NULL));
    return db_rows_integer(rows, 0);
}

// What is in the outbox, in order: "opened partner, …".
static void assert_outbox(struct world *world, const char *expected)
{
    GString *text = g_string_new(NULL);
    g_autoptr(db_rows_t) rows = db_query(
        world->db, NULL, "SELECT kind, contact, number FROM outbox_notice ORDER BY sequence", "");
    while (db_rows_next(rows, NULL)) {
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", db_rows_text(rows, 0),
                               db_rows_text(rows, 1));
        if (db_rows_integer(rows, 2) > 1) {
            g_string_append_printf(text, " %d", (int)db_rows_integer(rows, 2));
        }
    }
    if (strcmp(text->str, expected) != 0) {
        fail_msg("the outbox has \"%s\", not \"%s\"", text->str, expected);
    }
    g_string_free(text, TRUE);
}

static void assert_decided(struct world *world, const char *kind, const char *part)
{
    g_autoptr(db_rows_t) rows =
        db_query(world->db, NULL, "SELECT text FROM decision WHERE kind = ?", "s", kind);
    bool found = false;
    while (db_rows_next(rows, NULL)) {
        found |= strstr(db_rows_text(rows, 0), part) != NULL;
    }
    if (!found) {
        fail_msg("no decision %s says %s", kind, part);
    }
}

static void mute(struct world *world, const char *target, int64_t minutes)
{
    struct clock_wall until = {world->now_us + minutes * MINUTE};
    struct clock_wall now = {world->now_us};
    g_autoptr(GError) error = NULL;
    if (!watch_mute(world->db, world->config, target, until, "works", now, &error)) {
        fail_msg("%s", error->message);
    }
}

static bool tick(struct world *world)
{
    bool notices = false;
    struct clock_wall now = {world->now_us};
    assert_true(watch_tick(world->db, world->config, now, &notices, NULL));
    return notices;
}

static void test_good_runs_cost_little(void **state)
{
    struct world *world = *state;
    run(world, "orders", "GGGG");
    assert_int_equal(one(world, "SELECT count(*) FROM good_run"), 4);
    assert_int_equal(one(world, "SELECT count(*) FROM event"), 0);
    assert_int_equal(one(world, "SELECT count(*) FROM run"), 0);
    assert_int_equal(world->answer.state, INCIDENT_OK);
    assert_true(world->answer.wants_json);
    struct watch_event *event = make_event(world, "orders", 'G');
    assert_true(watch_event_is_patient(event));
    static const char good[] =
        "{\"flow\":\"orders\",\"steps\":[{\"step\":\"a\",\"state\":\"ok\"}]}";
    event->json = json_parse(good, strlen(good), NULL);
    assert_false(watch_event_is_patient(event)); // it may end an incident
    event->was_well = true;
    assert_true(watch_event_is_patient(event));
    event->state = VERDICT_SLOW;
    assert_false(watch_event_is_patient(event));
    event->state = VERDICT_OK;
    apply(world, event);
    assert_false(world->answer.wants_json);
    assert_int_equal(one(world, "SELECT count(*) FROM last_good"), 1);
}

static void test_opened_and_recovered(void **state)
{
    struct world *world = *state;
    run(world, "orders", "Ga");
    assert_int_equal(world->answer.state, INCIDENT_SUSPECT);
    assert_int_equal(world->answer.attempt, 1);
    assert_true(world->answer.confirm_due.us == START + MINUTE + SECOND + 20 * SECOND);
    assert_false(world->answer.notices);
    run(world, "orders", "a");
    assert_true(world->answer.notices);
    assert_true(world->answer.confirm_due.us == 0);
    assert_outbox(world, "opened partner");
    // The opening waits for company.
    assert_true(outbox_next_due(world->db, NULL).us == START + 2 * MINUTE + SECOND + 30 * SECOND);
    run(world, "orders", "aaG");
    assert_outbox(world, "opened partner, recovered partner");
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed > 0"), 1);
    assert_int_equal(one(world, "SELECT count(*) FROM flow_state"), 0);
    assert_decided(world, "opened", "orders failed 2 runs in a row");
    assert_decided(world, "told", "opened: told partner");
    assert_decided(world, "recovered", "work again");
}

static void test_what_is_kept_of_a_failure(void **state)
{
    struct world *world = *state;
    run(world, "orders", "Gaa");
    g_autofree char *row = dump(world->db, "SELECT summary, result FROM run WHERE id = 'run2'", 2);
    assert_non_null(strstr(row, "submit: POST https://erp.example/o answered 400 Ea: order 2 is"));
    assert_null(strstr(row, "secret-body"));
    g_autofree char *evidence = store_runs_result(world->db, "run2", NULL);
    assert_non_null(strstr(evidence, "secret-body"));
    // The facts of the mail name the last success, and that the text is new (the number
    // in it is not what makes it so).
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice", 1);
    g_autofree char *good = clock_wall_format((struct clock_wall){START});
    g_autofree char *part = g_strdup_printf("\"last_good\":\"%s\"", good);
    assert_non_null(strstr(facts, part));
    assert_non_null(strstr(facts, "\"first_seen\":false"));
    assert_int_equal(one(world, "SELECT count(*) FROM seen"), 1);
}

static void test_a_failure_that_goes_on(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aaaaaaaaaaaaaabb");
    g_autofree char *kept =
        dump(world->db, "SELECT group_concat(id, ' ') FROM run WHERE evidence IS NOT NULL", 1);
    assert_string_equal(kept, "run1 run2 run13 run15 run16|\n");
    assert_int_equal(one(world, "SELECT count(*) FROM run WHERE result IS NOT NULL"), 16);
}

static void test_new_text(void **state)
{
    struct world *world = *state;
    struct config_flow *orders = config_find_flow(world->config, "orders");
    orders->confirm_runs = 1;
    run(world, "orders", "a");
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice", 1);
    assert_non_null(strstr(facts, "\"first_seen\":true"));
}

static void test_the_same_run_counts_once(void **state)
{
    struct world *world = *state;
    run(world, "orders", "a");
    world->runs--;
    run(world, "orders", "a");
    assert_int_equal(world->answer.state, INCIDENT_SUSPECT);
    assert_int_equal(world->answer.count, 1);
    assert_int_equal(one(world, "SELECT count(*) FROM event"), 1);
}

static void test_check_without_notify(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        struct watch_event *event = make_event(world, "orders", 'a');
        event->counts = false;
        apply(world, event);
    }
    assert_int_equal(one(world, "SELECT count(*) FROM run WHERE counted = 0"), 3);
    assert_int_equal(one(world, "SELECT count(*) FROM event"), 0);
    assert_outbox(world, "");
}

static void test_company_shares_one_mail(void **state)
{
    struct world *world = *state;
    run(world, "orders", "a");
    world->now_us -= 50 * SECOND;
    run(world, "customers", "a");
    world->now_us -= 50 * SECOND;
    run(world, "orders", "a"); // opens
    world->now_us -= 50 * SECOND;
    run(world, "customers", "a"); // 10 s later: joins within the group
    assert_outbox(world, "opened partner");
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice", 1);
    assert_non_null(strstr(facts, "\"flow\":\"orders\""));
    assert_non_null(strstr(facts, "\"flow\":\"customers\""));
    assert_true(strstr(facts, "\"flow\":\"orders\"") < strstr(facts, "\"flow\":\"customers\""));
    assert_decided(world, "grouped", "customers joins while the opening waits");
    // It ends with the last of them.
    run(world, "orders", "G");
    assert_outbox(world, "opened partner");
    assert_decided(world, "left", "orders works again");
    run(world, "customers", "G");
    assert_outbox(world, "opened partner, recovered partner");
}

static void test_company_with_another_contact(void **state)
{
    struct world *world = *state;
    run(world, "orders", "a");
    world->now_us -= 50 * SECOND;
    run(world, "invoices", "a");
    world->now_us -= 50 * SECOND;
    run(world, "orders", "a");
    world->now_us -= 50 * SECOND;
    run(world, "invoices", "a");
    assert_outbox(world, "opened partner, opened client");
    // Both wait for the same moment.
    assert_int_equal(one(world, "SELECT count(DISTINCT due_us) FROM outbox_recipient"), 1);
    run(world, "invoices", "G");
    run(world, "orders", "G");
    assert_outbox(world, "opened partner, opened client, recovered partner, recovered client");
}

static void test_late_company(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aa");
    run(world, "customers", "aa");
    assert_outbox(world, "opened partner, changed partner");
    run(world, "invoices", "aa");
    // Those who know hear of a change; who does not gets the opening.
    assert_outbox(world, "opened partner, changed partner, changed partner 2, opened client");
    run(world, "orders", "G");
    run(world, "customers", "G");
    run(world, "invoices", "G");
    assert_outbox(world, "opened partner, changed partner, changed partner 2, opened client, "
                         "recovered partner, recovered client");
}

// The opening is on its way before its time (the clock was set back, or the run was stored
// late): a replay, which delivers nothing, knows it from the event.
static void test_company_of_an_opening_on_its_way(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aa");
    world->now_us -= MINUTE;
    assert_true(db_run(world->db, NULL, "UPDATE outbox_notice SET first_us = 1", ""));
    run(world, "customers", "a");
    world->now_us -= MINUTE;
    run(world, "customers", "a");
    assert_outbox(world, "opened partner, changed partner");
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice LIMIT 1", 1);
    assert_null(strstr(facts, "customers"));
}

// A check that read another configuration than the agent: each event is told as its process did.
static void test_two_configurations_at_once(void **state)
{
    struct world *world = *state;
    world->former = make_config();
    g_free(world->former->digest);
    world->former->digest = g_strdup("another one of 64 digits");
    struct config_flow *flow = config_find_flow(world->former, "orders");
    g_ptr_array_add(flow->notify, g_strdup("client"));
    for (int i = 0; i < 3; i++) {
        struct config *present = g_steal_pointer(&world->config);
        world->config = world->former;
        run(world, "orders", "aa");
        world->config = present;
        run(world, "customers", "bb");
        run(world, "customers", "G");
        run(world, "orders", "G");
    }
    assert_int_equal(one(world, "SELECT count(*) FROM outbox_notice WHERE contact = 'client'"), 6);
}

static void test_another_failure(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aababab");
    assert_outbox(world, "opened partner");
    run(world, "orders", "b");
    assert_outbox(world, "opened partner, changed partner");
    assert_decided(world, "changed", "orders fails otherwise now");
    assert_int_equal(one(world, "SELECT count(*) FROM incident"), 1);
    run(world, "customers", "cc");
    assert_int_equal(one(world, "SELECT count(*) FROM incident"), 2);
}

static void test_mute_and_still_failing_at_its_end(void **state)
{
    struct world *world = *state;
    mute(world, "erp", 10);
    run(world, "orders", "aaa");
    assert_outbox(world, "");
    assert_decided(world, "muted", "opened: held");
    assert_false(tick(world));
    world->now_us = START + 11 * MINUTE;
    assert_true(tick(world));
    assert_outbox(world, "opened partner");
    assert_false(tick(world));
    run(world, "orders", "G");
    assert_outbox(world, "opened partner, recovered partner");
}

static void test_mute_and_recovered_in_between(void **state)
{
    struct world *world = *state;
    mute(world, "orders", 10);
    run(world, "orders", "aaG");
    world->now_us = START + 11 * MINUTE;
    assert_false(tick(world));
    assert_outbox(world, "");
    assert_decided(world, "dropped", "recovered: nobody was told of the opening");
}

static void test_mute_after_the_opening(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aa");
    mute(world, "erp", 30);
    run(world, "orders", "bbG");
    assert_outbox(world, "opened partner");
    world->now_us += 40 * MINUTE;
    assert_true(tick(world));
    assert_outbox(world, "opened partner, recovered partner");
}

static void test_mute_of_one_flow_of_two(void **state)
{
    struct world *world = *state;
    mute(world, "orders", 60);
    run(world, "orders", "aa");
    assert_outbox(world, "");
    run(world, "customers", "aa"); // not muted: the opening goes out with both
    assert_outbox(world, "opened partner");
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice", 1);
    assert_non_null(strstr(facts, "\"flow\":\"orders\""));
    assert_non_null(strstr(facts, "\"flow\":\"customers\""));
}

static void test_mute_of_nothing(void **state)
{
    struct world *world = *state;
    g_autoptr(GError) error = NULL;
    struct clock_wall now = {world->now_us};
    assert_false(watch_mute(world->db, world->config, "nothing", now, "why", now, &error));
    assert_non_null(strstr(error->message, "no system and no flow called nothing"));
}

static void test_acknowledged(void **state)
{
    struct world *world = *state;
    struct clock_wall now = {START + 10 * MINUTE};
    g_autoptr(GError) error = NULL;
    run(world, "orders", "aa");
    g_autofree char *id = watch_find_incident(world->db, "", NULL);
    g_autofree char *start = g_ascii_strdown(id, 4);
    assert_true(watch_acknowledge(world->db, world->config, start, "Ann", "on it", now, NULL));
    assert_outbox(world, "opened partner, acknowledged partner");
    assert_decided(world, "acknowledged", "acknowledged by Ann: on it");
    assert_false(watch_acknowledge(world->db, world->config, "ZZZ", NULL, NULL, now, &error));
    assert_non_null(strstr(error->message, "there is no incident ZZZ (erpwatch incidents lists"));
    g_clear_error(&error);
    g_autofree char *meant = g_strndup(id, 6);
    g_autofree char *wrong = g_strdup(meant);
    wrong[5] = wrong[5] == 'Z' ? 'Y' : 'Z';
    g_autofree char *advice =
        g_strdup_printf("there is no incident %s: did you mean %s?", wrong, meant);
    assert_false(watch_acknowledge(world->db, world->config, wrong, NULL, NULL, now, &error));
    assert_non_null(strstr(error->message, advice));
    g_clear_error(&error);
    run(world, "orders", "G");
    assert_false(watch_acknowledge(world->db, world->config, id, NULL, NULL, now, &error));
    assert_non_null(strstr(error->message, "has ended already"));
}

static void configure(struct world *world, const char *digest)
{
    g_free(world->config->digest);
    world->config->digest = g_strdup(digest);
    struct clock_wall now = {world->now_us};
    g_autoptr(GError) error = NULL;
    if (!watch_configure(world->db, world->config, now, &error)) {
        fail_msg("%s", error->message);
    }
}

static void test_withdrawn(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aa");
    configure(world, "two");
    assert_outbox(world, "opened partner");
    config_find_flow(world->config, "orders")->off = g_strdup("moved away");
    configure(world, "three");
    assert_outbox(world, "opened partner, withdrawn partner");
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed > 0"), 1);
    configure(world, "three");
    assert_int_equal(one(world, "SELECT count(*) FROM event WHERE kind = 'configuration'"), 2);
}

static void test_renamed(void **state)
{
    struct world *world = *state;
    run(world, "orders", "aaa");
    assert_replay_is_the_same(world);
    world->reconfigured = true;
    struct config_flow *flow = config_find_flow(world->config, "orders");
    flow->was = flow->id;
    flow->id = g_strdup("sales-orders");
    g_hash_table_remove(world->config->by_id, flow->was);
    g_hash_table_insert(world->config->by_id, flow->id, flow);
    configure(world, "two");
    assert_outbox(world, "opened partner");
    assert_int_equal(one(world, "SELECT count(*) FROM flow WHERE id = 'sales-orders'"), 1);
    run(world, "sales-orders", "G");
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed > 0"), 1);
    assert_outbox(world, "opened partner, recovered partner");
    configure(world, "three");
    assert_decided(world, "renamed", "orders is now called sales-orders");
}

static void rename_flow(struct world *world, const char *from, const char *to, const char *digest)
{
    struct config_flow *flow = config_find_flow(world->config, from);
    g_hash_table_remove(world->config->by_id, from);
    g_free(flow->was);
    flow->was = flow->id;
    flow->id = g_strdup(to);
    g_hash_table_insert(world->config->by_id, flow->id, flow);
    configure(world, digest);
}

// A check of a former configuration fails under the former name, which the flow gets back later.
static void test_renamed_there_and_back(void **state)
{
    struct world *world = *state;
    world->reconfigured = true;
    run(world, "orders", "aa");
    rename_flow(world, "orders", "sales-orders", "two");
    run(world, "orders", "aa");
    configure(world, "three");
    assert_decided(world, "withdrawn", "orders is not in the configuration any more");
    rename_flow(world, "sales-orders", "orders", "four");
    run(world, "orders", "G");
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed > 0"), 1);
    assert_int_equal(one(world, "SELECT count(*) FROM incident_flow"), 1);
    int64_t events = one(world, "SELECT count(*) FROM event");
    configure(world, "four");
    configure(world, "four");
    assert_int_equal(one(world, "SELECT count(*) FROM event"), events);
}

static void test_pending_confirmations(void **state)
{
    struct world *world = *state;
    run(world, "orders", "a");
    run(world, "customers", "aa");
    g_autoptr(GPtrArray) waiting = watch_pending(world->db, NULL);
    assert_int_equal(waiting->len, 1);
    const struct watch_pending *pending = waiting->pdata[0];
    assert_string_equal(pending->flow, "orders");
    assert_true(pending->due.us == START + 21 * SECOND);
    assert_int_equal(pending->attempt, 1);
}

static void test_check_notify_does_not_group(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 2; i++) {
        struct watch_event *event = make_event(world, "orders", 'a');
        event->groups = false;
        apply(world, event);
    }
    assert_outbox(world, "opened partner");
    assert_true(outbox_next_due(world->db, NULL).us == START + SECOND);
}

// The partner reads French.
static void assert_told_in_french(struct world *world)
{
    g_autoptr(db_rows_t) rows =
        db_query(world->db, NULL, "SELECT facts FROM outbox_notice WHERE kind = 'debt'", "");
    assert_non_null(rows);
    assert_true(db_rows_next(rows, NULL));
    const char *facts = db_rows_text(rows, 0);
    assert_non_null(strstr(facts, "Un enregistrement de test est peut-être resté dans erp"));
    assert_non_null(strstr(facts, "On ne sait pas si l'enregistrement existe"));
    assert_null(strstr(facts, "record"));
}

static void test_debts_and_monitor(void **state)
{
    struct world *world = *state;
    struct flow_debt debt = {.id = g_strdup("D"),
                             .run = g_strdup("run9"),
                             .flow = g_strdup("orders"),
                             .system = g_strdup("erp"),
                             .step = g_strdup("create customer"),
                             .undo = g_strdup("{}"),
                             .state = g_strdup("owed"),
                             .sent_at = {START}};
    struct clock_wall now = {START};
    struct config_contact *partner = config_find_contact(world->config, "partner");
    g_free(partner->language);
    partner->language = g_strdup("fr");
    assert_true(ledger_owe(world->db, &debt, "me", now, NULL));
    assert_false(tick(world));
    g_free(debt.state);
    debt.state = g_strdup("uncertain");
    assert_true(ledger_update(world->db, &debt, now, NULL));
    assert_true(tick(world));
    assert_false(tick(world));
    assert_outbox(world, "debt partner"); // there is no integrator
    assert_told_in_french(world);
    assert_true(watch_tell_monitor(world->db, world->config, "s", "t", now, NULL));
    assert_true(watch_tell_monitor(world->db, world->config, "s", "t", now, NULL));
    assert_outbox(world, "debt partner, monitor agency");
    g_free(debt.id);
    g_free(debt.run);
    g_free(debt.flow);
    g_free(debt.system);
    g_free(debt.step);
    g_free(debt.undo);
    g_free(debt.state);
}

// A long life of three flows, in a fixed disorder; the replay at the end is the test.
static void test_long_life(void **state)
{
    static const char *const flows[] = {"orders", "customers", "invoices"};
    static const char letters[] = "GGaabbcUG";
    struct world *world = *state;
    guint32 number = 4711;
    for (int i = 0; i < 400; i++) {
        number = number * 1664525U + 1013904223U;
        guint32 dice = number >> 16;
        char letter[] = {letters[dice % (sizeof letters - 1)], '\0'};
        run(world, flows[(dice >> 5) % 3], letter);
        world->now_us -= 45 * SECOND;
        if (dice % 37 == 0) {
            mute(world, dice % 2 == 0 ? "erp" : "orders", 1 + dice % 5);
        }
        tick(world);
    }
    assert_true(one(world, "SELECT count(*) FROM incident") > 5);
    assert_true(one(world, "SELECT count(*) FROM decision WHERE kind = 'muted'") > 0);
    assert_true(one(world, "SELECT count(*) FROM decision WHERE kind = 'grouped'") > 0);
    // No incident is open without a failing flow, and no failing flow without an open one.
    assert_int_equal(one(world, "SELECT count(*) FROM incident i WHERE (closed = 0) <> EXISTS"
                                " (SELECT 1 FROM flow_state f WHERE f.incident = i.id)"),
                     0);
}

struct submitted {
    int answers;
    enum incident_kind state;
};

static void on_answer(const struct watch_answer *answer, const GError *error, void *context)
{
    struct submitted *submitted = context;
    assert_null(error);
    submitted->answers++;
    submitted->state = answer->state;
}

static void test_through_the_writer(void **state)
{
    struct world *world = *state;
    uv_loop_t loop;
    struct submitted submitted = {0};
    uv_loop_init(&loop);
    struct writer *writer = writer_new(&loop, store_take_db(world->store), 100, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        watch_submit(writer, world->config, make_event(world, "orders", 'a'), on_answer,
                     &submitted);
        world->now_us += MINUTE;
    }
    writer_close(writer, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(submitted.answers, 3);
    assert_int_equal(submitted.state, INCIDENT_FAILING);
    store_free(world->store);
    world->store = store_open(world->path, NULL);
    world->db = store_db(world->store);
    assert_outbox(world, "opened partner");
}

// What a system says of its version; NULL: it cannot be told.
static char *tell_version(struct world *world, const char *version)
{
    const struct version_answer answer = {.system = "erp",
                                          .version = version,
                                          .problem = version != NULL ? NULL : "GET answered 500"};
    struct clock_wall now = {world->now_us};
    g_autoptr(GError) error = NULL;
    char *was = NULL;
    assert_true(db_begin(world->db, NULL));
    if (!version_rows_store(world->db, world->config, &answer, now, &was, &error)) {
        fail_msg("%s", error->message);
    }
    assert_true(db_commit(world->db, NULL));
    return was;
}

static cJSON *version_status(struct world *world)
{
    const struct config_system *system = g_hash_table_lookup(world->config->systems, "erp");
    cJSON *status = version_rows_status(world->db, system, NULL);
    assert_non_null(status);
    return status;
}

static void test_versions(void **state)
{
    struct world *world = *state;
    assert_null(tell_version(world, "23.1"));
    world->now_us += DAY;
    assert_null(tell_version(world, "23.1"));
    assert_int_equal(one(world, "SELECT count(*) FROM event"), 0);
    assert_int_equal(one(world, "SELECT seen - since FROM version"), DAY);
    world->now_us += DAY;
    g_autofree char *was = tell_version(world, " 23.2\x1b[31m\nbeta");
    assert_string_equal(was, "23.1");
    assert_int_equal(one(world, "SELECT count(*) FROM event WHERE kind = 'version'"), 1);
    g_autoptr(cJSON) status = version_status(world);
    assert_null(strchr(json_text(status, "version"), '\x1b'));
    assert_null(strchr(json_text(status, "version"), '\n'));
    assert_null(json_text(status, "unknown_since"));
    g_autofree char *endless = g_strnfill(5000, 'x');
    g_autofree char *before = tell_version(world, endless);
    assert_true(one(world, "SELECT length(value) FROM version") <= 200);
    assert_non_null(before);
}

// What cannot be told is no incident; the version before it stays known.
static void test_version_unknown(void **state)
{
    struct world *world = *state;
    assert_null(tell_version(world, "23.1"));
    world->now_us += DAY;
    assert_null(tell_version(world, NULL));
    world->now_us += MINUTE;
    assert_null(tell_version(world, NULL));
    assert_int_equal(one(world, "SELECT tries FROM version"), 2);
    assert_int_equal(one(world, "SELECT asked - failing FROM version"), MINUTE);
    g_autoptr(cJSON) status = version_status(world);
    assert_string_equal(json_text(status, "version"), "23.1");
    assert_non_null(json_text(status, "unknown_since"));
    assert_string_equal(json_text(status, "problem"), "GET answered 500");
    world->now_us += DAY;
    assert_null(tell_version(world, NULL));
    assert_int_equal(one(world, "SELECT tries FROM version"), 1);
    assert_null(tell_version(world, "23.1"));
    assert_int_equal(one(world, "SELECT failing + tries FROM version"), 0);
    assert_int_equal(one(world, "SELECT count(*) FROM event"), 0);
}

// The mail of an incident that opens within a week names the change; a later one does not.
static void test_version_in_a_mail(void **state)
{
    struct world *world = *state;
    g_free(tell_version(world, "23.1"));
    g_free(tell_version(world, "23.2"));
    world->now_us += 6 * DAY;
    run(world, "orders", "aaG");
    g_autofree char *facts = dump(world->db, "SELECT facts FROM outbox_notice LIMIT 1", 1);
    assert_non_null(strstr(facts, "\"version_change\":{\"system\":\"erp\""));
    assert_non_null(strstr(facts, "\"from\":\"23.1\",\"to\":\"23.2\""));
    world->now_us += 2 * DAY;
    run(world, "customers", "bb");
    g_autofree char *later =
        dump(world->db, "SELECT facts FROM outbox_notice ORDER BY sequence DESC LIMIT 1", 1);
    assert_null(strstr(later, "version_change"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// What a damaged store has lost: rows that do not agree any more end no run.
static void test_rows_that_do_not_agree(void **state)
{
    struct world *world = *state;
    world->reconfigured = true; // no events lead to such rows
    run(world, "orders", "AA");
    assert_true(db_script(world->db, "DELETE FROM incident_flow", NULL));
    run(world, "orders", "AG"); // a member again, which leaves
    assert_int_equal(one(world, "SELECT closed > 0 FROM incident"), 1);
    run(world, "orders", "AA");
    assert_true(db_script(world->db, "DELETE FROM incident WHERE closed = 0", NULL));
    run(world, "orders", "AA"); // begins anew
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed = 0"), 1);
    assert_true(db_script(world->db, "UPDATE flow_state SET incident = NULL", NULL));
    run(world, "orders", "AA");
    run(world, "orders", "G");
    assert_int_equal(one(world, "SELECT count(*) FROM flow_state"), 0);
}

static void test_a_failure_that_does_not_say_of_what(void **state)
{
    struct world *world = *state;
    world->reconfigured = true; // no such event is written
    run(world, "orders", "AA");
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "flow", "orders");
    json_add_text(data, "system", "erp");
    json_add_text(data, "run", "torn");
    json_add_text(data, "outcome", "failed");
    struct watch_context context = {
        .db = world->db, .runs = world->db, .config = world->config, .at = {world->now_us}};
    assert_true(watch_append(&context, "result", data, NULL));
    assert_int_equal(one(world, "SELECT count(*) FROM incident WHERE closed = 0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_failure_that_does_not_say_of_what),
        TEST(test_good_runs_cost_little),
        TEST(test_opened_and_recovered),
        TEST(test_what_is_kept_of_a_failure),
        TEST(test_a_failure_that_goes_on),
        TEST(test_rows_that_do_not_agree),
        TEST(test_new_text),
        TEST(test_the_same_run_counts_once),
        TEST(test_check_without_notify),
        TEST(test_company_shares_one_mail),
        TEST(test_company_with_another_contact),
        TEST(test_late_company),
        TEST(test_company_of_an_opening_on_its_way),
        TEST(test_two_configurations_at_once),
        TEST(test_another_failure),
        TEST(test_mute_and_still_failing_at_its_end),
        TEST(test_mute_and_recovered_in_between),
        TEST(test_mute_after_the_opening),
        TEST(test_mute_of_one_flow_of_two),
        TEST(test_mute_of_nothing),
        TEST(test_acknowledged),
        TEST(test_withdrawn),
        TEST(test_renamed),
        TEST(test_renamed_there_and_back),
        TEST(test_pending_confirmations),
        TEST(test_check_notify_does_not_group),
        TEST(test_debts_and_monitor),
        TEST(test_long_life),
        TEST(test_through_the_writer),
        TEST(test_versions),
        TEST(test_version_unknown),
        TEST(test_version_in_a_mail),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}

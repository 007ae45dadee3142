// SPDX-License-Identifier: MIT
// The outbox on a real SQLite file: order, attempts, back-off, limits
// (failure-semantics 22 to 25).
#include "../../alerts/outbox.h"
#include "../../alerts/outbox_flood.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <glib/gstdio.h>

#define MINUTES(n) ((int64_t)(n)*60 * G_USEC_PER_SEC)
#define SERVER "mail.example:587"

struct fixture {
    char *folder, *path;
    struct db *db;
    struct clock_wall now;
};

// Each test has a store of its own and starts at the same time.
static int set_up(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    GError *error = NULL;
    fixture->folder = g_dir_make_tmp("outbox-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "store.db", NULL);
    fixture->db = db_open(fixture->path, DB_CREATE, &error);
    fixture->now.us = MINUTES(1000000);
    *state = fixture;
    return fixture->db != NULL && db_script(fixture->db, outbox_schema, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    g_autofree char *command = g_strdup_printf("rm -r %s", fixture->folder);
    db_close(fixture->db);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture);
    return 0;
}

struct queued {
    const char *incident, *kind, *contact;
    int number, priority;
    const char *addresses; // separated by blanks
};

static struct notice *notice_of(const struct queued *queued)
{
    struct notice *notice = g_new0(struct notice, 1);
    g_auto(GStrv) addresses = g_strsplit(queued->addresses, " ", -1);
    notice->id = g_strdup_printf("%s-%s-%d-%s", queued->incident, queued->kind, queued->number,
                                 queued->contact);
    notice->incident = g_strdup(queued->incident);
    notice->kind = g_strdup(queued->kind);
    notice->contact = g_strdup(queued->contact);
    notice->number = queued->number;
    notice->priority = queued->priority;
    notice->facts = cJSON_CreateObject();
    json_add_text(notice->facts, "subject", notice->id);
    json_add_text(notice->facts, "at", "2026-11-21T09:30:00.000Z");
    cJSON *email =
        cJSON_AddArrayToObject(cJSON_AddObjectToObject(notice->facts, "contact"), "email");
    for (char **address = addresses; *address; address++)
        cJSON_AddItemToArray(email, cJSON_CreateString(*address));
    return notice;
}

static void queue(struct fixture *fixture, const char *incident, const char *kind, int number,
                  const char *addresses)
{
    const struct queued queued = {incident, kind, "acme", number, 2, addresses};
    g_autoptr(notice_t) notice = notice_of(&queued);
    assert_true(outbox_add(fixture->db, notice, fixture->now, fixture->now, NULL));
}

static struct outbox_item *take(struct fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    struct outbox_item *item = outbox_take(fixture->db, fixture->now, &error);
    assert_null(error);
    return item;
}

static void settle(struct fixture *fixture, const struct outbox_item *item, const char *address,
                   enum delivery_stage stage, int code)
{
    struct delivery_reply reply = {.accepted = code == 250 && stage == DELIVERY_STAGE_DOT};
    delivery_reply_set(&reply, stage, code, "said so");
    enum delivery_fate fate =
        delivery_plan_fate(&reply, item->lighter, g_array_index(item->attempts, int, 0) + 1);
    assert_true(outbox_record(fixture->db, item, address, &reply, fate, fixture->now, NULL));
}

// Takes the next notice, which has to be `id`, and gives all its recipients one answer.
static void send_next(struct fixture *fixture, const char *id, enum delivery_stage stage, int code)
{
    g_autoptr(outbox_item_t) item = take(fixture);
    assert_non_null(item);
    assert_string_equal(item->notice, id);
    assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
    for (guint i = 0; i < item->recipients->len; i++)
        settle(fixture, item, item->recipients->pdata[i], stage, code);
}

static void assert_nothing_due(struct fixture *fixture)
{
    g_autoptr(outbox_item_t) item = take(fixture);
    assert_null(item);
}

static void assert_counts(struct fixture *fixture, int waiting, int accepted, int given_up)
{
    struct outbox_counts counts;
    assert_true(outbox_count(fixture->db, &counts, NULL));
    assert_int_equal(counts.waiting, waiting);
    assert_int_equal(counts.accepted, accepted);
    assert_int_equal(counts.given_up, given_up);
}

static void a_notice_is_queued_once(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x b@x a@x");
    queue(fixture, "I1", "opened", 1, "a@x b@x c@x");
    assert_counts(fixture, 2, 0, 0);
    g_autoptr(outbox_item_t) item = take(fixture);
    assert_int_equal(item->recipients->len, 2);
    assert_string_equal(item->recipients->pdata[0], "a@x");
    assert_string_equal(item->recipients->pdata[1], "b@x");
    assert_string_equal(json_text(item->facts, "subject"), "I1-opened-1-acme");
    assert_false(item->tried);
}

static void a_notice_waits_for_company(void **state)
{
    struct fixture *fixture = *state;
    const struct queued queued = {"I1", "opened", "acme", 1, 2, "a@x"};
    g_autoptr(notice_t) notice = notice_of(&queued);
    struct clock_wall due = {fixture->now.us + MINUTES(1)};
    assert_int_equal(outbox_next_due(fixture->db, NULL).us, -1);
    assert_true(outbox_add(fixture->db, notice, fixture->now, due, NULL));
    assert_nothing_due(fixture);
    assert_int_equal(outbox_next_due(fixture->db, NULL).us, due.us);
    fixture->now.us -= MINUTES(60); // the clock is set back
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_DOT, 250);
}

static void the_schedule_is_kept_and_ends(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x");
    for (int attempt = 1; attempt <= DELIVERY_PLAN_ATTEMPTS; attempt++) {
        send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_RCPT, 450);
        int64_t interval_us = delivery_plan_interval_us(attempt);
        if (attempt == DELIVERY_PLAN_ATTEMPTS)
            break;
        assert_int_equal(outbox_next_due(fixture->db, NULL).us, fixture->now.us + interval_us);
        fixture->now.us += interval_us - 1;
        assert_nothing_due(fixture);
        fixture->now.us += 1;
    }
    assert_counts(fixture, 0, 0, 1);
}

static void age_alone_gives_nothing_up(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x");
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_RCPT, 450);
    fixture->now.us += MINUTES(60 * 24 * 365);
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_RCPT, 450);
    assert_counts(fixture, 1, 0, 0);
}

static void each_recipient_has_a_state_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "good@x late@x gone@x");
    g_autoptr(outbox_item_t) item = take(fixture);
    assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
    settle(fixture, item, "good@x", DELIVERY_STAGE_DOT, 250);
    settle(fixture, item, "late@x", DELIVERY_STAGE_RCPT, 450);
    settle(fixture, item, "gone@x", DELIVERY_STAGE_RCPT, 550);
    assert_counts(fixture, 1, 1, 1);
    fixture->now.us += MINUTES(1);
    g_autoptr(outbox_item_t) again = take(fixture);
    assert_int_equal(again->recipients->len, 1);
    assert_string_equal(again->recipients->pdata[0], "late@x");
    assert_int_equal(g_array_index(again->attempts, int, 0), 1);
    g_autoptr(cJSON) problems = outbox_problems(fixture->db, NULL);
    assert_int_equal(cJSON_GetArraySize(problems), 2);
    assert_string_equal(json_text(cJSON_GetArrayItem(problems, 1), "reply"), "RCPT: 550 said so");
    assert_string_equal(json_text(cJSON_GetArrayItem(problems, 1), "state"), "given_up");
}

static void order_holds_within_incident_and_recipient(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x b@x");
    queue(fixture, "I1", "recovered", 1, "a@x b@x");
    queue(fixture, "I2", "opened", 1, "a@x");
    g_autoptr(outbox_item_t) item = take(fixture);
    assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
    settle(fixture, item, "a@x", DELIVERY_STAGE_RCPT, 450);
    settle(fixture, item, "b@x", DELIVERY_STAGE_DOT, 250);
    // b@x has the opening and gets the recovery; a@x waits; the other incident does not.
    g_autoptr(outbox_item_t) next = take(fixture);
    assert_string_equal(next->notice, "I1-recovered-1-acme");
    assert_int_equal(next->recipients->len, 1);
    assert_string_equal(next->recipients->pdata[0], "b@x");
    send_next(fixture, "I1-recovered-1-acme", DELIVERY_STAGE_DOT, 250);
    send_next(fixture, "I2-opened-1-acme", DELIVERY_STAGE_DOT, 250);
    assert_nothing_due(fixture);
    fixture->now.us += MINUTES(1);
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_RCPT, 550);
    send_next(fixture, "I1-recovered-1-acme", DELIVERY_STAGE_DOT, 250); // unblocked by giving up
    assert_counts(fixture, 0, 4, 1);
}

static void the_server_backs_off_as_a_whole(void **state)
{
    struct fixture *fixture = *state;
    struct delivery_reply reply = {0};
    struct clock_wall until = {0};
    queue(fixture, "I1", "opened", 1, "a@x");
    queue(fixture, "I2", "opened", 1, "b@x");
    delivery_reply_set(&reply, DELIVERY_STAGE_AUTH, 535, "no");
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_AUTH, 535);
    assert_true(outbox_server_record(fixture->db, SERVER, "d1", &reply, fixture->now, NULL));
    assert_true(outbox_server_waits(fixture->db, SERVER, "d1", fixture->now, &until, NULL));
    assert_int_equal(until.us, fixture->now.us + MINUTES(1));
    assert_int_equal(outbox_next_due(fixture->db, NULL).us, until.us);
    // Another configuration, or a clock set back, is tried at once.
    assert_false(outbox_server_waits(fixture->db, SERVER, "d2", fixture->now, &until, NULL));
    struct clock_wall before = {fixture->now.us - MINUTES(10)};
    assert_false(outbox_server_waits(fixture->db, SERVER, "d1", before, &until, NULL));
    fixture->now.us += MINUTES(1);
    assert_false(outbox_server_waits(fixture->db, SERVER, "d1", fixture->now, &until, NULL));
    assert_true(outbox_server_record(fixture->db, SERVER, "d1", &reply, fixture->now, NULL));
    assert_true(outbox_server_waits(fixture->db, SERVER, "d1", fixture->now, &until, NULL));
    assert_int_equal(until.us, fixture->now.us + MINUTES(2));
    assert_true(outbox_server_record(fixture->db, SERVER, "d1", NULL, fixture->now, NULL));
    assert_false(outbox_server_waits(fixture->db, SERVER, "d1", fixture->now, &until, NULL));
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_DOT, 250); // due without waiting more
}

static void what_a_dead_process_was_sending_is_due_with_the_same_bytes(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x b@x");
    g_autoptr(outbox_item_t) item = take(fixture);
    g_autoptr(GBytes) mail = g_bytes_new("once", 4);
    assert_null(item->mail);
    assert_true(outbox_keep_mail(fixture->db, item, mail, NULL));
    assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
    settle(fixture, item, "a@x", DELIVERY_STAGE_DOT, 250);
    assert_nothing_due(fixture);
    db_close(fixture->db); // as a killed process leaves it
    fixture->db = db_open(fixture->path, DB_READ_WRITE, NULL);
    assert_nothing_due(fixture);
    assert_true(outbox_reclaim(fixture->db, NULL));
    g_autoptr(outbox_item_t) again = take(fixture);
    assert_int_equal(again->recipients->len, 1);
    assert_string_equal(again->recipients->pdata[0], "b@x");
    assert_int_equal(g_array_index(again->attempts, int, 0), 1);
    assert_true(again->tried);
    assert_true(g_bytes_equal(again->mail, mail));
}

static void the_lighter_form_has_bytes_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x");
    g_autoptr(outbox_item_t) item = take(fixture);
    g_autoptr(GBytes) mail = g_bytes_new("whole", 5);
    assert_true(outbox_keep_mail(fixture->db, item, mail, NULL));
    assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
    settle(fixture, item, "a@x", DELIVERY_STAGE_DOT, 554);
    assert_true(outbox_make_lighter(fixture->db, item, NULL));
    g_autoptr(outbox_item_t) again = take(fixture); // at once
    assert_true(again->lighter);
    assert_null(again->mail);
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_DOT, 554);
    assert_counts(fixture, 0, 0, 1);
}

static void an_opening_given_up_for_all_is_known(void **state)
{
    struct fixture *fixture = *state;
    const struct queued other = {"I1", "opened", "partner", 1, 2, "p@y"};
    g_autoptr(notice_t) notice = notice_of(&other);
    queue(fixture, "I1", "opened", 1, "a@x");
    assert_true(outbox_add(fixture->db, notice, fixture->now, fixture->now, NULL));
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_RCPT, 550);
    assert_false(outbox_nobody_told(fixture->db, "I1", NULL));
    send_next(fixture, "I1-opened-1-partner", DELIVERY_STAGE_RCPT, 550);
    assert_true(outbox_nobody_told(fixture->db, "I1", NULL));
    g_autoptr(GPtrArray) incidents = outbox_untold_incidents(fixture->db, NULL);
    assert_int_equal(incidents->len, 1);
    assert_string_equal(incidents->pdata[0], "I1");
}

// --- the flood limit

static struct config *config_of_flood(int limit)
{
    struct config *config = g_new0(struct config, 1);
    struct config_contact *contact = g_new0(struct config_contact, 1);
    config->mail.limit = limit;
    config->contacts = g_hash_table_new(g_str_hash, g_str_equal);
    contact->id = g_strdup("acme");
    contact->email = g_ptr_array_new();
    g_ptr_array_add(contact->email, (gpointer)(gsize) "a@x");
    g_hash_table_insert(config->contacts, contact->id, contact);
    return config;
}

static void flood_config_free(struct config *config)
{
    struct config_contact *contact = g_hash_table_lookup(config->contacts, "acme");
    g_hash_table_unref(config->contacts);
    if (contact) {
        g_ptr_array_unref(contact->email);
        g_free(contact->id);
        g_free(contact);
    }
    g_free(config);
}

// Sends all that is due, as deliver does; how many mails went out.
static int send_all(struct fixture *fixture, const struct config *config)
{
    int sent = 0;
    do {
        struct outbox_item *item;
        while ((item = take(fixture)) != NULL) {
            if (outbox_flood_admit(fixture->db, item, config->mail.limit, fixture->now, NULL)) {
                assert_true(outbox_mark_sending(fixture->db, item, fixture->now, NULL));
                settle(fixture, item, "a@x", DELIVERY_STAGE_DOT, 250);
                sent++;
            }
            outbox_item_free(item);
        }
    } while (outbox_flood_summarise(fixture->db, config, fixture->now, NULL) > 0);
    return sent;
}

static void queue_incidents(struct fixture *fixture, const char *kind, int priority, int from,
                            int count)
{
    for (int i = from; i < from + count; i++) {
        g_autofree char *incident = g_strdup_printf("N%03d", i);
        const struct queued queued = {incident, kind, "acme", 1, priority, "a@x"};
        g_autoptr(notice_t) notice = notice_of(&queued);
        assert_true(outbox_add(fixture->db, notice, fixture->now, fixture->now, NULL));
    }
}

static char *summary_text(struct fixture *fixture)
{
    g_autoptr(db_rows_t) rows = db_query(fixture->db, NULL,
                                         "SELECT facts FROM outbox_notice WHERE kind = 'summary'"
                                         " ORDER BY sequence DESC",
                                         "");
    assert_true(db_rows_next(rows, NULL));
    const char *facts_text = db_rows_text(rows, 0);
    g_autoptr(cJSON) facts = json_parse(facts_text, strlen(facts_text), NULL);
    return g_strdup(json_text(facts, "text"));
}

static void above_the_limit_one_summary_lists_the_rest(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = config_of_flood(3);
    queue_incidents(fixture, "opened", 2, 0, 10);
    assert_int_equal(send_all(fixture, config), 4); // three, and the summary
    g_autofree char *first = summary_text(fixture);
    assert_null(strstr(first, "N002-opened"));
    for (int i = 3; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("N%03d-opened-1-acme", i);
        assert_non_null(strstr(first, name));
    }
    struct outbox_counts counts;
    assert_true(outbox_count(fixture->db, &counts, NULL));
    assert_int_equal(counts.summarised, 7);
    assert_int_equal(counts.waiting, 0);
    // Within the hour further ones wait; then one more summary tells them.
    fixture->now.us += MINUTES(30);
    queue_incidents(fixture, "opened", 2, 10, 2);
    assert_int_equal(send_all(fixture, config), 0);
    assert_int_equal(outbox_next_due(fixture->db, NULL).us, fixture->now.us + MINUTES(30));
    fixture->now.us += MINUTES(30);
    assert_int_equal(send_all(fixture, config), 1);
    g_autofree char *second = summary_text(fixture);
    assert_non_null(strstr(second, "N011-opened"));
    assert_null(strstr(second, "N003-opened"));
    // An hour without notices: they go singly again.
    fixture->now.us += MINUTES(61);
    queue_incidents(fixture, "opened", 2, 20, 2);
    assert_int_equal(send_all(fixture, config), 2);
    flood_config_free(config);
}

static void openings_and_recoveries_of_p1_are_never_held(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = config_of_flood(1);
    queue_incidents(fixture, "opened", 1, 0, 5);
    queue_incidents(fixture, "changed", 1, 0, 5);
    queue_incidents(fixture, "recovered", 1, 0, 5);
    assert_int_equal(send_all(fixture, config), 11); // ten, and the summary of five changes
    g_autofree char *text = summary_text(fixture);
    assert_non_null(strstr(text, "N004-changed"));
    assert_null(strstr(text, "opened"));
    flood_config_free(config);
}

static void a_notice_tried_before_is_not_held(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = config_of_flood(1);
    queue_incidents(fixture, "opened", 2, 0, 1);
    send_next(fixture, "N000-opened-1-acme", DELIVERY_STAGE_RCPT, 450);
    fixture->now.us += MINUTES(1);
    assert_int_equal(send_all(fixture, config), 1);
    flood_config_free(config);
}

static void held_notices_of_a_vanished_contact_go_singly(void **state)
{
    struct fixture *fixture = *state;
    struct config *config = config_of_flood(1);
    struct config_contact *contact = g_hash_table_lookup(config->contacts, "acme");
    g_hash_table_remove_all(config->contacts);
    queue_incidents(fixture, "opened", 2, 0, 3);
    assert_int_equal(send_all(fixture, config), 3);
    g_hash_table_insert(config->contacts, contact->id, contact);
    flood_config_free(config);
}

static void what_ended_is_forgotten_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    queue(fixture, "I1", "opened", 1, "a@x");
    queue(fixture, "I2", "opened", 1, "b@x");
    send_next(fixture, "I1-opened-1-acme", DELIVERY_STAGE_DOT, 250);
    struct clock_wall later = {fixture->now.us + 1}, never = {0};
    assert_true(outbox_prune(fixture->db, later, never, 100, NULL));
    g_autoptr(cJSON) kept = outbox_of_incident(fixture->db, "I1", NULL);
    assert_int_equal(cJSON_GetArraySize(kept), 1);
    assert_true(outbox_prune(fixture->db, later, later, 100, NULL));
    g_autoptr(cJSON) gone = outbox_of_incident(fixture->db, "I1", NULL);
    assert_int_equal(cJSON_GetArraySize(gone), 0);
    assert_counts(fixture, 1, 0, 0);
    send_next(fixture, "I2-opened-1-acme", DELIVERY_STAGE_DOT, 250);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_notice_is_queued_once),
        TEST(a_notice_waits_for_company),
        TEST(the_schedule_is_kept_and_ends),
        TEST(age_alone_gives_nothing_up),
        TEST(each_recipient_has_a_state_of_its_own),
        TEST(order_holds_within_incident_and_recipient),
        TEST(the_server_backs_off_as_a_whole),
        TEST(what_a_dead_process_was_sending_is_due_with_the_same_bytes),
        TEST(the_lighter_form_has_bytes_of_its_own),
        TEST(an_opening_given_up_for_all_is_known),
        TEST(above_the_limit_one_summary_lists_the_rest),
        TEST(openings_and_recoveries_of_p1_are_never_held),
        TEST(a_notice_tried_before_is_not_held),
        TEST(held_notices_of_a_vanished_contact_go_singly),
        TEST(what_ended_is_forgotten_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

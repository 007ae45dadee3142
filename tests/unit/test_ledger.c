// SPDX-License-Identifier: MIT
// The ledger on a store in memory: what is owed, when it is due again, in which
// order, whose it is, and who has to be told. Then its door, over a real writer.
#include "../../monitor/ledger.h"
#include "../../probes/flow_undo.h"
#include "../../monitor/store.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define MINUTE (INT64_C(60) * G_USEC_PER_SEC)
#define START (INT64_C(1790000000) * G_USEC_PER_SEC)

static struct clock_wall at(int64_t minutes)
{
    return (struct clock_wall){START + minutes * MINUTE};
}

static int set_up(void **state)
{
    *state = store_open_memory(NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    db_close(*state);
    return 0;
}

static struct flow_debt *make(const char *id, const char *run)
{
    struct flow_debt *debt = g_new0(struct flow_debt, 1);
    debt->id = g_strdup(id);
    debt->run = g_strdup(run);
    debt->flow = g_strdup("orders");
    debt->system = g_strdup("erp");
    debt->step = g_strdup("create customer");
    debt->attempt = 1;
    debt->sent_at = at(0);
    debt->timeout_ms = 30000;
    debt->undo = g_strdup("{\"delete\":\"/c\"}");
    debt->origin = g_strdup("https://erp.example");
    debt->values = cJSON_CreateObject();
    cJSON_AddItemToObject(debt->values, "id", json_new_number("9007199254740993"));
    debt->state = g_strdup("owed");
    return debt;
}

static void owe(struct db *db, const char *id, const char *run, const char *owner)
{
    struct flow_debt *debt = make(id, run);
    g_autoptr(GError) error = NULL;
    assert_true(ledger_owe(db, debt, owner, at(0), &error));
    assert_null(error);
    flow_debt_free(debt);
}

static void update(struct db *db, const char *id, const char *state, const char *problem,
                   struct clock_wall now)
{
    struct flow_debt *debt = make(id, "r");
    g_free(debt->state);
    debt->state = g_strdup(state);
    debt->problem = g_strdup(problem);
    assert_true(ledger_update(db, debt, now, NULL));
    flow_debt_free(debt);
}

// The ids that are due, in order, as one text.
static char *due_ids(struct db *db, const char *owner, struct clock_wall now)
{
    GString *ids = g_string_new(NULL);
    g_autoptr(GPtrArray) debts = ledger_due(db, owner, now, 100, NULL);
    for (guint i = 0; i < debts->len; i++) {
        const struct flow_debt *debt = debts->pdata[i];
        g_string_append(ids, debt->id);
    }
    return g_string_free(ids, FALSE);
}

static void assert_due(struct db *db, const char *owner, struct clock_wall now, const char *ids)
{
    g_autofree char *found = due_ids(db, owner, now);
    assert_string_equal(found, ids);
}

static void test_there_and_back(void **state)
{
    struct db *db = *state;
    const char *owners[] = {"dead"};
    g_autoptr(GPtrArray) dead = g_ptr_array_new();
    int64_t count = 0;
    owe(db, "A", "r", "dead");
    g_ptr_array_add(dead, (gpointer)(uintptr_t)owners[0]);
    assert_true(ledger_claim(db, dead, "me", at(1), &count, NULL));
    assert_int_equal(count, 1);
    g_autoptr(GPtrArray) debts = ledger_due(db, "me", at(1), 10, NULL);
    const struct flow_debt *debt = debts->pdata[0];
    assert_string_equal(debt->id, "A");
    assert_string_equal(debt->flow, "orders");
    assert_string_equal(debt->system, "erp");
    assert_string_equal(debt->step, "create customer");
    assert_string_equal(debt->undo, "{\"delete\":\"/c\"}");
    assert_string_equal(debt->origin, "https://erp.example");
    assert_null(debt->url);
    assert_null(debt->problem);
    assert_int_equal(debt->attempt, 1);
    assert_int_equal(debt->timeout_ms, 30000);
    assert_true(debt->sent_at.us == START);
    g_autofree char *values = json_print(debt->values, false);
    assert_string_equal(values, "{\"id\":9007199254740993}");
}

static void test_a_run_in_flight_is_not_due(void **state)
{
    struct db *db = *state;
    owe(db, "A", "r", "me");
    assert_due(db, "me", at(100000), "");
    assert_true(ledger_next_due(db, "me", at(0), NULL).us == -1);
    assert_int_equal(ledger_count_owed(db, NULL), 1);
}

static void test_same_id_sent_again(void **state)
{
    struct db *db = *state;
    struct flow_debt *debt = make("A", "r");
    owe(db, "A", "r", "me");
    g_autoptr(GError) error = NULL;
    assert_false(ledger_owe(db, debt, "me", at(0), &error));
    assert_non_null(error);
    // The repeated run has the same ids, and sends at another time.
    debt->sent_at = at(3);
    assert_true(ledger_owe(db, debt, "me", at(3), NULL));
    assert_int_equal(ledger_count_owed(db, NULL), 2);
    g_free(debt->state);
    debt->state = g_strdup("paid");
    assert_true(ledger_update(db, debt, at(4), NULL));
    assert_int_equal(ledger_count_owed(db, NULL), 1);
    flow_debt_free(debt);
}

static void test_retry_schedule(void **state)
{
    static const int minutes[] = {1, 2, 5, 10, 30, 60, 60, 60};
    struct db *db = *state;
    int64_t now = 0;
    owe(db, "A", "r", "me");
    for (size_t i = 0; i < G_N_ELEMENTS(minutes); i++) {
        update(db, "A", "owed", "answered 500", at(now));
        assert_due(db, "me", at(now + minutes[i] - 1), "");
        assert_due(db, "me", at(now + minutes[i]), "A");
        assert_true(ledger_next_due(db, "me", at(now), NULL).us == at(now + minutes[i]).us);
        now += minutes[i];
    }
    // After a day: daily.
    now = 24 * 60 + 1;
    update(db, "A", "owed", "answered 500", at(now));
    assert_due(db, "me", at(now + 24 * 60 - 1), "");
    assert_due(db, "me", at(now + 24 * 60), "A");
}

static void test_a_clock_set_back_holds_up_nothing(void **state)
{
    struct db *db = *state;
    owe(db, "A", "r", "me");
    assert_due(db, "me", at(-60), ""); // its run may be in flight
    update(db, "A", "owed", "answered 500", at(0));
    assert_due(db, "me", at(0), "");
    assert_due(db, "me", at(-60), "A");
    assert_true(ledger_next_due(db, "me", at(-60), NULL).us == at(-60).us);
}

static void test_values_of_an_answer_are_no_attempt(void **state)
{
    struct db *db = *state;
    owe(db, "A", "r", "me");
    update(db, "A", "owed", NULL, at(0));
    assert_due(db, "me", at(100000), "");
    update(db, "A", "owed", "answered 500", at(0));
    assert_due(db, "me", at(1), "A");
}

static void test_reverse_order_within_runs(void **state)
{
    struct db *db = *state;
    int64_t count = 0;
    g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(dead, g_strdup("x"));
    g_ptr_array_add(dead, g_strdup("y"));
    owe(db, "A", "first", "x");
    owe(db, "B", "first", "x");
    owe(db, "C", "second", "y");
    owe(db, "D", "first", "x");
    owe(db, "E", "second", "y");
    owe(db, "F", "third", "alive");
    assert_true(ledger_claim(db, dead, "me", at(1), &count, NULL));
    assert_int_equal(count, 5);
    assert_due(db, "me", at(1), "DBAEC");
    // One that cannot be paid does not stop the others.
    update(db, "D", "owed", "answered 500", at(1));
    assert_due(db, "me", at(1), "BAEC");
    update(db, "B", "paid", NULL, at(1));
    assert_due(db, "me", at(1), "AEC");
    assert_due(db, "me", at(2), "DAEC");
}

static void test_claimed_debts_hold_writers_back(void **state)
{
    struct db *db = *state;
    int64_t count = 0;
    g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(dead, g_strdup("x"));
    owe(db, "A", "r", "x");
    owe(db, "B", "s", "me");
    assert_false(ledger_holds_back(db, "erp", NULL));
    assert_true(ledger_claim(db, dead, "me", at(1), &count, NULL));
    assert_true(ledger_holds_back(db, "erp", NULL));
    assert_false(ledger_holds_back(db, "shop", NULL));
    update(db, "A", "owed", "answered 500", at(1)); // one attempt at most
    assert_false(ledger_holds_back(db, "erp", NULL));
}

static void test_who_is_told(void **state)
{
    static const struct {
        const char *state, *problem;
        int64_t minutes;
        bool told;
    } cases[] = {
        {"owed", "answered 500", 60, false}, {"owed", "answered 500", 24 * 60 + 2, true},
        {"paid", NULL, 24 * 60 + 2, false},  {"void", NULL, 24 * 60 + 2, false},
        {"uncertain", "no id", 1, true},     {"orphaned", "another system", 1, true},
        {"given_up", "never", 1, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(db_t) db = store_open_memory(NULL);
        (void)state;
        owe(db, "A", "r", "me");
        update(db, "A", cases[i].state, cases[i].problem, at(0));
        g_autoptr(GPtrArray) untold = ledger_untold(db, at(cases[i].minutes), 10, NULL);
        assert_int_equal(untold->len, cases[i].told);
        if (untold->len > 0) {
            assert_true(ledger_mark_told(db, untold->pdata[0], NULL));
            g_autoptr(GPtrArray) none = ledger_untold(db, at(cases[i].minutes), 10, NULL);
            assert_int_equal(none->len, 0);
        }
    }
}

// What a debt knows may be damaged: the others are told, and the tick goes on.
static void test_a_damaged_debt_holds_up_nothing(void **state)
{
    g_autoptr(db_t) db = store_open_memory(NULL);
    g_autoptr(GError) error = NULL;
    (void)state;
    owe(db, "A", "r", "me");
    owe(db, "B", "s", "me");
    update(db, "A", "owed", "answered 500", at(0));
    update(db, "B", "owed", "answered 500", at(0));
    assert_true(db_run(db, NULL, "UPDATE debt SET known = '{\"n\":' WHERE id = 'A'", ""));
    g_autoptr(GPtrArray) untold = ledger_untold(db, at((int64_t)24 * 60 + 2), 10, &error);
    assert_null(error);
    assert_int_equal(untold->len, 2); // without what it knew, it waits for nothing
}

// The runs whose records a sweep leaves alone, as one text.
static char *owing_runs(struct db *db, struct clock_wall now)
{
    g_autoptr(GPtrArray) dead = g_ptr_array_new();
    g_ptr_array_add(dead, (gpointer)(uintptr_t) "dead");
    g_autoptr(GPtrArray) runs = ledger_owing_runs(db, dead, now, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    assert_non_null(runs);
    for (guint i = 0; i < runs->len; i++)
        g_string_append_printf(text, "%s ", (char *)runs->pdata[i]);
    return g_strdup(text->str);
}

static void test_what_is_left_to_its_run(void **state)
{
    struct db *db = *state;
    owe(db, "a", "flight", "me");
    owe(db, "b", "killed", "dead");
    owe(db, "c", "tried", "me");
    owe(db, "d", "stuck", "me");
    owe(db, "e", "stuck", "me");
    owe(db, "f", "paid", "me");
    update(db, "c", "owed", "DELETE answered 409", at(1));
    update(db, "d", "owed", "DELETE answered 409", at(1));
    update(db, "e", "uncertain", "no answer", at(1));
    update(db, "f", "paid", NULL, at(1));
    g_autofree char *first = owing_runs(db, at(2));
    g_autofree char *later = owing_runs(db, at(25 * 60));
    // what only a sweep finds may be what keeps the rest of "stuck" from being deleted
    assert_string_equal(first, "flight tried ");
    assert_string_equal(later, "flight ");
}

static void test_a_sweep_is_noted_at_what_is_uncertain(void **state)
{
    struct db *db = *state;
    owe(db, "a", "r", "me");
    owe(db, "b", "r", "me");
    update(db, "a", "uncertain", "no answer", at(1));
    update(db, "b", "paid", NULL, at(1));
    assert_true(ledger_note_swept(db, "r", "erp", "left", at(2), NULL));
    assert_true(ledger_note_swept(db, "r", "other", "left", at(2), NULL));
    g_autoptr(GPtrArray) notes = db_take_texts(
        db_query(db, NULL, "SELECT state || ': ' || coalesce(problem, '-') FROM debt ORDER BY id",
                 ""),
        NULL);
    assert_string_equal(notes->pdata[0],
                        "uncertain: no answer; the sweep left deleted a record of this run at "
                        "2026-09-21T14:15:20.000Z");
    assert_string_equal(notes->pdata[1], "paid: -");
}

static void test_unknown_debt(void **state)
{
    struct flow_debt *debt = make("A", "r");
    g_autoptr(GError) error = NULL;
    assert_false(ledger_update(*state, debt, at(0), &error));
    assert_non_null(strstr(error->message, "no debt A"));
    flow_debt_free(debt);
}

struct answers {
    int durable, refused;
};

static void on_answer(bool durable, void *context)
{
    struct answers *answers = context;
    *(durable ? &answers->durable : &answers->refused) += 1;
}

static void test_door(void **state)
{
    uv_loop_t loop;
    struct answers answers = {0};
    struct flow_debt *debt = make("A", "r");
    (void)state;
    uv_loop_init(&loop);
    struct writer *writer = writer_new(&loop, store_open_memory(NULL), 10, NULL, NULL);
    g_autoptr(ledger_t) ledger = ledger_new(writer, "me");
    const struct flow_ledger *door = ledger_door(ledger);
    door->owe(door->self, debt, on_answer, &answers);
    door->owe(door->self, debt, on_answer, &answers); // the same: refused
    door->update(door->self, debt, on_answer, &answers);
    debt->sent_at = at(1);
    door->update(door->self, debt, on_answer, &answers); // never owed: refused
    flow_debt_free(debt);
    writer_close(writer, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(answers.durable, 2);
    assert_int_equal(answers.refused, 2);
    assert_int_equal(uv_loop_close(&loop), 0);
}

// What another system is to make is looked for until its time is over, and once right after;
// nobody is told before.
static void test_what_comes_later(void **state)
{
    struct db *db = *state;
    owe(db, "a", "r", "me");
    static const int looks[][2] = {
        // at this minute, next at this one
        {2 * 24 * 60, 2 * 24 * 60 + 1}, // as often as on the first day
        {3 * 24 * 60 - 1, 3 * 24 * 60},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
        struct flow_debt *debt = make("a", "r");
        debt->problem = g_strdup("not there yet");
        json_add_integer(debt->values, FLOW_UNDO_WAITS, at((int64_t)3 * 24 * 60).us);
        assert_true(ledger_update(db, debt, at(looks[i][0]), NULL));
        flow_debt_free(debt);
        struct clock_wall next = {at(looks[i][1]).us + 2 * G_USEC_PER_SEC};
        g_autoptr(GPtrArray) early =
            ledger_due(db, "me", (struct clock_wall){at(looks[i][1]).us - 1}, 10, NULL);
        g_autoptr(GPtrArray) due = ledger_due(db, "me", next, 10, NULL);
        assert_int_equal(early->len, 0);
        assert_int_equal(due->len, 1);
        g_autoptr(GPtrArray) untold = ledger_untold(db, at(looks[i][0]), 10, NULL);
        assert_int_equal(untold->len, 0);
    }
    g_autoptr(GPtrArray) told = ledger_untold(db, at((int64_t)4 * 24 * 60 + 1), 10, NULL);
    assert_int_equal(told->len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_run_in_flight_is_not_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_id_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_retry_schedule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_clock_set_back_holds_up_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_of_an_answer_are_no_attempt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reverse_order_within_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_claimed_debts_hold_writers_back, set_up, tear_down),
        cmocka_unit_test(test_who_is_told),
        cmocka_unit_test(test_a_damaged_debt_holds_up_nothing),
        cmocka_unit_test_setup_teardown(test_unknown_debt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_to_its_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_sweep_is_noted_at_what_is_uncertain, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_comes_later, set_up, tear_down),
        cmocka_unit_test(test_door),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}

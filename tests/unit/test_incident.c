// SPDX-License-Identifier: MIT
// The state machine of incidents, by tables of runs: a letter for each run, and for
// each run the letter of what it brings about.
#include "../../monitor/incident.h"

#include <glib.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define START (INT64_C(1790000000) * SECOND)

// Runs: a b c … fail with that fingerprint, G is good, U unknown.
// Transitions: O opened, C changed, R recovered, . nothing.
static const struct {
    int confirm, recover;
    const char *runs, *expected, *state;
    int count;
} cases[] = {
    {2, 1, "GGG", "...", "ok", 0},
    {2, 1, "a", ".", "suspect", 1},
    {2, 1, "aG", "..", "ok", 0},
    {2, 1, "aGa", "...", "suspect", 1},
    {2, 1, "aa", ".O", "failing", 0},
    {2, 1, "aaG", ".OR", "ok", 0},
    {2, 1, "aaaa", ".O..", "failing", 0},
    {2, 1, "aaGaa", ".OR.O", "failing", 0},
    {1, 1, "a", "O", "failing", 0},
    {1, 1, "aGaGaG", "OROROR", "ok", 0},
    {3, 1, "aa", "..", "suspect", 2},
    {3, 1, "aaGaaa", ".....O", "failing", 0},
    // Whatever their cause, failing runs count together.
    {2, 1, "ab", ".O", "failing", 0},
    {3, 1, "abc", "..O", "failing", 0},
    // Unknown runs neither count nor reset.
    {2, 1, "U", ".", "ok", 0},
    {2, 1, "aUa", "..O", "failing", 0},
    {2, 1, "aUUU", "....", "suspect", 1},
    {2, 1, "aaUG", ".O.R", "ok", 0},
    {2, 2, "aaGUG", ".O..R", "ok", 0},
    // Recovering.
    {2, 2, "aaG", ".O.", "recovering", 1},
    {2, 2, "aaGG", ".O.R", "ok", 0},
    {2, 2, "aaGa", ".O..", "failing", 0},
    {2, 2, "aaGaGaG", ".O.....", "recovering", 1},
    {2, 3, "aaGGaGGG", ".O.....R", "ok", 0},
    // Changed: after as many equal fingerprints as open an incident, and never twice the same.
    {2, 1, "aab", ".O.", "failing", 0},
    {2, 1, "aabb", ".O.C", "failing", 0},
    {2, 1, "aabbb", ".O.C.", "failing", 0},
    {2, 1, "aabab", ".O...", "failing", 0},
    {2, 1, "aababababab", ".O.........", "failing", 0},
    {2, 1, "aabbaa", ".O.C..", "failing", 0},
    {2, 1, "aabbaabbcc", ".O.C.....C", "failing", 0},
    {2, 1, "abab", ".O..", "failing", 0},
    {2, 1, "abaa", ".O.C", "failing", 0},
    {1, 1, "ab", "OC", "failing", 0},
    {1, 1, "abab", "OC..", "failing", 0},
    // A good run in between is no end of the row, as long as the incident lasts.
    {2, 2, "aabGb", ".O..C", "failing", 0},
    // A new incident knows nothing of the former one.
    {2, 1, "aabbGbb", ".O.CR.O", "failing", 0},
};

struct world {
    GHashTable *flows, *incidents;
    GPtrArray *order; // incidents as they opened; borrowed
    GPtrArray *transitions;
    int64_t seq;
    int confirm, recover;
    const char *system; // that the runs fail at; NULL: their flow's
};

static void free_transition(gpointer data)
{
    transition_free(data);
}

static void free_flow(gpointer data)
{
    incident_flow_free(data);
}

static void free_incident(gpointer data)
{
    incident_free(data);
}

static struct world *world_new(int confirm, int recover)
{
    struct world *world = g_new0(struct world, 1);
    world->flows = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_flow);
    world->incidents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_incident);
    world->order = g_ptr_array_new();
    world->transitions = g_ptr_array_new_with_free_func(free_transition);
    world->confirm = confirm;
    world->recover = recover;
    return world;
}

static void world_free(struct world *world)
{
    g_hash_table_destroy(world->flows);
    g_hash_table_destroy(world->incidents);
    g_ptr_array_unref(world->order);
    g_ptr_array_unref(world->transitions);
    g_free(world);
}

static struct incident_flow *flow_of(struct world *world, const char *name)
{
    struct incident_flow *flow = g_hash_table_lookup(world->flows, name);
    if (flow == NULL) {
        flow = incident_flow_new(name, "erp");
        g_hash_table_insert(world->flows, flow->flow, flow);
    }
    return flow;
}

static struct incident *candidate_of(struct world *world, const char *fingerprint)
{
    for (guint i = 0; i < world->order->len; i++) {
        struct incident *incident = world->order->pdata[i];
        if (incident->closed.us == 0 && strcmp(incident->fingerprint, fingerprint) == 0) {
            return incident;
        }
    }
    return NULL;
}

static struct clock_wall second(int64_t number)
{
    return (struct clock_wall){START + number * SECOND};
}

// One run of a flow; returns the letter of what came of it.
static char run(struct world *world, const char *name, char letter)
{
    char fingerprint[] = {letter, '\0'};
    struct incident_flow *flow = flow_of(world, name);
    int64_t seq = ++world->seq;
    g_autofree char *id = g_strdup_printf("run%d", (int)seq);
    struct incident_event event = {.kind = INCIDENT_RESULT,
                                   .seq = seq,
                                   .at = second(seq * 60 + 1),
                                   .started = second(seq * 60),
                                   .run = id,
                                   .fingerprint = fingerprint,
                                   .system = world->system,
                                   .outcome = letter == 'G'   ? INCIDENT_GOOD
                                              : letter == 'U' ? INCIDENT_UNKNOWN
                                                              : INCIDENT_FAILED,
                                   .confirm_runs = world->confirm,
                                   .confirm_after_ms = 20000,
                                   .recover = world->recover};
    struct incident_case state = {.flow = flow};
    if (flow->incident != NULL) {
        state.incident = g_hash_table_lookup(world->incidents, flow->incident);
    } else if (event.outcome == INCIDENT_FAILED) {
        state.candidate = candidate_of(world, fingerprint);
    }
    guint before = world->transitions->len;
    incident_apply(&state, &event, world->transitions);
    if (state.opened) {
        g_hash_table_insert(world->incidents, state.incident->id, state.incident);
        g_ptr_array_add(world->order, state.incident);
    }
    if (world->transitions->len == before) {
        return '.';
    }
    assert_int_equal(world->transitions->len, before + 1);
    const struct transition *transition = world->transitions->pdata[before];
    return "OCARW"[transition->kind];
}

static void test_sequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct world *world = world_new(cases[i].confirm, cases[i].recover);
        g_autofree char *got = g_strdup(cases[i].runs);
        for (size_t n = 0; cases[i].runs[n] != '\0'; n++) {
            got[n] = run(world, "orders", cases[i].runs[n]);
        }
        struct incident_flow *flow = flow_of(world, "orders");
        if (strcmp(got, cases[i].expected) != 0) {
            fail_msg("confirm %d recover %d: %s gives %s, not %s", cases[i].confirm,
                     cases[i].recover, cases[i].runs, got, cases[i].expected);
        }
        assert_string_equal(incident_kind_word(flow->kind), cases[i].state);
        assert_int_equal(flow->count, cases[i].count);
        assert_int_equal(flow->incident != NULL, flow->kind >= INCIDENT_FAILING);
        world_free(world);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = INCIDENT_OK; i <= INCIDENT_RECOVERING; i++) {
        assert_int_equal(incident_kind_of(incident_kind_word((enum incident_kind)i)), i);
    }
    assert_int_equal(incident_kind_of("well"), -1);
    assert_int_equal(incident_kind_of(NULL), -1);
}

static void test_confirm_due(void **state)
{
    (void)state;
    struct world *world = world_new(3, 1);
    struct incident_flow *flow = flow_of(world, "orders");
    run(world, "orders", 'a');
    assert_true(flow->confirm_due.us == second(1 * 60 + 1 + 20).us);
    run(world, "orders", 'U'); // it is still to be confirmed
    assert_true(flow->confirm_due.us == second(2 * 60 + 1 + 20).us);
    struct incident_event held = {.kind = INCIDENT_RESULT,
                                  .at = second(150),
                                  .outcome = INCIDENT_UNKNOWN,
                                  .confirm_after_ms = 20000,
                                  .held_until = second(9000)};
    struct incident_case state_held = {.flow = flow};
    incident_apply(&state_held, &held, world->transitions); // before that it would tell nothing
    assert_true(flow->confirm_due.us == second(9000).us);
    run(world, "orders", 'a');
    assert_true(flow->confirm_due.us == second(3 * 60 + 1 + 20).us);
    run(world, "orders", 'a');
    assert_true(flow->confirm_due.us == 0);
    run(world, "orders", 'G');
    run(world, "orders", 'U');
    assert_true(flow->confirm_due.us == 0);
    world_free(world);
}

static void test_facts(void **state)
{
    (void)state;
    struct world *world = world_new(2, 1);
    run(world, "orders", 'a'); // 1
    run(world, "orders", 'b'); // 2: opens
    run(world, "orders", 'b'); // 3
    run(world, "orders", 'c'); // 4
    run(world, "orders", 'c'); // 5: changed
    run(world, "orders", 'G'); // 6: recovered
    const struct transition *opened = world->transitions->pdata[0];
    const struct transition *changed = world->transitions->pdata[1];
    const struct transition *recovered = world->transitions->pdata[2];
    const struct transition_flow *member = opened->flows->pdata[0];
    assert_string_equal(opened->run, "run2");
    assert_string_equal(opened->system, "erp");
    assert_true(opened->opened.us == second(2 * 60 + 1).us);
    assert_true(member->failing);
    assert_true(member->first_failed.us == second(60).us);
    assert_true(member->last_failed.us == second(120).us);
    assert_int_equal(member->runs_failed, 2);
    assert_string_equal(changed->run, "run5");
    assert_string_equal(changed->incident, opened->incident);
    assert_string_equal(recovered->run, "run6");
    member = recovered->flows->pdata[0];
    assert_false(member->failing);
    assert_int_equal(member->runs_failed, 5);
    assert_true(member->last_failed.us == second(300).us);
    assert_true(member->last_good.us == second(360).us);
    world_free(world);
}

static void test_company(void **state)
{
    (void)state;
    struct world *world = world_new(2, 1);
    run(world, "orders", 'a');
    assert_int_equal(run(world, "orders", 'a'), 'O');
    run(world, "customers", 'a');
    assert_int_equal(run(world, "customers", 'a'), 'C'); // the same failure: joins
    run(world, "invoices", 'b');
    assert_int_equal(run(world, "invoices", 'b'), 'O'); // another one: its own
    assert_int_equal(world->order->len, 2);
    struct incident *first = world->order->pdata[0];
    assert_int_equal(first->flows->len, 2);
    const struct transition *joined = world->transitions->pdata[1];
    const struct transition_flow *leader = joined->flows->pdata[0];
    assert_string_equal(leader->flow, "customers");
    assert_int_equal(joined->flows->len, 2);
    // It ends with the last one.
    assert_int_equal(run(world, "orders", 'G'), '.');
    assert_true(first->closed.us == 0);
    assert_int_equal(run(world, "customers", 'G'), 'R');
    assert_true(first->closed.us != 0);
    // A closed one is not joined.
    run(world, "orders", 'a');
    assert_int_equal(run(world, "orders", 'a'), 'O');
    world_free(world);
}

// The current fingerprint decides who joins, and incidents never merge.
static void test_joining_follows_the_change(void **state)
{
    (void)state;
    struct world *world = world_new(2, 1);
    run(world, "orders", 'a');
    run(world, "orders", 'a');
    run(world, "orders", 'b');
    assert_int_equal(run(world, "orders", 'b'), 'C');
    run(world, "customers", 'a');
    assert_int_equal(run(world, "customers", 'a'), 'O');
    run(world, "invoices", 'b');
    assert_int_equal(run(world, "invoices", 'b'), 'C');
    const struct incident_flow *invoices = flow_of(world, "invoices");
    const struct incident_flow *orders = flow_of(world, "orders");
    assert_string_equal(invoices->incident, orders->incident);
    // Both incidents now fail alike, and stay two.
    run(world, "customers", 'b');
    run(world, "customers", 'b');
    const struct incident_flow *customers = flow_of(world, "customers");
    assert_string_not_equal(customers->incident, orders->incident);
    world_free(world);
}

// An incident is of the system that fails: the one of its current fingerprint.
static void test_another_system_fails(void **state)
{
    (void)state;
    struct world *world = world_new(2, 1);
    run(world, "orders", 'a');
    world->system = "shop";
    assert_int_equal(run(world, "orders", 'b'), 'O'); // the second run says where it fails
    const struct incident *incident = world->order->pdata[0];
    assert_string_equal(incident->system, "shop");
    world->system = "crm";
    assert_int_equal(run(world, "orders", 'c'), '.');
    assert_string_equal(incident->system, "shop"); // once may be chance
    assert_int_equal(run(world, "orders", 'c'), 'C');
    assert_string_equal(incident->system, "crm");
    const struct transition *told = world->transitions->pdata[1];
    assert_string_equal(told->system, "crm");
    world_free(world);
}

static void test_withdrawn(void **state)
{
    (void)state;
    struct world *world = world_new(1, 1);
    run(world, "orders", 'a');
    run(world, "customers", 'a');
    struct incident *incident = world->order->pdata[0];
    struct incident_event event = {.kind = INCIDENT_WITHDRAW, .seq = 9, .at = second(9000)};
    struct incident_case first = {flow_of(world, "orders"), incident, NULL, false, false};
    incident_apply(&first, &event, world->transitions);
    const struct transition *one = world->transitions->pdata[2];
    assert_int_equal(one->kind, TRANSITION_WITHDRAWN);
    assert_true(incident->closed.us == 0);
    assert_int_equal(flow_of(world, "orders")->kind, INCIDENT_OK);
    struct incident_case second_one = {flow_of(world, "customers"), incident, NULL, false, false};
    incident_apply(&second_one, &event, world->transitions);
    const struct transition *two = world->transitions->pdata[3];
    assert_int_equal(two->number, 2);
    assert_true(incident->closed.us == event.at.us);
    assert_true(incident->withdrawn);
    // One that is only suspect goes without a word.
    world->confirm = 2;
    run(world, "invoices", 'a');
    struct incident_case suspect = {flow_of(world, "invoices"), NULL, NULL, false, false};
    incident_apply(&suspect, &event, world->transitions);
    assert_int_equal(world->transitions->len, 4);
    assert_int_equal(flow_of(world, "invoices")->kind, INCIDENT_OK);
    world_free(world);
}

static void test_acknowledged(void **state)
{
    (void)state;
    struct world *world = world_new(1, 1);
    run(world, "orders", 'a');
    struct incident *incident = world->order->pdata[0];
    g_ptr_array_add(incident->told, g_strdup("partner"));
    struct incident_event event = {
        .kind = INCIDENT_ACKNOWLEDGE, .seq = 9, .at = second(9000), .by = "Ann", .note = "on it"};
    struct incident_case state_of = {.incident = incident};
    incident_apply(&state_of, &event, world->transitions);
    const struct transition *transition = world->transitions->pdata[1];
    assert_int_equal(transition->kind, TRANSITION_ACKNOWLEDGED);
    assert_string_equal(transition->by, "Ann");
    assert_string_equal(transition->note, "on it");
    assert_int_equal(transition->told->len, 1);
    assert_true(incident->acknowledged.us == event.at.us);
    // Later transitions do not repeat it.
    run(world, "orders", 'G');
    const struct transition *recovered = world->transitions->pdata[2];
    assert_null(recovered->by);
    world_free(world);
}

static void test_ids_do_not_depend_on_the_machine(void **state)
{
    (void)state;
    g_autofree char *ids[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        struct world *world = world_new(1, 1);
        run(world, "orders", 'a');
        const struct incident *incident = world->order->pdata[0];
        ids[i] = g_strdup(incident->id);
        assert_int_equal(strlen(ids[i]), 10);
        run(world, "orders", 'G');
        run(world, "orders", 'a');
        const struct incident *later = world->order->pdata[1];
        assert_string_not_equal(ids[i], later->id);
        world_free(world);
    }
    assert_string_equal(ids[0], ids[1]);
    g_free(ids[1]);
}

// What becomes of notices, by steps: "O" etc. as above; capital M before a letter: muted;
// "j" joined; "u" is the end of the mute. Fates: T tell, N opening now, J join, H hold,
// D drop; at "u" the letter of the transition that is told, or "-".
static const struct {
    const char *steps, *fates;
} fates[] = {
    {"O", "T"},         {"OCR", "TTT"},    {"OjR", "TJT"},   {"MO", "H"},
    {"MOu", "HO"},      {"MOMR", "HD"},    {"MOMRu", "HD-"}, {"MOMCu", "HHO"},
    {"MOMCuR", "HHOT"}, {"MOC", "HN"}, // a flow that is not muted joins
    {"MOCMRu", "HNHR"}, {"OMC", "TH"},     {"OMCu", "THC"},  {"OMCMCu", "THHC"},
    {"OMCMRu", "THHR"}, // the end outweighs the change
    {"OMRu", "THR"},    {"OMRuu", "THR-"}, {"OA", "TT"},     {"MOA", "HD"},
    {"MOAu", "HDO"},    {"OMAu", "TT-"},   {"OMW", "TH"},    {"OMWu", "THW"},
    {"MOMW", "HD"},
};

static char letter_of_fate(enum incident_fate fate)
{
    static const char letters[] = {[INCIDENT_FATE_TELL] = 'T',
                                   [INCIDENT_FATE_OPEN] = 'N',
                                   [INCIDENT_FATE_JOIN] = 'J',
                                   [INCIDENT_FATE_HOLD] = 'H',
                                   [INCIDENT_FATE_DROP] = 'D'};
    return letters[fate];
}

static char unmute(struct incident *incident, int64_t now)
{
    g_autoptr(transition_t) transition = incident_unmute(incident, second(now));
    return transition != NULL ? "OCARW"[transition->kind] : '-';
}

static char step_fate(struct incident *incident, char step, bool muted, int64_t now)
{
    static const char letters[] = "OCARW";
    bool joined = step == 'j';
    enum transition_kind kind =
        joined ? TRANSITION_CHANGED : (enum transition_kind)(strchr(letters, step) - letters);
    if (kind == TRANSITION_RECOVERED || kind == TRANSITION_WITHDRAWN) {
        incident->closed = second(now);
        incident->withdrawn = kind == TRANSITION_WITHDRAWN;
    }
    incident->numbers[kind]++;
    return letter_of_fate(incident_decide_fate(incident, kind, muted, joined, second(now), 30000));
}

static void test_fates(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fates); i++) {
        g_autoptr(incident_t) incident = incident_new("I", "erp");
        g_autoptr(GString) got = g_string_new(NULL);
        bool muted = false;
        for (size_t n = 0; fates[i].steps[n] != '\0'; n++) {
            char step = fates[i].steps[n];
            if (step == 'M') {
                muted = true;
            } else {
                g_string_append_c(got, step == 'u' ? unmute(incident, (int64_t)n)
                                                   : step_fate(incident, step, muted, (int64_t)n));
                muted = false;
            }
        }
        if (strcmp(got->str, fates[i].fates) != 0) {
            fail_msg("%s gives %s, not %s", fates[i].steps, got->str, fates[i].fates);
        }
    }
}

static void test_company_comes_too_late(void **state)
{
    (void)state;
    g_autoptr(incident_t) incident = incident_new("I", "erp");
    enum transition_kind changed = TRANSITION_CHANGED;
    assert_int_equal(
        incident_decide_fate(incident, TRANSITION_OPENED, false, false, second(0), 30000),
        INCIDENT_FATE_TELL);
    assert_int_equal(incident_decide_fate(incident, changed, false, true, second(29), 30000),
                     INCIDENT_FATE_JOIN);
    assert_int_equal(incident_decide_fate(incident, changed, false, true, second(30), 30000),
                     INCIDENT_FATE_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_confirm_due),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_company),
        cmocka_unit_test(test_joining_follows_the_change),
        cmocka_unit_test(test_another_system_fails),
        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_acknowledged),
        cmocka_unit_test(test_ids_do_not_depend_on_the_machine),
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_company_comes_too_late),
    };
    return cmocka_run_group_tests_name("incident", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Pays one debt: finds the record where the answer never came, sends the undo's
// calls, commits what became of it. Used by flow_run at the end of a run, and by
// the commands for debts that an earlier process left.
#include "flow_pay.h"

#include "../base/json.h"
#include "auth_session.h"
#include "call_judge.h"
#include "flow_care.h"
#include "flow_undo.h"
#include "judge.h"
#include "run_systems.h"
#include "selector.h"

#include <string.h>

// More matches than this are not ours alone: nothing is deleted.
#define MATCHES_MAX 5

struct payment {
    struct flow_engine *engine;
    const struct config *config;
    struct flow_debt *debt;
    flow_debt_done done;
    void *context;
    const struct config_system *system; // of the debt
    struct undo_read *read;             // of the debt
    const struct undo *undo;            // likewise
    const struct lookup *lookup;        // of the step; or of the undo, for another system's record
    struct run_systems *systems;
    struct values *values; // theirs
    struct call_run *call;
    const struct call *calling; // of the undo: the call in flight
    guint next_call;
    GPtrArray *matches; // of GHashTable: name -> value of each record found; NULL: no lookup
    guint next_match;
    bool kept; // in the ledger
};

static void send_next(struct payment *payment);

static void release(struct payment *payment)
{
    undo_kept_release(payment->read);
    run_systems_free(payment->systems);
    if (payment->matches)
        g_ptr_array_unref(payment->matches);
    flow_engine_leave(payment->engine);
    g_free(payment);
}

static void on_committed(bool durable, void *context)
{
    (void)durable; // not committed: the ledger still says owed, and it is tried again
    struct payment *payment = context;
    flow_debt_done done = payment->done;
    struct flow_debt *debt = payment->debt;
    void *done_context = payment->context;
    release(payment);
    done(debt, done_context);
}

static void settle(struct payment *payment, const char *state, const char *problem)
{
    g_free(payment->debt->state);
    g_free(payment->debt->problem);
    payment->debt->state = g_strdup(state);
    payment->debt->problem = g_strdup(problem);
    const struct flow_ledger *ledger = payment->engine->ledger;
    if (ledger && payment->kept)
        ledger->update(ledger->self, payment->debt, on_committed, payment);
    else
        on_committed(true, payment);
}

// NULL where the call was not answered at all.
static struct verdict *judge_outcome(struct payment *payment, const struct call *call,
                                     const struct call_outcome *outcome)
{
    struct verdict *verdict =
        call_judge(call, outcome, run_systems_present(payment->systems), payment->values);
    const struct flow_care_call care = {
        .system = run_systems_present(payment->systems),
        .run = payment->debt->run,
        .step = payment->debt->step,
        .verdict = verdict,
        .exchange = call_outcome_last(outcome),
    };
    // a record that a sweep may not delete is no reason to leave the system alone
    if (payment->kept || !verdict || verdict->cause != VERDICT_CAUSE_PERMISSION)
        flow_care_hear(payment->engine, &care);
    return verdict;
}

static bool is_gone(struct payment *payment, const struct transfer_response *response)
{
    const struct judge_input input = {
        .call = payment->calling,
        .response = response,
        .values = payment->values,
        .now = clock_wall_now(),
    };
    return flow_undo_record_is_gone(response) || judge_holds(payment->calling->gone, &input);
}

// From now on names are those of the system that the call goes to.
static void enter_system_of(struct payment *payment, const struct call *call)
{
    const struct config_system *named =
        call->system ? run_systems_find(payment->systems, call->system) : NULL;
    run_systems_enter(payment->systems, named ? named : payment->system);
}

static void call(struct payment *payment, const struct call *call,
                 void (*done)(struct call_outcome *outcome, void *context))
{
    enter_system_of(payment, call);
    const struct config_system *system = run_systems_present(payment->systems);
    struct call_run_input input = {
        .engine = payment->engine,
        .call = call,
        .system = system,
        .values = payment->values,
        .jar = run_systems_jar(payment->systems),
        .run = payment->debt->run,
        .first = payment->kept,
        .last = !payment->kept,
        .timeout_ms = call->timeout_ms ? call->timeout_ms : system->timeout_ms,
        .done = done,
        .context = payment,
    };
    auth_session_attach(&input);
    call_run_start(&input, &payment->call);
}

struct name_check {
    const struct payment *payment;
    const char *bad;
};

static void foreach_field(const GPtrArray *fields, template_visit each, void *user)
{
    for (guint i = 0; i < fields->len; i++)
        template_foreach(((const struct call_field *)fields->pdata[i])->value, each, user);
}

// What says which record is meant: in the address, or in the body.
static void foreach_target(const struct call *undo, template_visit each, void *user)
{
    template_foreach(undo->path, each, user);
    foreach_field(undo->query, each, user);
    foreach_field(undo->form, each, user);
    if (undo->body)
        template_foreach(undo->body, each, user);
}

static void check_target_name(const char *name, const struct template_reference *reference,
                              void *user)
{
    (void)reference;
    struct name_check *check = user;
    const struct value *value = name ? values_find(check->payment->values, name) : NULL;
    g_autofree char *text = value ? value_to_text(value) : NULL;
    if (text && (value_is_empty(value) || strcmp(text, ".") == 0 || strcmp(text, "..") == 0))
        check->bad = name;
}

static bool target_is_safe(struct payment *payment, const struct call *undo)
{
    struct name_check check = {payment, NULL};
    foreach_target(undo, check_target_name, &check);
    if (!check.bad)
        return true;
    g_autofree char *problem =
        g_strdup_printf("%s is empty, so the undo could hit another record: not sent", check.bad);
    settle(payment, "uncertain", problem);
    return false;
}

static void on_undo_answer(struct call_outcome *outcome, void *context);

static void send_call(struct payment *payment, const struct call *undo)
{
    payment->calling = undo;
    enter_system_of(payment, undo);
    if (target_is_safe(payment, undo))
        call(payment, undo, on_undo_answer);
}

static void on_undo_answer(struct call_outcome *outcome, void *context)
{
    struct payment *payment = context;
    const struct exchange *last = call_outcome_last(outcome);
    g_autoptr(verdict_t) verdict = judge_outcome(payment, payment->calling, outcome);
    bool done = verdict && (verdict->class == VERDICT_CLASS_OK || is_gone(payment, last->response));
    if (done) {
        send_next(payment);
        return;
    }
    if (verdict && payment->calling->otherwise) {
        send_call(payment, payment->calling->otherwise);
        return;
    }
    g_autofree char *problem = call_judge_describe(outcome, verdict);
    settle(payment, "owed", problem);
}

static void take_match(struct payment *payment)
{
    GHashTable *match = payment->matches->pdata[payment->next_match++];
    GHashTableIter iterator;
    gpointer name, value;
    g_hash_table_iter_init(&iterator, match);
    while (g_hash_table_iter_next(&iterator, &name, &value))
        values_set(payment->values, name, value_new(cJSON_Duplicate(value, true), false));
    payment->next_call = 0;
}

// The next call of the undo, for the next record where a lookup found several.
static void send_next(struct payment *payment)
{
    if (payment->next_call == payment->undo->calls->len) {
        if (!payment->matches || payment->next_match == payment->matches->len) {
            settle(payment, "paid", NULL);
            return;
        }
        take_match(payment);
    }
    send_call(payment, payment->undo->calls->pdata[payment->next_call++]);
}

// Positions of the candidates that are, as a whole, a text that this run sent.
static GArray *matching_positions(const struct payment *payment, const GPtrArray *candidates)
{
    GArray *positions = g_array_new(FALSE, FALSE, sizeof(guint));
    const cJSON *sent = json_member(payment->debt->values, FLOW_UNDO_SENT), *text;
    for (guint i = 0; candidates && i < candidates->len; i++) {
        const cJSON *candidate = candidates->pdata[i];
        if (!cJSON_IsString(candidate))
            continue;
        cJSON_ArrayForEach(text, sent)
        {
            if (strcmp(text->valuestring, candidate->valuestring) == 0) {
                g_array_append_val(positions, i);
                break;
            }
        }
    }
    return positions;
}

// The captures of the lookup for the records at `positions`; false where they do not pair up
// with the candidates.
static bool take_captures(struct payment *payment, struct subject *subject, guint candidates,
                          const GArray *positions)
{
    const GPtrArray *captures = payment->lookup->call->captures;
    struct template_context context = values_context(payment->values, clock_wall_now());
    for (guint c = 0; c < captures->len; c++) {
        const struct capture *capture = captures->pdata[c];
        g_autoptr(GPtrArray) found =
            capture->selector ? selector_select(capture->selector, subject, &context, NULL) : NULL;
        if (!found || found->len != candidates)
            return false;
        for (guint p = 0; p < positions->len; p++)
            g_hash_table_insert(
                payment->matches->pdata[p], g_strdup(capture->name),
                cJSON_Duplicate(found->pdata[g_array_index(positions, guint, p)], true));
    }
    return true;
}

// "Absent" counts only at a second look, no earlier than twice the larger of
// the step's timeout and 60 s after sending: a slow server may still commit.
static void settle_absent(struct payment *payment)
{
    struct flow_debt *debt = payment->debt;
    int64_t wait_us = 2 * MAX(debt->timeout_ms, INT64_C(60000)) * 1000;
    // `for`: another system makes the record, some time within this span
    int64_t later_us = payment->undo->lookup_for_ms * 1000;
    wait_us = MAX(wait_us, later_us);
    bool late = clock_wall_now().us - debt->sent_at.us >= wait_us;
    if (late && json_member(debt->values, FLOW_UNDO_ABSENT)) {
        settle(payment, "void", NULL);
        return;
    }
    if (!json_member(debt->values, FLOW_UNDO_ABSENT))
        cJSON_AddTrueToObject(debt->values, FLOW_UNDO_ABSENT);
    if (later_us > 0) {
        json_add_integer(debt->values, FLOW_UNDO_WAITS, debt->sent_at.us + later_us);
        settle(payment, "owed", "the record is not there yet");
        return;
    }
    settle(payment, "owed", "the record was not found; a slow server may still make it");
}

static void take_records(struct payment *payment, struct subject *subject)
{
    struct template_context context = values_context(payment->values, clock_wall_now());
    g_autoptr(GPtrArray) candidates =
        selector_select(payment->lookup->mark, subject, &context, NULL);
    bool readable = subject_is_readable(subject, payment->lookup->mark->kind);
    if (!candidates || !readable) { // says nothing of the record: not absent
        settle(payment, "owed", "the lookup's answer cannot be read");
        return;
    }
    g_autoptr(GArray) positions = matching_positions(payment, candidates);
    if (positions->len == 0) {
        settle_absent(payment);
        return;
    }
    if (positions->len > MATCHES_MAX) {
        g_autofree char *problem = g_strdup_printf(
            "the lookup found %u records that match: nothing was deleted", positions->len);
        settle(payment, "uncertain", problem);
        return;
    }
    payment->matches = g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_unref);
    for (guint i = 0; i < positions->len; i++)
        g_ptr_array_add(payment->matches, g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                                (GDestroyNotify)cJSON_Delete));
    if (!take_captures(payment, subject, candidates->len, positions)) {
        settle(payment, "uncertain",
               "the lookup's captures do not pair up with its mark: nothing was deleted");
        return;
    }
    payment->next_call = payment->undo->calls->len;
    send_next(payment);
}

static void on_lookup_answer(struct call_outcome *outcome, void *context)
{
    struct payment *payment = context;
    g_autoptr(verdict_t) verdict = judge_outcome(payment, payment->lookup->call, outcome);
    const struct exchange *last = call_outcome_last(outcome);
    // its captures may select several or nothing here: take_records reads them
    bool read = last && last->response && last->response->outcome == TRANSFER_ANSWERED &&
                last->response->status >= 200 && last->response->status < 300;
    if (!verdict || !read || verdict->class == VERDICT_CLASS_ERROR_CODE ||
        verdict->class == VERDICT_CLASS_CRYPTIC) {
        g_autofree char *why = call_judge_describe(outcome, verdict);
        g_autofree char *problem = g_strdup_printf("the lookup failed: %s", why);
        settle(payment, "owed", problem);
        return;
    }
    struct subject subject;
    subject_init_response(&subject, last->response);
    take_records(payment, &subject);
    subject_clear(&subject);
}

static void check_known(const char *name, const struct template_reference *reference, void *user)
{
    (void)reference;
    struct name_check *check = user;
    if (name && !strchr(name, '.') && !values_find(check->payment->values, name))
        check->bad = name;
}

// The name that the undo needs and that nothing gave: the answer never came.
static const char *missing_name(struct payment *payment)
{
    struct name_check check = {payment, NULL};
    for (guint i = 0; i < payment->undo->calls->len; i++) {
        const struct call *undo = payment->undo->calls->pdata[i];
        enter_system_of(payment, undo);
        foreach_target(undo, check_known, &check);
        foreach_field(undo->headers, check_known, &check);
        if (undo->captures->len > 0)
            break; // what follows may use what this one captures
    }
    return check.bad;
}

// The system of that id must still be the one that the record was made at.
static const char *changed_because(struct payment *payment, const struct config_system *system,
                                   const char *digest)
{
    if (!system)
        return "its system is no longer configured";
    g_autofree char *present = run_systems_digest(payment->systems, system);
    return g_strcmp0(present, digest) == 0 ? NULL : "its system is now another one";
}

// So must those that the undo calls besides.
static const char *orphaned_because(struct payment *payment)
{
    payment->system = g_hash_table_lookup(payment->config->systems, payment->debt->system);
    if (!payment->system)
        return "its system is no longer configured";
    payment->systems = run_systems_new(payment->engine, payment->config, payment->system);
    payment->values = run_systems_values(payment->systems);
    const char *why = changed_because(payment, payment->system, payment->debt->digest);
    const cJSON *other;
    cJSON_ArrayForEach(other, json_member(payment->debt->values, FLOW_UNDO_SYSTEMS))
    {
        if (!why)
            why = changed_because(payment, run_systems_find(payment->systems, other->string),
                                  cJSON_GetStringValue(other));
    }
    return why;
}

static void start(struct payment *payment)
{
    g_autoptr(GError) error = NULL;
    const char *orphaned = orphaned_because(payment);
    if (orphaned) {
        settle(payment, "orphaned", orphaned);
        return;
    }
    payment->read = undo_kept_take(payment->engine->undos, payment->debt->undo, &error);
    if (!payment->read) {
        settle(payment, "uncertain", error->message);
        return;
    }
    payment->undo = payment->read->undo;
    payment->lookup = payment->read->lookup;
    cJSON_DeleteItemFromObjectCaseSensitive(payment->debt->values, FLOW_UNDO_WAITS);
    values_add_json(payment->values, payment->debt->values);
    bool later = payment->undo->lookup;
    if (later)
        payment->lookup = payment->undo->lookup;
    const char *missing = later ? NULL : missing_name(payment);
    if (later) { // what the step itself captured is of another record
        call(payment, payment->lookup->call, on_lookup_answer);
    } else if (!missing) {
        send_next(payment);
    } else if (payment->lookup) {
        call(payment, payment->lookup->call, on_lookup_answer);
    } else {
        g_autofree char *problem = g_strdup_printf(
            "the answer that would have given %s never came, and there is no lookup", missing);
        settle(payment, "uncertain", problem);
    }
}

static void pay(struct flow_engine *engine, const struct config *config, struct flow_debt *debt,
                bool kept, flow_debt_done done, void *context)
{
    struct payment *payment = g_new0(struct payment, 1);
    payment->engine = engine;
    payment->config = config;
    payment->kept = kept;
    payment->debt = debt;
    payment->done = done;
    payment->context = context;
    flow_engine_enter(engine);
    start(payment);
}

void flow_debt_pay(struct flow_engine *engine, const struct config *config, struct flow_debt *debt,
                   flow_debt_done done, void *context)
{
    pay(engine, config, debt, true, done, context);
}

void flow_debt_pay_unkept(struct flow_engine *engine, const struct config *config,
                          struct flow_debt *debt, flow_debt_done done, void *context)
{
    pay(engine, config, debt, false, done, context);
}

// SPDX-License-Identifier: MIT
// One step of a run. Before a call with an undo goes out its debt is durable;
// after the answer what is known of it is durable before anything else happens.
#include "step_run.h"

#include "../base/duration.h"
#include "../base/ids.h"
#include "auth_session.h"
#include "call_judge.h"
#include "expect.h"
#include "flow_care.h"
#include "step_debts.h"
#include "retry_after.h"

#include <string.h>

// A step that polls keeps the first exchanges and the latest.
#define EXCHANGES_KEPT 8

struct step_run {
    struct step_run_shared *shared;
    const struct step *step;
    struct step_result *result;
    struct step_run_outcome outcome;
    struct call_run *call;
    struct step_debts debts;
    void (*after_settling)(struct step_run *run);
    struct clock_mono started;
    char *key; // of idempotency, or NULL
    int retries;
    uv_timer_t timer; // the wait before a repetition, and the deadline
    void (*done)(struct step_run_outcome *outcome, void *context);
    void *context;
};

static void attempt(struct step_run *run);

static void on_timer_closed(uv_handle_t *handle)
{
    struct step_run *run = handle->data;
    step_debts_clear(&run->debts);
    g_free(run->key);
    g_free(run);
}

static void tell_gate(const struct step_run *run, const struct step_result *result)
{
    guint count = result->exchanges->len;
    const struct flow_care_call call = {
        .system = run_systems_present(run->shared->systems),
        .run = run->shared->run,
        .flow = run->shared->flow,
        .step = result->step,
        .verdict = result->verdict,
        .exchange = count ? result->exchanges->pdata[count - 1] : NULL,
    };
    flow_care_hear(run->shared->engine, &call);
}

static void finish(struct step_run *run, enum verdict_state state)
{
    run->result->state = state;
    tell_gate(run, run->outcome.login ? run->outcome.login : run->result);
    run->outcome.result = run->result;
    struct step_run_outcome outcome = run->outcome;
    uv_timer_stop(&run->timer);
    uv_close((uv_handle_t *)&run->timer, on_timer_closed);
    run->done(&outcome, run->context);
}

static int64_t left_us(const struct step_run *run)
{
    return run->shared->deadline.us - clock_mono_now().us;
}

static void set_verdict(struct step_run *run, struct verdict *verdict)
{
    verdict_free(run->result->verdict);
    run->result->verdict = verdict;
    if (run->step->act && verdict->class != VERDICT_CLASS_OK && !verdict->ours) {
        g_free(verdict->act);
        verdict->act = g_strdup(run->step->act);
    }
}

// The flow's time was over before this step could be sent, or polled to its end.
static struct verdict *deadline_verdict(const struct step_run *run)
{
    g_autofree char *limit = duration_format(run->shared->limit_ms);
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_TIMEOUT;
    verdict->cause = VERDICT_CAUSE_UNAVAILABLE;
    verdict->message =
        g_strdup_printf("the flow's deadline of %s passed before this step was sent", limit);
    verdict->explanation = g_strdup("The steps before it, or waiting for a free place, took all "
                                    "the time that the flow has.");
    verdict->act = g_strdup("erp-partner");
    return verdict;
}

static struct verdict *poll_verdict(const struct step_run *run)
{
    const struct verdict *last = run->result->verdict;
    int64_t spent_ms = (clock_mono_now().us - run->started.us) / 1000;
    // to the nearest 0.1 s: a person reads it
    g_autofree char *span = duration_format((spent_ms + 50) / 100 * 100);
    const struct exchange *exchange =
        run->result->exchanges->pdata[run->result->exchanges->len - 1];
    g_autofree char *status = g_strdup_printf("answered %d", exchange->response->status);
    struct verdict *verdict = verdict_copy(last);
    verdict->class = VERDICT_CLASS_TIMEOUT;
    verdict->phase = VERDICT_PHASE_POLL;
    g_free(verdict->message);
    const char *what = last->failed_expectation ? last->failed_expectation : last->message;
    verdict->message = g_strdup_printf("asked %d times in %s: %s", run->result->attempts, span,
                                       what ? what : status);
    return verdict;
}

static bool ends_polling(enum verdict_cause cause)
{
    return cause == VERDICT_CAUSE_AUTH || cause == VERDICT_CAUSE_PERMISSION ||
           cause == VERDICT_CAUSE_RATE_LIMIT;
}

static bool polls_again(const struct step_run *run, const struct transfer_response *response)
{
    const struct verdict *verdict = run->result->verdict;
    if (!run->step->until_every_ms || verdict->ours || ends_polling(verdict->cause))
        return false;
    return response && response->outcome == TRANSFER_ANSWERED;
}

static bool was_refused(const struct transfer_response *response)
{
    return response->outcome == TRANSFER_UNREACHABLE && !response->sent;
}

static bool is_passing_fault(const struct transfer_response *response)
{
    if (response->outcome == TRANSFER_ANSWERED)
        return response->status >= 500 || response->status == 429;
    return response->outcome == TRANSFER_TIMEOUT || response->outcome == TRANSFER_UNREACHABLE ||
           response->outcome == TRANSFER_GARBLED;
}

// Not before the answer wants to be asked again.
static int64_t wait_ms(const struct step_run *run, const struct transfer_response *response,
                       int64_t usual_ms)
{
    enum verdict_cause cause = run->result->verdict->cause;
    return MAX(usual_ms, retry_after_ms(response, cause, clock_wall_now()));
}

// A call that may have written is repeated only where the user says so.
static bool retries_again(const struct step_run *run, const struct transfer_response *response)
{
    const struct step *step = run->step;
    if (run->retries >= step->retry_times || !response)
        return false;
    if (wait_ms(run, response, step->retry_after_ms) * 1000 >= left_us(run))
        return false; // what was answered says more than a deadline
    if (was_refused(response))
        return true;
    return is_passing_fault(response) && (step->retry_on_any || call_is_idempotent(step->call));
}

static void on_wait_over(uv_timer_t *timer)
{
    struct step_run *run = timer->data;
    flow_engine_end_wait(run->shared->engine, timer);
    if (run->shared->engine->stopping) {
        run->outcome.cut_off = true;
        finish(run, VERDICT_SKIPPED);
        return;
    }
    attempt(run);
}

static void wait_and_repeat(struct step_run *run, int64_t wait_ms)
{
    flow_engine_wait(run->shared->engine, &run->timer, on_wait_over, wait_ms * 1000);
}

static void finish_failed(struct step_run *run)
{
    bool ours = run->result->verdict->ours;
    finish(run, ours ? VERDICT_UNKNOWN : VERDICT_FAILED);
}

static bool polling_has_time(const struct step_run *run, int64_t every_us)
{
    int64_t spent_us = clock_mono_now().us - run->started.us;
    return spent_us + every_us <= run->step->until_for_ms * 1000 && every_us < left_us(run);
}

// The answer is judged and what it gave is durable: what now?
static void decide(struct step_run *run)
{
    const struct step *step = run->step;
    const GPtrArray *exchanges = run->result->exchanges;
    const struct exchange *last = exchanges->len ? exchanges->pdata[exchanges->len - 1] : NULL;
    const struct transfer_response *response = last ? last->response : NULL;
    if (run->result->verdict->class == VERDICT_CLASS_OK) {
        bool slow = step->slow_ms && run->result->duration_ms > (double)step->slow_ms;
        finish(run, slow ? VERDICT_SLOW : VERDICT_OK);
    } else if (retries_again(run, response)) {
        run->retries++;
        wait_and_repeat(run, wait_ms(run, response, step->retry_after_ms));
    } else if (polls_again(run, response) &&
               polling_has_time(run, wait_ms(run, response, step->until_every_ms) * 1000)) {
        wait_and_repeat(run, wait_ms(run, response, step->until_every_ms));
    } else {
        if (polls_again(run, response))
            set_verdict(run, poll_verdict(run));
        finish_failed(run);
    }
}

static bool proves_nothing_made(const struct verdict *verdict)
{
    // A batch may have made what one part is for, and failed in another.
    if (verdict->class != VERDICT_CLASS_ERROR_CODE || verdict->partial)
        return false;
    return verdict->cause == VERDICT_CAUSE_AUTH || verdict->cause == VERDICT_CAUSE_PERMISSION ||
           verdict->cause == VERDICT_CAUSE_VALIDATION || verdict->cause == VERDICT_CAUSE_NOT_FOUND;
}

// What follows once the debts are settled: whatever was kept of it, the run goes on.
static void on_settled(bool durable, void *context)
{
    (void)durable;
    struct step_run *run = context;
    run->after_settling(run);
}

static void keep_exchanges(struct step_run *run, struct call_outcome *outcome)
{
    GPtrArray *kept = run->result->exchanges;
    while (outcome->exchanges->len > 0)
        g_ptr_array_add(kept, g_ptr_array_steal_index(outcome->exchanges, 0));
    while (kept->len > EXCHANGES_KEPT)
        g_ptr_array_remove_index(kept, EXCHANGES_KEPT / 2);
}

// Ends that are no answer: our own fault, the deadline, a stop, a failed login.
static bool ended_without_answer(struct step_run *run, struct call_outcome *outcome,
                                 const struct exchange *last)
{
    if (outcome->login) {
        run->result->attempts--; // it was not sent
        run->outcome.login = g_steal_pointer(&outcome->login);
        run->outcome.held_back = true;
    } else if (outcome->cut_off) {
        run->outcome.cut_off = true;
    } else if (outcome->held_until.us) {
        run->result->attempts--;
        run->outcome.held_until = outcome->held_until;
        set_verdict(run, judge_our_fault(outcome->problem));
    } else if (outcome->problem) {
        set_verdict(run, outcome->unsendable ? judge_unsendable(outcome->problem)
                                             : judge_our_fault(outcome->problem));
    } else if (outcome->deadline_passed) {
        set_verdict(run, deadline_verdict(run));
    } else if (!last || !last->response) {
        set_verdict(run, judge_our_fault("the call was not sent"));
    } else {
        return false;
    }
    return true;
}

static void finish_without_answer(struct step_run *run)
{
    if (run->outcome.held_back || run->outcome.cut_off)
        finish(run, VERDICT_SKIPPED);
    else
        finish_failed(run);
}

static void on_call_done(struct call_outcome *outcome, void *context)
{
    struct step_run *run = context;
    uv_timer_stop(&run->timer);
    run->result->duration_ms = outcome->elapsed_ms;
    const struct exchange *last = call_outcome_last(outcome);
    bool sent = last && last->response && last->response->sent;
    bool answered = !ended_without_answer(run, outcome, last);
    if (answered && last)
        set_verdict(run, call_judge_answer(run->step->call, outcome,
                                           run_systems_present(run->shared->systems),
                                           run->shared->values));
    keep_exchanges(run, outcome);
    bool nothing_made = !sent || (answered && proves_nothing_made(run->result->verdict));
    run->after_settling = answered ? decide : finish_without_answer;
    step_debts_settle(&run->debts, nothing_made, on_settled, run);
}

static void on_deadline(uv_timer_t *timer)
{
    struct step_run *run = timer->data;
    if (run->call)
        call_run_cancel(run->call, true);
}

static void on_owed(bool durable, void *context)
{
    const struct step_run *run = context;
    call_run_go(run->call, durable ? NULL
                                   : "what this step would create could not be noted for undoing "
                                     "(is the disk full?), so it was not sent");
}

static void before_send(struct call_run *call, const struct transfer_request *request,
                        void *context)
{
    struct step_run *run = context;
    (void)call;
    step_debts_owe(&run->debts, request, on_owed, run);
}

// A repetition must not find what a former attempt captured.
static void forget_captures(struct step_run *run)
{
    const GPtrArray *captures = run->step->call->captures;
    for (guint i = 0; i < captures->len; i++)
        values_set(run->shared->values, ((const struct capture *)captures->pdata[i])->name, NULL);
}

static void attempt(struct step_run *run)
{
    const struct call *call = run->step->call;
    const struct config_system *system = run_systems_present(run->shared->systems);
    run->result->attempts++;
    if (run->result->attempts > 1)
        forget_captures(run);
    struct call_run_input input = {
        .engine = run->shared->engine,
        .call = call,
        .system = system,
        .values = run->shared->values,
        .jar = run_systems_jar(run->shared->systems),
        .timeout_ms = call->timeout_ms ? call->timeout_ms : system->timeout_ms,
        .deadline = run->shared->deadline,
        .run = run->shared->run,
        .flow = run->shared->flow->id,
        .key_header = run->step->idempotency,
        .key = run->key,
        .before_send = before_send,
        .done = on_call_done,
        .context = run,
    };
    auth_session_attach(&input);
    clock_timer_start(&run->timer, on_deadline, left_us(run));
    call_run_start(&input, &run->call);
}

// Of the run, its beginning and the step: all of that is in the ledger, too. A run that is
// repeated after a kill has the same id, and must not be answered with what the first one
// made and lost.
static char *idempotency_key(const struct step_run *run)
{
    if (!run->step->idempotency)
        return NULL;
    const struct value *started = values_find(run->shared->values, "run.started");
    g_autofree char *text = started ? value_to_text(started) : NULL;
    return ids_uuid_of(run->shared->run, text ? text : "", run->step->name, NULL);
}

static bool is_left_out(const struct step_run *run)
{
    const struct step *step = run->step;
    if (!step->only_if_name)
        return false;
    const struct value *value = values_find(run->shared->values, step->only_if_name);
    return !expect_value(step->only_if, value, run->shared->values, clock_wall_now());
}

void step_run_start(struct step_run_shared *shared, const struct step *step,
                    void (*done)(struct step_run_outcome *outcome, void *context), void *context)
{
    struct step_run *run = g_new0(struct step_run, 1);
    run->shared = shared;
    run->step = step;
    run->done = done;
    run->context = context;
    run->started = clock_mono_now();
    const struct config_system *system = config_step_system(shared->flow, step);
    run_systems_enter(shared->systems, system);
    run->key = idempotency_key(run);
    run->result = step_result_new(step->name, system->id);
    run->result->means = g_strdup(step->means);
    step_debts_init(&run->debts, shared, step);
    uv_timer_init(shared->engine->loop, &run->timer);
    run->timer.data = run;
    if (is_left_out(run)) {
        finish(run, VERDICT_SKIPPED);
        return;
    }
    if (step->call->cookies_new)
        run_systems_renew_jar(shared->systems);
    attempt(run);
}

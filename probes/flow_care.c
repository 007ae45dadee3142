// SPDX-License-Identifier: MIT
// From a verdict to what the gate has to know of it. Called by all that make calls.
#include "flow_care.h"

#include "retry_after.h"

static bool is_refusal(enum verdict_cause cause)
{
    return cause == VERDICT_CAUSE_AUTH || cause == VERDICT_CAUSE_PERMISSION ||
           cause == VERDICT_CAUSE_RATE_LIMIT;
}

// Whatever it says of the record: it was let in, and was dealt with.
static bool is_taken(const struct flow_care_call *call)
{
    const struct verdict *verdict = call->verdict;
    int status = call->exchange->response->status;
    return verdict->class == VERDICT_CLASS_OK || (status < 500 && !is_refusal(verdict->cause));
}

// Nothing from outside: it stands in the log, too.
static char *describe(const struct flow_care_call *call)
{
    const char *cause = verdict_cause_word(call->verdict->cause);
    return g_strdup_printf("status %d (%s) at \"%s\"", call->exchange->response->status,
                           cause ? cause : "unknown", call->step);
}

void flow_care_hear(struct flow_engine *engine, const struct flow_care_call *call)
{
    const struct exchange *exchange = call->exchange;
    const struct verdict *verdict = call->verdict;
    if (!verdict || verdict->ours || !exchange || !exchange->response || exchange->elsewhere ||
        exchange->response->outcome != TRANSFER_ANSWERED)
        return;
    bool ok = verdict->class == VERDICT_CLASS_OK;
    const struct flow_gate_asker asker = {
        .system = call->system,
        .timezone = engine->config->agent.timezone,
        .run = call->run,
        .flow = call->flow ? call->flow->id : NULL,
    };
    g_autofree char *why = ok ? NULL : describe(call);
    const struct flow_gate_answer answer = {
        .asker = &asker,
        .sent = exchange->started,
        .taken = is_taken(call),
        .refused = !ok && is_refusal(verdict->cause),
        .forbidden = verdict->cause == VERDICT_CAUSE_PERMISSION,
        .retry_after_ms =
            ok ? 0 : retry_after_ms(exchange->response, verdict->cause, clock_wall_now()),
        .why = why,
        .confirming = call->flow ? call->flow->confirm_runs - 1 : 0,
    };
    flow_gate_hear(engine->gate, &answer);
}

void flow_care_hear_apart(struct flow_engine *engine, const struct flow_care_call *call,
                          const struct call_outcome *outcome)
{
    const struct step_result *login = outcome->login;
    struct flow_care_call heard = *call;
    heard.exchange = call_outcome_last(outcome);
    if (login) {
        guint count = login->exchanges->len;
        heard.step = login->step;
        heard.verdict = login->verdict;
        heard.exchange = count ? login->exchanges->pdata[count - 1] : NULL;
    }
    if (heard.verdict && (login || heard.verdict->cause != VERDICT_CAUSE_PERMISSION))
        flow_care_hear(engine, &heard);
}

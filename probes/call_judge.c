// SPDX-License-Identifier: MIT
// Judges what a call came to. Comes after call_run; used by all that make calls.
#include "call_judge.h"

#include <string.h>

struct judge_input call_judge_input(const struct call *call, const struct call_outcome *outcome,
                                    const struct config_system *system, struct values *values)
{
    const struct exchange *last = call_outcome_last(outcome);
    return (struct judge_input){
        .call = call,
        .response = last->response,
        .url = last->request->url,
        .timeout_ms = last->request->timeout_ms,
        .elapsed_ms = outcome->elapsed_ms,
        .unfollowed = last->unfollowed,
        .became_get = last->became_get,
        .pack = system ? system->lexicon : NULL,
        .values = values,
        .now = clock_wall_now(),
    };
}

struct verdict *call_judge_answer(const struct call *call, const struct call_outcome *outcome,
                                  const struct config_system *system, struct values *values)
{
    if (outcome->verdict)
        return verdict_copy(outcome->verdict);
    const struct judge_input input = call_judge_input(call, outcome, system, values);
    return judge(&input);
}

struct verdict *call_judge(const struct call *call, const struct call_outcome *outcome,
                           const struct config_system *system, struct values *values)
{
    const struct exchange *last = call_outcome_last(outcome);
    if (outcome->problem || outcome->login || outcome->cut_off || !last || !last->response)
        return NULL;
    return call_judge_answer(call, outcome, system, values);
}

char *call_judge_describe(const struct call_outcome *outcome, const struct verdict *verdict)
{
    const struct exchange *last = call_outcome_last(outcome);
    if (outcome->problem)
        return g_strdup(outcome->problem);
    if (outcome->login)
        return g_strdup("the log in failed");
    if (outcome->cut_off || !verdict || !last || !last->response)
        return g_strdup("not sent any more");
    const char *code = verdict->code, *message = verdict->message;
    bool both = code && message && strcmp(code, message) != 0;
    g_autofree char *text =
        both ? g_strdup_printf("%s: %s", code, message) : g_strdup(code ? code : message);
    if (!last->response->status)
        return g_strdup_printf("%s: %s", last->request->method, text ? text : "no answer");
    return g_strdup_printf("%s answered %d%s%s", last->request->method, last->response->status,
                           text ? " " : "", text ? text : "");
}

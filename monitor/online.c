// SPDX-License-Identifier: MIT
// Asked between a run that reached nothing and the watch: the answer is part of
// the run's result.
#include "online.h"

#include "../base/transfer.h"

#define ONLINE_TIMEOUT_MS 5000

struct question {
    GPtrArray *requests; // of struct transfer_request
    unsigned waiting;
    bool answered; // `done` was called
    void (*done)(bool online, void *context);
    void *context;
};

bool online_is_in_doubt(const struct run_result *result)
{
    const struct step_result *step = run_result_decisive(result);
    if (!step || step->state != VERDICT_FAILED || !step->verdict)
        return false;
    const struct verdict *verdict = step->verdict;
    return verdict->class == VERDICT_CLASS_UNREACHABLE ||
           (verdict->class == VERDICT_CLASS_TIMEOUT &&
            (verdict->phase == VERDICT_PHASE_DNS || verdict->phase == VERDICT_PHASE_CONNECT));
}

static void answer(struct question *question, bool online)
{
    if (question->answered)
        return;
    question->answered = true;
    question->done(online, question->context);
}

// Any HTTP answer will do, whatever its status.
static void on_answer(struct transfer_response *response, void *context)
{
    struct question *question = context;
    bool online = response->status > 0;
    transfer_response_free(response);
    question->waiting--;
    if (online || question->waiting == 0)
        answer(question, online);
    if (question->waiting > 0)
        return;
    g_ptr_array_unref(question->requests);
    g_free(question);
}

void online_ask(struct transfer *transfer, const struct config *config,
                void (*done)(bool online, void *context), void *context)
{
    const GPtrArray *addresses = config->agent.online;
    if (addresses->len == 0) {
        done(true, context);
        return;
    }
    struct question *question = g_new0(struct question, 1);
    question->requests = g_ptr_array_new_with_free_func((GDestroyNotify)transfer_request_free);
    question->done = done;
    question->context = context;
    question->waiting = addresses->len;
    for (guint i = 0; i < addresses->len; i++) {
        struct transfer_request *request = transfer_request_new("HEAD", addresses->pdata[i]);
        request->timeout_ms = ONLINE_TIMEOUT_MS;
        request->max_body = 64 * 1024;
        g_ptr_array_add(question->requests, request);
        transfer_start(transfer, request, on_answer, question);
    }
}

void online_excuse(struct run_result *result)
{
    result->online = false;
    result->state = VERDICT_UNKNOWN;
    g_free(result->problem);
    result->problem = g_strdup("the monitor's own network seems to be down: none of the addresses "
                               "of agent.online answers either");
    g_clear_pointer(&result->fingerprint, g_free);
    g_clear_pointer(&result->failed_system, g_free);
    g_clear_pointer(&result->scope, g_free);
}

// SPDX-License-Identifier: MIT
// Asked between a run that reached nothing and the watch: the answer is part of
// the run's result.
#include "online.h"

#include "../base/log.h"
#include "../base/transfer.h"

#define ONLINE_TIMEOUT_MS 5000
// How long an answer is good for others: shorter than a network takes to go or come.
#define ONLINE_HOLDS_US G_USEC_PER_SEC

struct waiter {
    void (*done)(bool online, void *context);
    void *context;
};

struct question {
    struct online *online;
    GPtrArray *requests; // of struct transfer_request
    GArray *waiters;     // of struct waiter
    unsigned outstanding;
};

struct online {
    struct transfer *transfer;
    struct question *open; // not answered yet, or NULL
    struct clock_mono answered;
    bool is_online; // as answered then
};

struct online *online_new(struct transfer *transfer)
{
    struct online *online = g_new0(struct online, 1);
    online->transfer = transfer;
    online->is_online = true;
    return online;
}

void online_free(struct online *online)
{
    g_free(online);
}

bool online_is_in_doubt(const struct run_result *result)
{
    const struct step_result *step = run_result_decisive(result);
    if (!step || step->state != VERDICT_FAILED || !step->verdict)
        return false;
    const struct verdict *verdict = step->verdict;
    return verdict->class == VERDICT_CLASS_UNREACHABLE ||
           (verdict->class == VERDICT_CLASS_TIMEOUT && verdict->phase != VERDICT_PHASE_POLL);
}

// Once when it goes and once when it is back, not for each flow.
static void log_change(bool was_online, bool is_online)
{
    if (was_online && !is_online)
        log_warning("our own network seems to be down: none of the addresses of agent.online "
                    "answers");
    else if (!was_online && is_online)
        log_info("our own network is back: agent.online answers");
}

static void answer(struct question *question, bool is_online)
{
    struct online *online = question->online;
    log_change(online->is_online, is_online);
    online->open = NULL;
    online->is_online = is_online;
    online->answered = clock_mono_now();
    g_autoptr(GArray) waiters = g_steal_pointer(&question->waiters);
    for (guint i = 0; i < waiters->len; i++) {
        const struct waiter *waiter = &g_array_index(waiters, struct waiter, i);
        waiter->done(is_online, waiter->context);
    }
}

// Any HTTP answer will do, whatever its status.
static void on_answer(struct transfer_response *response, void *context)
{
    struct question *question = context;
    bool is_online = response->status > 0;
    transfer_response_free(response);
    question->outstanding--;
    if (question->waiters && (is_online || question->outstanding == 0))
        answer(question, is_online);
    if (question->outstanding > 0)
        return;
    g_ptr_array_unref(question->requests);
    g_free(question);
}

static struct question *start_question(struct online *online, const GPtrArray *addresses)
{
    struct question *question = g_new0(struct question, 1);
    question->online = online;
    question->requests = g_ptr_array_new_with_free_func((GDestroyNotify)transfer_request_free);
    question->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    question->outstanding = addresses->len;
    for (guint i = 0; i < addresses->len; i++) {
        struct transfer_request *request = transfer_request_new("HEAD", addresses->pdata[i]);
        request->timeout_ms = ONLINE_TIMEOUT_MS;
        request->max_body = 64 * 1024;
        transfer_request_complete(request);
        g_ptr_array_add(question->requests, request);
        transfer_start(online->transfer, request, on_answer, question);
    }
    return question;
}

static bool is_known(const struct online *online)
{
    return online->answered.us && clock_mono_now().us - online->answered.us < ONLINE_HOLDS_US;
}

void online_ask(struct online *online, const struct config *config,
                void (*done)(bool online, void *context), void *context)
{
    const GPtrArray *addresses = config->agent.online;
    if (addresses->len == 0 || (!online->open && is_known(online))) {
        done(addresses->len == 0 || online->is_online, context);
        return;
    }
    if (!online->open)
        online->open = start_question(online, addresses);
    const struct waiter waiter = {done, context};
    g_array_append_val(online->open->waiters, waiter);
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

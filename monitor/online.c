// SPDX-License-Identifier: MIT
// Asked between a run that reached nothing and the watch: the answer is part of
// the run's result. Asked while calls wait, too, and what was found is remembered.
#include "online.h"

#include "../base/log.h"
#include "../probes/call_run.h"
#include "runtime.h"

#define ONLINE_TIMEOUT_MS 5000
#define LOOK_MS 1000
// How long an answer is good for others: shorter than a network takes to go or come.
#define ONLINE_HOLDS_US G_USEC_PER_SEC

struct waiter {
    struct clock_wall since;
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
    const struct runtime *runtime;
    const struct config *config;
    GPtrArray *questions;  // of struct question: those with calls in flight
    struct question *open; // not answered yet, or NULL
    struct clock_mono answered;
    bool is_online;           // as answered then
    struct clock_mono gone;   // when none answered last; us 0 for never
    struct clock_wall looked; // last, for calls that wait
    uv_timer_t timer;
};

static void question_free(void *data)
{
    struct question *question = data;
    g_ptr_array_unref(question->requests);
    g_clear_pointer(&question->waiters, g_array_unref);
    g_free(question);
}

static void on_look(uv_timer_t *timer);

struct online *online_new(const struct runtime *runtime)
{
    struct online *online = g_new0(struct online, 1);
    online->runtime = runtime;
    online->questions = g_ptr_array_new_with_free_func(question_free);
    online->is_online = true;
    online->looked = clock_wall_now();
    uv_timer_init(runtime->loop, &online->timer);
    online->timer.data = online;
    uv_timer_start(&online->timer, on_look, LOOK_MS, LOOK_MS);
    uv_unref((uv_handle_t *)&online->timer);
    return online;
}

static void on_timer_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void online_free(struct online *online)
{
    g_ptr_array_unref(online->questions);
    uv_close((uv_handle_t *)&online->timer, on_timer_closed);
}

void online_set_config(struct online *online, const struct config *config)
{
    online->config = config;
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

struct clock_wall online_in_doubt_since(const struct run_result *result)
{
    const struct step_result *step = run_result_decisive(result);
    guint count = step ? step->exchanges->len : 0;
    const struct exchange *last = count ? step->exchanges->pdata[count - 1] : NULL;
    return last ? last->started : result->started;
}

static int64_t quarters(struct clock_wall started, int64_t timeout_ms, struct clock_wall at)
{
    int64_t waited_ms = MAX(at.us - started.us, 0) / 1000;
    return MIN(waited_ms * 4 / MAX(timeout_ms, 1), 3);
}

bool online_is_due(struct clock_wall started, int64_t timeout_ms, struct clock_wall before,
                   struct clock_wall now)
{
    return quarters(started, timeout_ms, now) > quarters(started, timeout_ms, before);
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

bool online_was_gone(struct clock_mono gone, struct clock_mono now, int64_t waited_us)
{
    return gone.us != 0 && now.us - gone.us <= MAX(waited_us, 0);
}

static bool was_online(const struct online *online, struct clock_wall since)
{
    int64_t waited_us = clock_wall_now().us - since.us;
    return online->is_online && !online_was_gone(online->gone, clock_mono_now(), waited_us);
}

static void answer(struct question *question, bool is_online)
{
    struct online *online = question->online;
    log_change(online->is_online, is_online);
    online->open = NULL;
    online->is_online = is_online;
    online->answered = clock_mono_now();
    if (!is_online)
        online->gone = online->answered;
    g_autoptr(GArray) waiters = g_steal_pointer(&question->waiters);
    for (guint i = 0; i < waiters->len; i++) {
        const struct waiter *waiter = &g_array_index(waiters, struct waiter, i);
        waiter->done(was_online(online, waiter->since), waiter->context);
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
    if (question->outstanding == 0)
        g_ptr_array_remove_fast(question->online->questions, question);
}

static void start_question(struct online *online)
{
    const GPtrArray *addresses = online->config->agent.online;
    struct question *question = g_new0(struct question, 1);
    question->online = online;
    question->requests = g_ptr_array_new_with_free_func((GDestroyNotify)transfer_request_free);
    question->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    question->outstanding = addresses->len;
    online->open = question;
    g_ptr_array_add(online->questions, question);
    for (guint i = 0; i < addresses->len; i++) {
        struct transfer_request *request = transfer_request_new("HEAD", addresses->pdata[i]);
        request->timeout_ms = ONLINE_TIMEOUT_MS;
        request->max_body = 64 * 1024;
        transfer_request_complete(request);
        g_ptr_array_add(question->requests, request);
        transfer_start(online->runtime->engine->transfer, request, on_answer, question);
    }
}

static bool is_known(const struct online *online)
{
    return online->answered.us && clock_mono_now().us - online->answered.us < ONLINE_HOLDS_US;
}

// A look at the calls that wait.
struct look {
    struct clock_wall before, now;
    bool due;
};

static void look_at_call(const struct exchange *exchange, void *context)
{
    struct look *look = context;
    look->due |=
        online_is_due(exchange->started, exchange->request->timeout_ms, look->before, look->now);
}

static void on_look(uv_timer_t *timer)
{
    struct online *online = timer->data;
    struct look look = {.before = online->looked, .now = clock_wall_now()};
    online->looked = look.now;
    bool ended = !online->runtime->engine;
    if (ended || online->config->agent.online->len == 0 || online->open || is_known(online))
        return;
    call_run_foreach_waiting(online->runtime->engine, look_at_call, &look);
    if (look.due)
        start_question(online);
}

void online_ask(struct online *online, struct clock_wall since,
                void (*done)(bool online, void *context), void *context)
{
    bool configured = online->config->agent.online->len > 0;
    if (!configured || (!online->open && is_known(online))) {
        done(!configured || was_online(online, since), context);
        return;
    }
    if (!online->open)
        start_question(online);
    const struct waiter waiter = {since, done, context};
    g_array_append_val(online->open->waiters, waiter);
}

void online_excuse(struct run_result *result)
{
    result->online = false;
    result->state = VERDICT_UNKNOWN;
    g_free(result->problem);
    result->problem = g_strdup("the monitor's own network seems to be down, or to have been while "
                               "the call waited: none of the addresses of agent.online answered");
    g_clear_pointer(&result->fingerprint, g_free);
    g_clear_pointer(&result->failed_system, g_free);
    g_clear_pointer(&result->scope, g_free);
}

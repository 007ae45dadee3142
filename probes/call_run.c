// SPDX-License-Identifier: MIT
// One call of the configuration, performed: waits for its session and its slot,
// builds the request, follows redirects to where the system allows it, keeps
// cookies, and replays once where the session had expired.
#include "call_run.h"

#include "call_judge.h"
#include "call_redirect.h"
#include "judge_apart.h"
#include "request.h"

#include <string.h>

struct call_run {
    struct call_run_input input;
    struct call_run **handle;
    struct slot_ticket *ticket;
    struct transfer_request *request;
    struct exchange *exchange; // in flight; owned by outcome.exchanges
    struct transfer_call *transfer;
    GString *session_cookies; // redirects need them too; NULL where there is no session
    uint64_t session_stamp;
    struct call_outcome outcome;
    guint first;          // of the exchanges: the one that no redirect led to
    int redirected_by;    // status of the answer that led to `request`; 0 for none
    bool elsewhere;       // `request` goes to another host than the system's own
    bool became_get;      // it was a POST before the redirect
    bool began_elsewhere; // the call itself is addressed to another host
    bool waits_for_gate, waits_for_session, waits_for_go, replayed;
    bool judging; // in a thread
};

static void acquire_session(struct call_run *run);
static void send_request(struct call_run *run);

static bool has_session(const struct call_run *run)
{
    return run->input.session && !run->input.call->no_auth && !run->began_elsewhere;
}

static void release_slot(struct call_run *run)
{
    struct slot_ticket *ticket = g_steal_pointer(&run->ticket);
    slots_release(run->input.engine->slots, ticket);
}

// The slot is given back only after the outcome is judged: who is next must know of a refusal.
static void finish(struct call_run *run)
{
    struct call_outcome outcome = run->outcome;
    struct slots *slots = slots_ref(run->input.engine->slots); // may outlive the engine
    g_hash_table_remove(run->input.engine->calls, run);
    *run->handle = NULL;
    transfer_request_free(run->request);
    if (run->session_cookies)
        g_string_free(run->session_cookies, TRUE);
    run->input.done(&outcome, run->input.context);
    slots_release(slots, run->ticket);
    slots_free(slots);
    call_outcome_clear(&outcome);
    g_free(run);
}

static void finish_with_problem(struct call_run *run, const char *problem)
{
    run->outcome.problem = g_strdup(problem);
    finish(run);
}

// What became of this sending so far, for redirects.
static struct call_redirect redirect_of(const struct call_run *run)
{
    return (struct call_redirect){
        .system = run->input.system,
        .values = run->input.values,
        .redact = run->input.engine->redact,
        .key_header = run->input.key_header,
        .exchanges = run->outcome.exchanges,
        .first = run->first,
        .follow = run->input.call->follow,
        .login = run->input.run == NULL,
    };
}

// Credentials go to the system's own origin alone, and with calls that began there.
static bool is_ours(const struct call_run *run)
{
    const struct call_redirect redirect = redirect_of(run);
    return call_redirect_is_ours(&redirect, run->elsewhere);
}

static void add_cookies(struct call_run *run, struct transfer_request *request)
{
    g_autofree char *own =
        run->input.jar ? cookie_jar_header(run->input.jar, request->url, clock_wall_now()) : NULL;
    const GString *session = is_ours(run) ? run->session_cookies : NULL;
    if (!own && !session)
        return;
    g_autoptr(GString) all = g_string_new(session ? session->str : NULL);
    if (own)
        cookie_jar_merge(all, own);
    if (all->len)
        transfer_headers_add(request->headers, "Cookie", all->str);
}

static bool replay_after_expiry(struct call_run *run, const struct transfer_response *response)
{
    if (!has_session(run) || !is_ours(run) ||
        !run->input.session->is_expired(run->input.session_self, response, run->session_stamp,
                                        run->replayed) ||
        run->replayed)
        return false;
    run->replayed = true;
    run->first = run->outcome.exchanges->len;
    run->redirected_by = 0;
    run->became_get = false;
    release_slot(run);
    acquire_session(run);
    return true;
}

// The next request where the answer leads on; what is wrong with that is kept beside it.
static bool follow_redirect(struct call_run *run, int status)
{
    const struct call_redirect redirect = redirect_of(run);
    bool elsewhere = false;
    run->request = call_redirect_next(&redirect, &elsewhere, &run->exchange->unfollowed);
    if (!run->request)
        return false;
    run->elsewhere = elsewhere;
    add_cookies(run, run->request);
    if (call_redirect_is_circle(&redirect, run->request)) {
        run->exchange->unfollowed =
            g_strdup_printf("%d leads to %s, which was asked for before: the redirects go in a "
                            "circle",
                            status, run->request->url);
        g_clear_pointer(&run->request, transfer_request_free);
        return false;
    }
    run->redirected_by = status;
    run->became_get = call_redirect_became_get(&redirect, run->request);
    return true;
}

static void on_judged(struct verdict *verdict, void *context)
{
    struct call_run *run = context;
    run->outcome.verdict = verdict;
    finish(run);
}

// The loop does not wait for what takes long to judge: it would keep other flows from starting.
static void judge_and_finish(struct call_run *run)
{
    const struct judge_input input =
        call_judge_input(run->input.call, &run->outcome, run->input.system, run->input.values);
    run->judging = !run->input.ignored && judge_apart_is_due(&input);
    if (run->judging)
        judge_apart_start(run->input.engine->loop, &input, on_judged, run);
    else
        finish(run);
}

static void on_response(struct transfer_response *response, void *context)
{
    struct call_run *run = context;
    run->transfer = NULL;
    run->exchange->response = response;
    run->outcome.elapsed_ms += response->timing.total > 0 ? response->timing.total : 0;
    if (response->outcome == TRANSFER_CANCELLED) {
        finish(run);
        return;
    }
    if (run->input.jar)
        cookie_jar_store(run->input.jar, run->exchange->request->url, response->headers,
                         clock_wall_now());
    if (replay_after_expiry(run, response))
        return;
    if (follow_redirect(run, response->status))
        send_request(run);
    else
        judge_and_finish(run);
}

// What holds for one sending alone; false where the call has ended.
static bool sign_request(struct call_run *run)
{
    const struct call_run_input *input = &run->input;
    g_autoptr(GError) error = NULL;
    if (input->call->no_auth || !is_ours(run) ||
        request_sign(run->request, input->system, input->values, clock_wall_now(), &error))
        return true;
    finish_with_problem(run, error->message);
    return false;
}

static void send_request(struct call_run *run)
{
    struct clock_mono now = clock_mono_now();
    int64_t timeout_ms = run->input.timeout_ms;
    if (run->input.deadline.us) {
        int64_t left_ms = (run->input.deadline.us - now.us) / 1000;
        if (left_ms <= 0) {
            run->outcome.deadline_passed = true;
            finish(run);
            return;
        }
        timeout_ms = MIN(timeout_ms, left_ms);
    }
    run->request->timeout_ms = timeout_ms;
    if (!sign_request(run))
        return;
    run->exchange = exchange_new(g_steal_pointer(&run->request), clock_wall_now());
    run->exchange->elsewhere = run->elsewhere;
    run->exchange->redirected_by = run->redirected_by;
    run->exchange->became_get = run->became_get;
    g_ptr_array_add(run->outcome.exchanges, run->exchange);
    run->transfer =
        transfer_start(run->input.engine->transfer, run->exchange->request, on_response, run);
}

void call_run_go(struct call_run *run, const char *problem)
{
    run->waits_for_go = false;
    run->outcome.cut_off |= run->input.engine->cut;
    if (run->outcome.cut_off || run->outcome.deadline_passed) {
        finish(run);
    } else if (problem) {
        finish_with_problem(run, problem);
    } else {
        send_request(run);
    }
}

// Who may not call the system now: it is left alone.
static struct flow_gate_asker asker_of(const struct call_run *run)
{
    return (struct flow_gate_asker){
        .system = run->input.system,
        .timezone = run->input.engine->config->agent.timezone,
        .run = run->input.run,
        .flow = run->input.flow,
    };
}

static bool is_held_back(struct call_run *run)
{
    const struct flow_gate_asker asker = asker_of(run);
    if (!run->input.run)
        return false;
    run->outcome.problem =
        flow_gate_refusal(run->input.engine->gate, &asker, &run->outcome.held_until);
    return run->outcome.problem != NULL;
}

static void on_slot(void *context)
{
    struct call_run *run = context;
    if (is_held_back(run)) { // since it was asked for
        finish(run);
        return;
    }
    run->waits_for_go = true;
    if (run->input.before_send)
        run->input.before_send(run, run->request, run->input.context);
    else
        call_run_go(run, NULL);
}

// Where the call goes, as far as it can be told; false where it may not go there.
static bool find_destination(struct call_run *run, GError **error)
{
    const struct call_run_input *input = &run->input;
    enum reach reach =
        request_destination(input->call, input->system, input->values, clock_wall_now(), error);
    run->elsewhere = run->began_elsewhere = reach == REACH_ALLOWED;
    return reach != REACH_REFUSED;
}

static bool apply_session(struct call_run *run, struct transfer_request *request, GError **error)
{
    if (!run->session_cookies)
        run->session_cookies = g_string_new(NULL);
    g_string_truncate(run->session_cookies, 0); // of a session before this one
    return run->input.session->apply(run->input.session_self, request, run->session_cookies,
                                     &run->session_stamp, error);
}

// request_build and every kind of authentication that this system has.
static struct transfer_request *build_request(struct call_run *run, GError **error)
{
    const struct call_run_input *input = &run->input;
    struct clock_wall now = clock_wall_now();
    g_autoptr(transfer_request_t) request = NULL;
    if (find_destination(run, error))
        request = request_build(input->call, input->system, input->values, now, error);
    if (!request)
        return NULL;
    request->max_body = input->engine->config->agent.max_body;
    if (input->key_header)
        transfer_headers_add(request->headers, input->key_header, input->key);
    if (!input->call->no_auth && !run->began_elsewhere &&
        !request_authenticate(request, input->system, input->values, now, error))
        return NULL;
    if (has_session(run) && !apply_session(run, request, error))
        return NULL;
    add_cookies(run, request);
    return g_steal_pointer(&request);
}

// A value that may not stand in a header or an address, or that leads elsewhere.
static bool is_of_the_values(const GError *error)
{
    return g_error_matches(error, TEMPLATE_ERROR, TEMPLATE_ERROR_UNSAFE) ||
           g_error_matches(error, REQUEST_ERROR, REQUEST_ERROR_HEADER) ||
           g_error_matches(error, REQUEST_ERROR, REQUEST_ERROR_ORIGIN);
}

static enum slots_turn turn_of(const struct call_run_input *input)
{
    if (input->first)
        return SLOTS_TURN_FIRST;
    return input->last ? SLOTS_TURN_LAST : SLOTS_TURN_STEP;
}

static void build_and_send(struct call_run *run)
{
    g_autoptr(GError) error = NULL;
    run->request = build_request(run, &error);
    if (!run->request) {
        run->outcome.unsendable = is_of_the_values(error);
        finish_with_problem(run, error->message);
        return;
    }
    // An identity provider has no part in how much a system may be asked.
    const char *system = run->input.system->id;
    g_autofree char *provider =
        run->input.call->elsewhere ? g_strconcat("elsewhere for ", system, NULL) : NULL;
    slots_request(run->input.engine->slots, provider ? provider : system,
                  (unsigned)run->input.system->parallel, turn_of(&run->input), on_slot, run,
                  &run->ticket);
}

static void on_session(bool ok, void *context)
{
    struct call_run *run = context;
    run->waits_for_session = false;
    if (!ok) {
        run->outcome.login = run->input.session->failure(run->input.session_self);
        finish(run);
        return;
    }
    run->input.session->add_values(run->input.session_self, run->input.values);
    build_and_send(run);
}

static void acquire_session(struct call_run *run)
{
    if (has_session(run)) {
        const struct call_session_asker asker = {run->input.flow, run->input.run};
        run->waits_for_session = true;
        run->input.session->ensure(run->input.session_self, &asker, on_session, run);
    } else {
        build_and_send(run);
    }
}

static void on_leave(bool granted, void *context)
{
    struct call_run *run = context;
    run->waits_for_gate = false;
    if (!granted && is_held_back(run))
        finish(run);
    else
        acquire_session(run);
}

static void ask_leave(struct call_run *run)
{
    g_autoptr(GError) error = NULL;
    if (!find_destination(run, &error)) { // not even a login is sent for it
        run->outcome.unsendable = true;
        finish_with_problem(run, error->message);
        return;
    }
    const struct flow_gate_asker asker = asker_of(run);
    run->waits_for_gate = run->input.run != NULL;
    if (run->waits_for_gate)
        flow_gate_ask(run->input.engine->gate, &asker, on_leave, run);
    else
        acquire_session(run);
}

void call_run_start(const struct call_run_input *input, struct call_run **handle)
{
    struct call_run *run = g_new0(struct call_run, 1);
    run->input = *input;
    run->handle = handle;
    *handle = run;
    run->outcome.exchanges = g_ptr_array_new_with_free_func((GDestroyNotify)exchange_free);
    g_hash_table_add(input->engine->calls, run);
    ask_leave(run);
}

void call_run_foreach_waiting(const struct flow_engine *engine,
                              void (*visit)(const struct exchange *exchange, void *context),
                              void *context)
{
    GHashTableIter iterator;
    gpointer key;
    g_hash_table_iter_init(&iterator, engine->calls);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        const struct call_run *run = key;
        if (run->transfer)
            visit(run->exchange, context);
    }
}

void call_run_cancel(struct call_run *run, bool deadline_passed)
{
    if (run->judging)
        return; // on_judged follows
    if (run->transfer && (deadline_passed || run->input.kept))
        return; // its own timeout is no later
    run->outcome.deadline_passed = deadline_passed;
    run->outcome.cut_off = !deadline_passed;
    if (run->transfer) {
        transfer_cancel(run->transfer); // on_response follows
        return;
    }
    if (run->waits_for_go)
        return; // call_run_go follows
    if (run->waits_for_gate)
        flow_gate_withdraw(run->input.engine->gate, run->input.system->id, run);
    if (run->waits_for_session && deadline_passed) // it is the login that is late
        run->outcome.login = run->input.session->overdue(run->input.session_self, run);
    if (run->waits_for_session)
        run->input.session->withdraw(run->input.session_self, run);
    finish(run);
}

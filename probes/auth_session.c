// SPDX-License-Identifier: MIT
// One session for all flows of a system. A failed login is remembered for a
// short while, so that flows that start together do not each try the same
// password and lock the account.
#include "auth_session.h"

#include "../base/json.h"
#include "judge.h"

// How long a failed login answers for others; shorter than any sensible
// `confirm.after`, so that a confirming run tries anew.
#define FAILURE_HOLDS_US (INT64_C(10) * G_USEC_PER_SEC)

struct waiter {
    void (*done)(bool ok, void *context);
    void *context;
};

struct auth_session {
    struct flow_engine *engine;
    const struct config_system *system;
    const struct config_session *config;
    const struct secret_store *secrets;
    struct call_run *call;  // the login or logout in flight
    GPtrArray *waiting;     // of struct waiter
    struct values *values;  // of the present or last login
    struct cookie_jar *jar; // likewise
    bool ready;
    struct clock_mono since, used;
    struct step_result *failure; // the last login, where it failed
    struct clock_mono failed_at;
    void (*logged_out)(void *context);
    void *logged_out_context;
    bool forgotten; // its configuration is gone: freed once `call` has ended
};

static struct auth_session *session_new(struct flow_engine *engine,
                                        const struct config_system *system,
                                        const struct config_session *config)
{
    struct auth_session *session = g_new0(struct auth_session, 1);
    session->engine = engine;
    session->system = system;
    session->config = config;
    session->secrets = engine->config->secrets;
    session->waiting = g_ptr_array_new_with_free_func(g_free);
    return session;
}

// Renewed a little early: a session that ends while a call is under way fails it.
static bool is_usable(const struct auth_session *session, struct clock_mono now)
{
    if (!session->ready)
        return false;
    int64_t margin_us = INT64_C(5) * G_USEC_PER_SEC;
    int64_t idle_us = session->config->idle_ms * 1000, lasts_us = session->config->lasts_ms * 1000;
    if (idle_us && now.us - session->used.us > idle_us - MIN(margin_us, idle_us / 10))
        return false;
    return !lasts_us || now.us - session->since.us <= lasts_us - MIN(margin_us, lasts_us / 10);
}

static void answer_waiting(struct auth_session *session, bool ok)
{
    g_autoptr(GPtrArray) waiting = session->waiting;
    session->waiting = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < waiting->len; i++) {
        const struct waiter *waiter = waiting->pdata[i];
        if (waiter->done)
            waiter->done(ok, waiter->context);
    }
}

static void mark_captures_secret(struct auth_session *session)
{
    const GPtrArray *lists[] = {session->config->login->captures, session->config->login->set};
    for (guint i = 0; i < lists[0]->len + lists[1]->len; i++) {
        const char *name =
            i < lists[0]->len
                ? ((const struct capture *)lists[0]->pdata[i])->name
                : ((const struct call_field *)lists[1]->pdata[i - lists[0]->len])->name;
        const struct value *value = values_find(session->values, name);
        if (value && !value->secret)
            values_set(session->values, name, value_new(cJSON_Duplicate(value->json, true), true));
    }
}

static struct step_result *login_result(struct auth_session *session, struct call_outcome *outcome)
{
    struct step_result *result = step_result_new("log in", session->system->id);
    result->login = true;
    result->attempts = 1;
    result->duration_ms = outcome->elapsed_ms;
    g_ptr_array_unref(result->exchanges);
    result->exchanges = g_steal_pointer(&outcome->exchanges);
    return result;
}

static struct verdict *judge_login(struct auth_session *session, const struct call_outcome *outcome)
{
    const struct exchange *exchange = call_outcome_last(outcome);
    if (!exchange || !exchange->response)
        return judge_our_fault(outcome->problem ? outcome->problem : "the login was not sent");
    const struct judge_input input = {
        .call = session->config->login,
        .response = exchange->response,
        .url = exchange->request->url,
        .timeout_ms = exchange->request->timeout_ms,
        .elapsed_ms = outcome->elapsed_ms,
        .values = session->values,
        .now = clock_wall_now(),
    };
    return judge(&input);
}

// A session's cookies are as secret as its password.
static void redact_cookies(const struct auth_session *session)
{
    GPtrArray *names = session->config->cookies;
    g_autoptr(cJSON) cookies = cookie_jar_to_json(session->jar);
    const cJSON *cookie;
    cJSON_ArrayForEach(cookie, cookies)
    {
        const char *name = json_text(cookie, "name");
        if (names->len == 0 || g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            redact_add(session->engine->redact, json_text(cookie, "value"));
    }
}

static void session_free(struct auth_session *session);

static void tell_logged_out(struct auth_session *session)
{
    void (*logged_out)(void *context) = session->logged_out;
    session->logged_out = NULL;
    if (logged_out)
        logged_out(session->logged_out_context);
}

static void on_login(struct call_outcome *outcome, void *context)
{
    struct auth_session *session = context;
    if (session->forgotten) {
        session_free(session);
        return;
    }
    struct clock_mono now = clock_mono_now();
    struct verdict *verdict = judge_login(session, outcome);
    session->ready = verdict->class == VERDICT_CLASS_OK;
    session->since = session->used = now;
    step_result_free(session->failure);
    session->failure = login_result(session, outcome);
    session->failure->verdict = verdict;
    session->failure->state = session->ready  ? VERDICT_OK
                              : verdict->ours ? VERDICT_UNKNOWN
                                              : VERDICT_FAILED;
    session->failed_at = now;
    mark_captures_secret(session);
    values_redact(session->values, session->engine->redact);
    redact_cookies(session);
    answer_waiting(session, session->ready);
    tell_logged_out(session); // a login that was under way when all ended
}

static void log_in(struct auth_session *session)
{
    values_free(session->values);
    cookie_jar_free(session->jar);
    session->jar = cookie_jar_new();
    session->values = flow_engine_values(session->engine, session->secrets, session->system);
    const struct call *login = session->config->login;
    const struct call_run_input input = {
        .engine = session->engine,
        .call = login,
        .system = session->system,
        .values = session->values,
        .jar = session->jar,
        .first = true,
        .timeout_ms = login->timeout_ms ? login->timeout_ms : session->system->timeout_ms,
        .done = on_login,
        .context = session,
    };
    call_run_start(&input, &session->call);
}

static void session_ensure(void *self, void (*done)(bool ok, void *context), void *context)
{
    struct auth_session *session = self;
    struct clock_mono now = clock_mono_now();
    if (is_usable(session, now)) {
        session->used = now;
        done(true, context);
        return;
    }
    if (!session->call && session->failure && session->failure->state != VERDICT_OK &&
        now.us - session->failed_at.us < FAILURE_HOLDS_US) {
        done(false, context);
        return;
    }
    struct waiter *waiter = g_new(struct waiter, 1);
    *waiter = (struct waiter){done, context};
    g_ptr_array_add(session->waiting, waiter);
    session->ready = false;
    if (!session->call)
        log_in(session);
}

static void session_withdraw(void *self, void *context)
{
    struct auth_session *session = self;
    for (guint i = 0; i < session->waiting->len; i++) {
        struct waiter *waiter = session->waiting->pdata[i];
        if (waiter->context == context)
            waiter->done = NULL;
    }
}

static struct step_result *session_failure(const void *self)
{
    const struct auth_session *session = self;
    const struct step_result *failure = session->failure;
    struct step_result *copy = step_result_new(failure->step, failure->system);
    copy->state = failure->state;
    copy->attempts = failure->attempts;
    copy->verdict = verdict_copy(failure->verdict);
    g_ptr_array_unref(copy->exchanges);
    copy->exchanges = g_ptr_array_ref(failure->exchanges);
    copy->duration_ms = failure->duration_ms;
    copy->login = true;
    return copy;
}

static void add_named_cookies(struct auth_session *session, GString *cookies)
{
    const GPtrArray *names = session->config->cookies;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i], *value = cookie_jar_find(session->jar, name);
        if (value)
            g_string_append_printf(cookies, "%s%s=%s", cookies->len ? "; " : "", name, value);
    }
}

static bool session_apply(void *self, struct transfer_request *request, GString *cookies,
                          GError **error)
{
    struct auth_session *session = self;
    struct clock_wall now = clock_wall_now();
    struct template_context context = values_context(session->values, now);
    for (guint i = 0; i < session->config->headers->len; i++) {
        const struct call_field *field = session->config->headers->pdata[i];
        g_autofree char *value = template_render(field->value, &context, NULL, error);
        if (!value)
            return false;
        transfer_headers_add(request->headers, field->name, value);
    }
    add_named_cookies(session, cookies);
    if (session->config->cookies->len == 0) {
        g_autofree char *all = cookie_jar_header(session->jar, request->url, now);
        g_string_append(cookies, all ? all : "");
    }
    return true;
}

static bool session_is_expired(void *self, const struct transfer_response *response)
{
    struct auth_session *session = self;
    if (response->outcome != TRANSFER_ANSWERED || session->logged_out)
        return false;
    session->used = clock_mono_now();
    bool expired = response->status == 401;
    if (session->config->expired->len > 0) {
        const struct judge_input input = {
            .call = session->config->login,
            .response = response,
            .values = session->values,
            .now = clock_wall_now(),
        };
        expired = judge_holds(session->config->expired, &input);
    }
    if (expired)
        session->ready = false;
    return expired;
}

static void session_add_values(const void *self, struct values *values)
{
    const struct auth_session *session = self;
    const GPtrArray *captures = session->config->login->captures;
    for (guint i = 0; i < captures->len; i++) {
        const struct capture *capture = captures->pdata[i];
        const struct value *value = values_find(session->values, capture->name);
        g_autofree char *name = g_strconcat("login.", capture->name, NULL);
        if (value)
            values_set(values, name, value_new(cJSON_Duplicate(value->json, true), true));
    }
}

static const struct call_session session_hooks = {
    .ensure = session_ensure,
    .withdraw = session_withdraw,
    .apply = session_apply,
    .is_expired = session_is_expired,
    .failure = session_failure,
    .add_values = session_add_values,
};

static void on_logout(struct call_outcome *outcome, void *context)
{
    (void)outcome; // whatever the answer: the session is not used any more
    struct auth_session *session = context;
    if (session->forgotten) {
        session_free(session);
        return;
    }
    session->ready = false;
    tell_logged_out(session);
}

static void session_logout(struct auth_session *session, void (*done)(void *context), void *context)
{
    const struct call *logout = session->config->logout;
    session->logged_out = done;
    session->logged_out_context = context;
    if (session->call) { // nobody waits for this login any more
        call_run_cancel(session->call, false);
        return;
    }
    if (!logout || !is_usable(session, clock_mono_now())) {
        tell_logged_out(session);
        return;
    }
    const struct call_run_input input = {
        .engine = session->engine,
        .call = logout,
        .system = session->system,
        .values = session->values,
        .session = &session_hooks,
        .session_self = session,
        .timeout_ms = MIN(session->system->timeout_ms, 5000),
        .done = on_logout,
        .context = session,
    };
    call_run_start(&input, &session->call);
}

static void session_free(struct auth_session *session)
{
    if (session->call) {
        session->forgotten = true;
        call_run_cancel(session->call, false);
        return; // on_login or on_logout follows
    }
    g_ptr_array_unref(session->waiting);
    values_free(session->values);
    cookie_jar_free(session->jar);
    step_result_free(session->failure);
    g_free(session);
}

static const struct config_session *session_of(const struct config_system *system)
{
    for (guint i = 0; i < system->auth->len; i++) {
        const struct config_auth *auth = system->auth->pdata[i];
        if (auth->kind == CONFIG_AUTH_SESSION)
            return auth->session;
    }
    return NULL;
}

void auth_session_attach(struct call_run_input *input)
{
    struct flow_engine *engine = input->engine;
    if (!engine->sessions)
        engine->sessions = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                                 (GDestroyNotify)session_free);
    struct auth_session *session = g_hash_table_lookup(engine->sessions, input->system);
    const struct config_session *config = session ? NULL : session_of(input->system);
    if (config) {
        session = session_new(engine, input->system, config);
        g_hash_table_insert(engine->sessions, (gpointer)(uintptr_t)input->system, session);
    }
    input->session = session ? &session_hooks : NULL;
    input->session_self = session;
}

struct logout_round {
    void (*done)(void *context);
    void *context;
};

// The last logout, or whoever started them, has left the round.
static void end_round(void *data)
{
    const struct logout_round *round = data;
    round->done(round->context);
}

static void on_logged_out(void *context)
{
    g_rc_box_release_full(context, end_round);
}

void auth_session_logout_all(struct flow_engine *engine, void (*done)(void *), void *context)
{
    struct logout_round *round = g_rc_box_new(struct logout_round);
    g_autoptr(GList) sessions = engine->sessions ? g_hash_table_get_values(engine->sessions) : NULL;
    *round = (struct logout_round){done, context};
    for (GList *link = sessions; link; link = link->next)
        session_logout(link->data, on_logged_out, g_rc_box_acquire(round));
    on_logged_out(round);
}

static gboolean belongs_to(gpointer system, gpointer session, gpointer config)
{
    const struct config_system *own = system;
    (void)session;
    return g_hash_table_lookup(((const struct config *)config)->systems, own->id) == own;
}

void auth_session_forget(struct flow_engine *engine, const struct config *config)
{
    if (engine->sessions)
        g_hash_table_foreach_remove(engine->sessions, belongs_to, (gpointer)(uintptr_t)config);
}

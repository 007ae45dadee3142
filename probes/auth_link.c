// SPDX-License-Identifier: MIT
// One login, token or CSRF token for all flows of a system. A failed one is remembered for a
// short while, so that flows that start together do not each try the same password and lock
// the account.
#include "auth_link.h"

#include "../base/json.h"
#include "auth_token.h"
#include "call_judge.h"
#include "judge.h"

#include <string.h>

// How long a failed login answers for others.
#define FAILURE_HOLDS_US (INT64_C(10) * G_USEC_PER_SEC)
// A token that is refused right after it was given is not the cause: how long no other is asked
// for. Token servers count (Exact Online: 200 a day).
#define REFUSED_HOLDS_US (INT64_C(600) * G_USEC_PER_SEC)
// How long what was secret before is still looked for: longer than a run that may know it.
#define FORMER_KEPT_US (INT64_C(3600) * G_USEC_PER_SEC)
// A token server that is slower loses the answer, and with it a refresh token.
#define PRECIOUS_TIMEOUT_MS (INT64_C(30) * 1000)

struct waiter {
    void (*done)(bool ok, void *context);
    void *context;
};

// What one login gave.
struct gain {
    struct values *values;
    struct cookie_jar *jar;
    struct clock_mono until; // when it was replaced
};

struct auth_link {
    struct auth_link_input input;
    const struct config_session *config;
    const struct secret_store *secrets;
    struct auth_token *token; // of oauth2, else NULL
    struct call_run *call;    // the login or logout in flight
    bool busy;                // a login is under way, with or without a call
    GPtrArray *waiting;       // of struct waiter
    GHashTable *told;         // flow -> its run that the last login answered, or will answer
    struct gain *gain;        // what is used; NULL: nothing yet
    struct gain *trying;      // of the login under way
    GQueue *former;           // of struct gain
    GPtrArray *exchanges;     // of the login under way
    struct verdict *verdict;  // likewise
    double elapsed_ms;
    struct clock_mono began; // the login under way
    bool ready;
    uint64_t number; // of the login that it came from
    struct clock_mono since, used, refused;
    struct step_result *failure; // the last login, where it failed
    struct clock_mono failed_at;
    void (*ended)(void *context);
    void *ended_context;
    bool abandoned;
};

static void gain_free(void *data)
{
    struct gain *gain = data;
    if (!gain)
        return;
    values_free(gain->values);
    cookie_jar_free(gain->jar);
    g_free(gain);
}

struct auth_link *auth_link_new(const struct auth_link_input *input)
{
    struct auth_link *link = g_new0(struct auth_link, 1);
    link->input = *input;
    link->config = input->auth->session;
    link->secrets = input->engine->config->secrets;
    link->waiting = g_ptr_array_new_with_free_func(g_free);
    link->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    link->former = g_queue_new();
    if (link->config->oauth2)
        link->token = auth_token_new(input->engine, input->system, link->config);
    return link;
}

// Renewed a little early: a session that ends while a call is under way fails it.
static bool is_usable(const struct auth_link *link, struct clock_mono now)
{
    if (!link->ready)
        return false;
    if (link->token)
        return auth_token_is_fresh(link->token, now);
    int64_t margin_us = INT64_C(5) * G_USEC_PER_SEC;
    int64_t idle_us = link->config->idle_ms * 1000, lasts_us = link->config->lasts_ms * 1000;
    if (idle_us && now.us - link->used.us > idle_us - MIN(margin_us, idle_us / 10))
        return false;
    return !lasts_us || now.us - link->since.us <= lasts_us - MIN(margin_us, lasts_us / 10);
}

bool auth_link_is_usable(struct auth_link *link)
{
    struct clock_mono now = clock_mono_now();
    if (!is_usable(link, now))
        return false;
    link->used = now;
    return true;
}

// Those who wait now, not those who come while they are answered. The last one may end the link.
static void answer_waiting(struct auth_link *link, bool ok)
{
    g_autoptr(GPtrArray) waiting = g_ptr_array_ref(link->waiting);
    for (guint count = waiting->len; count > 0; count--) {
        g_autofree struct waiter *waiter = g_ptr_array_steal_index(waiting, 0);
        if (waiter->done)
            waiter->done(ok, waiter->context);
    }
}

/* What is secret. */

static void mark_captures_secret(const struct auth_link *link, struct values *values)
{
    const GPtrArray *lists[] = {link->config->login->captures, link->config->login->set};
    for (guint i = 0; i < lists[0]->len + lists[1]->len; i++) {
        const char *name =
            i < lists[0]->len
                ? ((const struct capture *)lists[0]->pdata[i])->name
                : ((const struct call_field *)lists[1]->pdata[i - lists[0]->len])->name;
        const struct value *value = values_find(values, name);
        if (value && !value->secret)
            values_set(values, name, value_new(cJSON_Duplicate(value->json, true), true));
    }
}

// A session's cookies are as secret as its password.
static void redact_cookies(const struct auth_link *link, const struct cookie_jar *jar,
                           struct redact *redact)
{
    GPtrArray *names = link->config->cookies;
    g_autoptr(cJSON) cookies = cookie_jar_to_json(jar);
    const cJSON *cookie;
    cJSON_ArrayForEach(cookie, cookies)
    {
        const char *name = json_text(cookie, "name");
        if (names->len == 0 || g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
            redact_add(redact, json_text(cookie, "value"));
    }
}

static void redact_gain(const struct auth_link *link, const struct gain *gain,
                        struct redact *redact)
{
    if (!gain)
        return;
    values_redact(gain->values, redact);
    redact_cookies(link, gain->jar, redact);
}

void auth_link_redact(const struct auth_link *link, struct redact *redact)
{
    redact_gain(link, link->gain, redact);
    redact_gain(link, link->trying, redact);
    for (const GList *item = link->former->head; item; item = item->next)
        redact_gain(link, item->data, redact);
}

// Puts what was used until now among the former ones. True where one of those was dropped: the
// set of secrets is then made anew, so that it does not grow for ever.
static bool retire(struct auth_link *link, struct gain *gain)
{
    struct clock_mono now = clock_mono_now();
    bool dropped = false;
    if (gain) {
        gain->until = now;
        g_queue_push_tail(link->former, gain);
    }
    for (struct gain *first = g_queue_peek_head(link->former);
         first && now.us - first->until.us > FORMER_KEPT_US;
         first = g_queue_peek_head(link->former)) {
        gain_free(g_queue_pop_head(link->former));
        dropped = true;
    }
    return dropped;
}

static void learn_secrets(struct auth_link *link)
{
    struct flow_engine *engine = link->input.engine;
    mark_captures_secret(link, link->trying->values);
    redact_gain(link, link->trying, engine->redact);
}

/* A login. */

// What a person reads in the mail, as the ERP is not to blame.
static char *blame_provider(const struct auth_link *link, const GPtrArray *exchanges)
{
    const struct exchange *last = exchanges->len ? exchanges->pdata[exchanges->len - 1] : NULL;
    if (!link->token || !last)
        return NULL;
    g_autoptr(GUri) uri = g_uri_parse(last->request->url, G_URI_FLAGS_PARSE_RELAXED, NULL);
    return g_strdup_printf("It is the identity provider %s that gives no token; the system itself "
                           "was not asked.",
                           uri ? g_uri_get_host(uri) : "");
}

static void keep_failure(struct auth_link *link, struct verdict *verdict)
{
    struct step_result *result = step_result_new(link->config->step, link->input.system->id);
    result->login = true;
    result->attempts = 1;
    result->duration_ms = link->elapsed_ms;
    g_ptr_array_unref(result->exchanges);
    result->exchanges = g_steal_pointer(&link->exchanges);
    result->verdict = verdict;
    result->state = verdict->class == VERDICT_CLASS_OK ? VERDICT_OK
                    : verdict->ours                    ? VERDICT_UNKNOWN
                                                       : VERDICT_FAILED;
    result->means = blame_provider(link, result->exchanges);
    step_result_free(link->failure);
    link->failure = result;
    link->failed_at = clock_mono_now();
}

static void tell_ended(struct auth_link *link)
{
    void (*ended)(void *context) = link->ended;
    link->ended = NULL;
    if (ended)
        ended(link->ended_context);
}

// What is under way has ended; the last thing that is done with the link, as whoever waits may
// be the last to need it.
static void become_idle(struct auth_link *link, bool ok)
{
    link->busy = false;
    if (link->ended)
        tell_ended(link); // nobody waits any more
    else if (link->abandoned)
        link->input.idle(link->input.row);
    else
        answer_waiting(link, ok);
}

// The login is over; its gain is used from now on where it is a good one.
static void conclude(struct auth_link *link, bool ok)
{
    learn_secrets(link);
    struct gain *gain = g_steal_pointer(&link->trying);
    struct gain *former = gain;
    if (ok) {
        former = link->gain;
        link->gain = gain;
        link->number = ++*link->input.count;
        g_hash_table_remove_all(link->told);
        link->since = link->used = clock_mono_now();
    }
    link->ready = ok;
    if (retire(link, former) && !link->abandoned)
        link->input.forgot(link->input.row);
    g_clear_pointer(&link->exchanges, g_ptr_array_unref);
    become_idle(link, ok);
}

static void conclude_with(struct auth_link *link, struct verdict *verdict)
{
    bool ok = verdict->class == VERDICT_CLASS_OK;
    keep_failure(link, verdict);
    conclude(link, ok);
}

static struct verdict *judge_login(const struct auth_link *link, const struct call_outcome *outcome,
                                   const struct exchange *exchange)
{
    if (outcome->problem && outcome->unsendable)
        return judge_unsendable(outcome->problem);
    if (!exchange || !exchange->response)
        return judge_our_fault(outcome->problem ? outcome->problem : "the login was not sent");
    return call_judge_answer(link->config->login, outcome, link->input.system,
                             link->trying->values);
}

static void log_in(struct auth_link *link);

static void on_token(enum auth_token_state state, const char *problem, void *context)
{
    struct auth_link *link = context;
    struct verdict *verdict = g_steal_pointer(&link->verdict);
    if (state == AUTH_TOKEN_ASK) {
        verdict_free(verdict);
        log_in(link);
        return;
    }
    if (problem || state == AUTH_TOKEN_READY) {
        verdict_free(verdict);
        verdict = problem ? judge_our_fault(problem) : verdict_new();
    }
    if (!verdict)
        verdict = judge_our_fault("the token was not asked for");
    conclude_with(link, verdict);
}

static void on_login(struct call_outcome *outcome, void *context)
{
    struct auth_link *link = context;
    const struct exchange *last = call_outcome_last(outcome);
    struct verdict *verdict = judge_login(link, outcome, last);
    const struct transfer_response *response = last ? last->response : NULL;
    while (outcome->exchanges->len > 0)
        g_ptr_array_add(link->exchanges, g_ptr_array_steal_index(outcome->exchanges, 0));
    link->elapsed_ms += outcome->elapsed_ms;
    if (outcome->login) { // one before it failed
        verdict_free(verdict);
        step_result_free(link->failure);
        link->failure = g_steal_pointer(&outcome->login);
        link->failed_at = clock_mono_now();
        conclude(link, false);
    } else if (link->token) {
        link->verdict = verdict;
        auth_token_answer(link->token, response, verdict, on_token, link);
    } else {
        conclude_with(link, verdict);
    }
}

static int64_t login_timeout_ms(const struct auth_link *link)
{
    const struct call *login = link->config->login;
    int64_t timeout_ms = login->timeout_ms ? login->timeout_ms : link->input.system->timeout_ms;
    bool precious = link->token && auth_token_is_precious(link->token);
    return precious ? MAX(timeout_ms, PRECIOUS_TIMEOUT_MS) : timeout_ms;
}

static void log_in(struct auth_link *link)
{
    const struct call_run_input input = {
        .engine = link->input.engine,
        .call = link->config->login,
        .system = link->input.system,
        .values = link->trying->values,
        .jar = link->trying->jar,
        .session = link->input.before ? link->input.hooks : NULL,
        .session_self = link->input.before,
        .first = true,
        .kept = link->token && auth_token_is_precious(link->token),
        .timeout_ms = login_timeout_ms(link),
        .done = on_login,
        .context = link,
    };
    call_run_start(&input, &link->call);
}

static void begin(struct auth_link *link)
{
    link->busy = true;
    link->ready = false;
    link->elapsed_ms = 0;
    link->began = clock_mono_now();
    link->exchanges = g_ptr_array_new_with_free_func((GDestroyNotify)exchange_free);
    link->trying = g_new0(struct gain, 1);
    link->trying->jar = cookie_jar_new();
    link->trying->values =
        flow_engine_values(link->input.engine, link->secrets, link->input.system);
    if (link->token)
        auth_token_prepare(link->token, link->trying->values, on_token, link);
    else
        log_in(link);
}

static bool failed_lately(const struct auth_link *link)
{
    return !link->busy && link->failure && link->failure->state != VERDICT_OK &&
           clock_mono_now().us - link->failed_at.us < FAILURE_HOLDS_US;
}

// True where it answered an earlier run of the flow: it would confirm itself.
static bool has_told(const struct auth_link *link, const struct call_session_asker *asker)
{
    const char *run = asker->flow ? g_hash_table_lookup(link->told, asker->flow) : NULL;
    return run && g_strcmp0(run, asker->run) != 0;
}

static void note_told(struct auth_link *link, const struct call_session_asker *asker)
{
    if (asker->flow)
        g_hash_table_insert(link->told, g_strdup(asker->flow), g_strdup(asker->run));
}

void auth_link_ensure(struct auth_link *link, const struct call_session_asker *asker,
                      void (*done)(bool ok, void *context), void *context)
{
    if (!link->busy && auth_link_is_usable(link)) {
        done(true, context);
        return;
    }
    if (failed_lately(link) && !has_told(link, asker)) {
        note_told(link, asker);
        done(false, context);
        return;
    }
    struct waiter *waiter = g_new(struct waiter, 1);
    *waiter = (struct waiter){done, context};
    g_ptr_array_add(link->waiting, waiter);
    bool is_first = !link->busy;
    if (is_first)
        g_hash_table_remove_all(link->told);
    note_told(link, asker);
    if (is_first)
        begin(link);
}

void auth_link_withdraw(struct auth_link *link, void *context)
{
    for (guint i = 0; i < link->waiting->len; i++) {
        struct waiter *waiter = link->waiting->pdata[i];
        if (waiter->context == context)
            waiter->done = NULL;
    }
}

struct step_result *auth_link_failure(const struct auth_link *link)
{
    const struct step_result *failure = link->failure;
    struct step_result *copy = step_result_new(failure->step, failure->system);
    copy->state = failure->state;
    copy->attempts = failure->attempts;
    copy->verdict = verdict_copy(failure->verdict);
    g_ptr_array_unref(copy->exchanges);
    copy->exchanges = g_ptr_array_ref(failure->exchanges);
    copy->duration_ms = failure->duration_ms;
    copy->login = true;
    copy->means = g_strdup(failure->means);
    return copy;
}

struct step_result *auth_link_overdue(const struct auth_link *link)
{
    struct step_result *result = step_result_new(link->config->step, link->input.system->id);
    int64_t waited_ms = (clock_mono_now().us - link->began.us) / 1000;
    result->login = true;
    result->attempts = 1;
    result->duration_ms = (double)waited_ms;
    result->verdict = judge_overdue(waited_ms);
    result->state = VERDICT_FAILED;
    return result;
}

/* A call that uses it. */

bool auth_link_apply(struct auth_link *link, struct transfer_request *request, GError **error)
{
    struct template_context context = values_context(link->gain->values, clock_wall_now());
    for (guint i = 0; i < link->config->headers->len; i++) {
        const struct call_field *field = link->config->headers->pdata[i];
        g_autofree char *value = template_render(field->value, &context, NULL, error);
        if (!value)
            return false;
        transfer_headers_add(request->headers, field->name, value);
    }
    if (link->token && !transfer_headers_find(request->headers, "Authorization")) {
        g_autofree char *value = g_strconcat("Bearer ", auth_token_text(link->token), NULL);
        transfer_headers_add(request->headers, "Authorization", value);
    }
    return true;
}

void auth_link_add_cookies(const struct auth_link *link, const char *url, GString *cookies)
{
    const GPtrArray *names = link->config->cookies;
    g_autoptr(GString) own = g_string_new(NULL);
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i], *value = cookie_jar_find(link->gain->jar, name);
        if (value)
            g_string_append_printf(own, "%s%s=%s", own->len ? "; " : "", name, value);
    }
    if (names->len == 0) {
        g_autofree char *all = cookie_jar_header(link->gain->jar, url, clock_wall_now());
        g_string_append(own, all ? all : "");
    }
    cookie_jar_merge(cookies, own->str);
}

// S/4HANA says so in a header, others in their text, each in its language.
static bool names_csrf(const struct transfer_response *response, const char *header)
{
    const char *value = transfer_headers_find(response->headers, header);
    if (value && g_ascii_strcasecmp(value, "required") == 0)
        return true;
    gsize length = 0;
    const char *body = g_bytes_get_data(response->body, &length);
    g_autofree char *text = g_utf8_make_valid(body ? body : "", (gssize)MIN(length, 4096));
    return g_regex_match_simple("[cx]srf", text, G_REGEX_CASELESS, 0);
}

static bool says_expired(const struct auth_link *link, const struct transfer_response *response)
{
    if (link->config->expired->len > 0) {
        const struct judge_input input = {
            .call = link->config->login,
            .response = response,
            .values = link->gain->values,
            .now = clock_wall_now(),
        };
        return judge_holds(link->config->expired, &input);
    }
    if (link->input.auth->kind == CONFIG_AUTH_CSRF) {
        const struct call_field *header = link->config->headers->pdata[0];
        return response->status == 403 && names_csrf(response, header->name);
    }
    return response->status == 401;
}

// A token that was refused right after it was given stays: another one would be refused too.
static bool drop_token(struct auth_link *link, bool replayed)
{
    struct clock_mono now = clock_mono_now();
    if (replayed) {
        link->refused = now;
        return true;
    }
    if (link->refused.us && now.us - link->refused.us < REFUSED_HOLDS_US)
        return false;
    auth_token_refuse(link->token);
    link->ready = false;
    return true;
}

bool auth_link_is_expired(struct auth_link *link, const struct transfer_response *response,
                          uint64_t stamp, bool replayed)
{
    if (response->outcome != TRANSFER_ANSWERED || link->ended || !link->gain)
        return false;
    link->used = clock_mono_now();
    if (!says_expired(link, response)) {
        if (response->status < 400)
            link->refused.us = 0;
        return false;
    }
    if (link->number > stamp)
        return true; // it was renewed since
    if (link->token)
        return drop_token(link, replayed);
    link->ready = false;
    return true;
}

void auth_link_drop(struct auth_link *link)
{
    link->ready = false;
}

static void add_value(const struct auth_link *link, const char *name, struct values *values)
{
    const struct value *value = values_find(link->gain->values, name);
    g_autofree char *known_as = g_strconcat("login.", name, NULL);
    if (value)
        values_set(values, known_as, value_new(cJSON_Duplicate(value->json, true), true));
}

void auth_link_add_values(const struct auth_link *link, struct values *values)
{
    const struct call *login = link->config->login;
    for (guint i = 0; i < login->captures->len; i++)
        add_value(link, ((const struct capture *)login->captures->pdata[i])->name, values);
    for (guint i = 0; i < login->set->len; i++)
        add_value(link, ((const struct call_field *)login->set->pdata[i])->name, values);
}

/* The end. */

static void on_logout(struct call_outcome *outcome, void *context)
{
    (void)outcome; // whatever the answer: the session is not used any more
    struct auth_link *link = context;
    link->ready = false;
    become_idle(link, false);
}

static void on_rescued(enum auth_token_state state, const char *problem, void *context)
{
    (void)state;
    (void)problem;
    become_idle(context, false);
}

// What is under way is ended; a refresh token that was not kept yet is, if that can be.
static void stop(struct auth_link *link)
{
    if (!link->busy && link->token && auth_token_is_unsaved(link->token)) {
        link->busy = true;
        auth_token_rescue(link->token, on_rescued, link);
        return;
    }
    if (link->call)
        call_run_cancel(link->call, false);
    else if (link->token)
        auth_token_hurry(link->token);
}

void auth_link_end(struct auth_link *link, void (*done)(void *context), void *context)
{
    const struct call *logout = link->config->logout;
    link->ended = done;
    link->ended_context = context;
    bool was_busy = link->busy;
    stop(link);
    if (was_busy || link->busy)
        return; // nobody waits for this login any more
    if (!logout || !is_usable(link, clock_mono_now())) {
        tell_ended(link);
        return;
    }
    const struct call_run_input input = {
        .engine = link->input.engine,
        .call = logout,
        .system = link->input.system,
        .values = link->gain->values,
        .session = link->input.hooks,
        .session_self = link->input.upto,
        .timeout_ms = MIN(link->input.system->timeout_ms, 5000),
        .ignored = true,
        .done = on_logout,
        .context = link,
    };
    link->busy = true;
    call_run_start(&input, &link->call);
}

void auth_link_abandon(struct auth_link *link)
{
    link->abandoned = true;
    stop(link);
}

bool auth_link_is_busy(const struct auth_link *link)
{
    return link->busy;
}

void auth_link_free(struct auth_link *link)
{
    auth_token_free(link->token);
    g_ptr_array_unref(link->waiting);
    g_hash_table_unref(link->told);
    gain_free(link->gain);
    g_queue_free_full(link->former, gain_free);
    step_result_free(link->failure);
    g_free(link);
}

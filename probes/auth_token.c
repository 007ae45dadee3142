// SPDX-License-Identifier: MIT
// The access token of a system. A refresh token that a server exchanges at each use must not
// be lost, so: nobody else uses the token meanwhile (the store's lock), that it is about to be
// used is kept before it is sent, and the next one is kept before anything that came with it
// is used. What stays open: killed after the server has exchanged it and before the answer was
// read, nobody knows the next one; then the former is sent again, which some servers accept.
#include "auth_token.h"

#include "../base/encode.h"
#include "../base/ids.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/wipe.h"
#include "../config/config_oauth2.h"
#include "auth_assertion.h"
#include "token_answer.h"

#include <string.h>

// How long another process may take to renew a token that both use.
#define PATIENCE_MS (INT64_C(60) * 1000)

// Where renewing fails while the token still holds: how long until the next try.
#define AGAIN_US (INT64_C(10) * G_USEC_PER_SEC)

struct auth_token {
    struct flow_engine *engine;
    const struct config_system *system;
    const struct config_session *session;
    char *seed;    // the refresh token of the configuration
    char *key;     // of the store
    char *purpose; // digest of what is sent to get one
    struct token_record *record;
    struct clock_mono renew, end; // of the access token; us 0: not known
    bool held;                    // the token of the store is ours
    bool unsaved;                 // it holds a refresh token that could not be kept yet
    bool waiting;                 // for another process
    bool former_sent;             // in this login
    char *refused;                // the access token that the system refuses
    struct values *values;        // of the present login
    auth_token_done done;
    void *context;
};

struct auth_token *auth_token_new(struct flow_engine *engine, const struct config_system *system,
                                  const struct config_session *session)
{
    struct auth_token *token = g_new0(struct auth_token, 1);
    token->engine = engine;
    token->system = system;
    token->session = session;
    token->record = token_record_copy(NULL);
    return token;
}

static const struct config_oauth2 *settings(const struct auth_token *token)
{
    return token->session->oauth2;
}

static void give_back(struct auth_token *token)
{
    const struct token_store *store = token->engine->tokens;
    if (token->held && !token->unsaved)
        store->close(store->self, token->key);
    token->held = token->held && token->unsaved;
}

static void finish(struct auth_token *token, enum auth_token_state state, const char *problem)
{
    if (state != AUTH_TOKEN_ASK)
        give_back(token);
    if (state == AUTH_TOKEN_READY)
        values_set_text(token->values, "access_token", token->record->access, true);
    token->done(state, problem, token->context);
}

static void fail(struct auth_token *token, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(struct auth_token *token, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    finish(token, AUTH_TOKEN_FAILED, sentence);
}

// True while the token can still be used.
static bool is_alive(const struct auth_token *token, struct clock_mono now)
{
    const char *access = token->record->access;
    return access && !token->unsaved && g_strcmp0(access, token->refused) != 0 &&
           (token->end.us == 0 || now.us < token->end.us);
}

bool auth_token_is_fresh(const struct auth_token *token, struct clock_mono now)
{
    return is_alive(token, now) && (token->renew.us == 0 || now.us < token->renew.us);
}

// When the token of the record is to be renewed, in the time that no one sets.
static void set_times(struct auth_token *token)
{
    const struct token_record *record = token->record;
    int64_t now_us = clock_mono_now().us, wall_us = clock_wall_now().us;
    int64_t lifetime_us = record->access_until.us - record->obtained.us;
    token->renew.us = token->end.us = 0;
    if (record->access_until.us == 0)
        return;
    int64_t left_us = MIN(record->access_until.us - wall_us, lifetime_us);
    token->end.us = now_us + left_us;
    token->renew.us = token->end.us - token_answer_margin_us(lifetime_us);
}

// What the form and the address say, but for what is new each time.
static bool describe_purpose(struct auth_token *token, const struct template_context *context,
                             GString *text, GError **error)
{
    const struct call *call = token->session->login;
    g_autofree char *url = template_render(call->path, context, NULL, error);
    if (!url)
        return false;
    g_string_append(text, url);
    for (guint i = 0; i < call->form->len; i++) {
        const struct call_field *field = call->form->pdata[i];
        if (strstr(template_source(field->value), "{{oauth2."))
            continue;
        g_autofree char *value = template_render(field->value, context, NULL, error);
        if (!value)
            return false;
        g_string_append_printf(text, "\n%s=%s", field->name, value);
    }
    return true;
}

static bool render(const struct template *template, const struct template_context *context,
                   char **text, GError **error)
{
    *text = template ? template_render(template, context, NULL, error) : NULL;
    return !template || *text;
}

static char *encode_pair(const char *id, const char *secret)
{
    g_autoptr(GString) pair = g_string_new(NULL);
    encode_form(pair, id, strlen(id));
    g_string_append_c(pair, ':');
    encode_form(pair, secret, strlen(secret));
    return g_base64_encode((const guchar *)pair->str, pair->len);
}

// RFC 6749 section 2.3.1: both are form-encoded before they become HTTP Basic.
static bool add_basic(struct auth_token *token, const struct template_context *context,
                      GString *text, GError **error)
{
    g_autofree char *id = NULL, *secret = NULL;
    if (!settings(token)->basic)
        return true;
    if (!render(settings(token)->client_id, context, &id, error) ||
        !render(settings(token)->client_secret, context, &secret, error))
        return false;
    g_autofree char *pair = encode_pair(id ? id : "", secret ? secret : "");
    g_autofree char *header = g_strconcat("Basic ", pair, NULL);
    values_set_text(token->values, CONFIG_OAUTH2_AUTHORIZATION, header, true);
    g_string_append_printf(text, "\n%s", pair);
    return true;
}

// Which token this is: a refresh token is one, whoever uses it; others are what is sent for them.
static bool identify(struct auth_token *token, GError **error)
{
    struct template_context context = values_context(token->values, clock_wall_now());
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *seed = NULL;
    if (!describe_purpose(token, &context, text, error) ||
        !add_basic(token, &context, text, error) ||
        !render(settings(token)->refresh_token, &context, &seed, error))
        return false;
    if (token->key)
        return true;
    token->purpose = ids_hash(26, "token", text->str, NULL);
    token->key = seed && settings(token)->refresh ? ids_hash(26, "refresh", seed, NULL)
                                                  : ids_hash(26, "client", token->purpose, NULL);
    token->seed = g_steal_pointer(&seed);
    return true;
}

static const char *present_refresh(const struct auth_token *token)
{
    return token->record->refresh ? token->record->refresh : token->seed;
}

static void save(struct auth_token *token, token_store_saved done)
{
    const struct token_store *store = token->engine->tokens;
    store->save(store->self, token->key, token->record, done, token);
}

static void on_intent_kept(const char *problem, void *context)
{
    struct auth_token *token = context;
    if (problem)
        fail(token, "a new refresh token could not be kept, so none was asked for: %s", problem);
    else
        finish(token, AUTH_TOKEN_ASK, NULL);
}

static bool add_assertion(struct auth_token *token, GError **error)
{
    if (!settings(token)->assertion)
        return true;
    g_autofree char *assertion =
        auth_assertion_make(token->session, token->values, clock_wall_now(), error);
    if (assertion)
        values_set_text(token->values, CONFIG_OAUTH2_ASSERTION, assertion, true);
    return assertion;
}

static void prepare_call(struct auth_token *token)
{
    g_autoptr(GError) error = NULL;
    if (!add_assertion(token, &error)) {
        fail(token, "%s", error->message);
        return;
    }
    token->former_sent = false;
    if (!settings(token)->refresh) {
        finish(token, AUTH_TOKEN_ASK, NULL);
        return;
    }
    values_set_text(token->values, CONFIG_OAUTH2_REFRESH_TOKEN, present_refresh(token), true);
    token->record->asking = clock_wall_now();
    save(token, on_intent_kept);
}

static void use_or_ask(struct auth_token *token)
{
    if (auth_token_is_fresh(token, clock_mono_now()))
        finish(token, AUTH_TOKEN_READY, NULL);
    else
        prepare_call(token);
}

static void on_open(const struct token_record *record, const char *problem, void *context)
{
    struct auth_token *token = context;
    token->waiting = false;
    if (problem && settings(token)->refresh) {
        fail(token, "%s", problem);
        return;
    }
    token->held = !problem;
    if (record) {
        token_record_free(token->record);
        token->record = token_record_copy(record);
        set_times(token);
    }
    if (g_strcmp0(token->record->purpose, token->purpose) != 0)
        g_clear_pointer(&token->record->access, g_free);
    use_or_ask(token);
}

static void fail_unsaved(struct auth_token *token, const char *problem)
{
    fail(token,
         "the new refresh token could not be kept, so nothing is done with the access token that "
         "came with it: %s",
         problem);
}

static void on_late_kept(const char *problem, void *context)
{
    struct auth_token *token = context;
    if (problem) {
        fail_unsaved(token, problem);
        return;
    }
    token->unsaved = false;
    use_or_ask(token);
}

void auth_token_prepare(struct auth_token *token, struct values *values, auth_token_done done,
                        void *context)
{
    const struct token_store *store = token->engine->tokens;
    g_autoptr(GError) error = NULL;
    token->values = values;
    token->done = done;
    token->context = context;
    if (!identify(token, &error)) {
        fail(token, "%s", error->message);
    } else if (token->unsaved) {
        save(token, on_late_kept);
    } else if (store) {
        token->waiting = true;
        store->open(store->self, token->key, PATIENCE_MS, on_open, token);
    } else if (settings(token)->refresh) {
        fail(token,
             "the refresh token of the system %s is not used without a store: the server may "
             "exchange it for another one, which has to be kept",
             token->system->id);
    } else {
        prepare_call(token);
    }
}

void auth_token_hurry(struct auth_token *token)
{
    const struct token_store *store = token->engine->tokens;
    if (token->waiting)
        store->abandon(store->self, token);
}

/* The answer. */

static void replace(char **text, char **by)
{
    wipe_text(*text);
    *text = g_steal_pointer(by);
}

static void on_answer_kept(const char *problem, void *context)
{
    struct auth_token *token = context;
    token->unsaved = token->unsaved && problem;
    set_times(token);
    if (token->unsaved)
        fail_unsaved(token, problem);
    else
        finish(token, AUTH_TOKEN_READY, NULL);
}

// A refresh token takes the place of the one that was sent.
static void take_refresh(struct auth_token *token, struct token_answer *answer)
{
    struct token_record *record = token->record;
    const struct value *sent = values_find(token->values, CONFIG_OAUTH2_REFRESH_TOKEN);
    if (!answer->refresh || !sent || strcmp(answer->refresh, sent->json->valuestring) == 0)
        return;
    char *former = g_strdup(sent->json->valuestring);
    values_set_text(token->values, "oauth2.next", answer->refresh, true);
    replace(&record->former, &former);
    replace(&record->refresh, &answer->refresh);
    token->unsaved = token->held;
}

static void keep_answer(struct auth_token *token, struct token_answer *answer)
{
    struct token_record *record = token->record;
    take_refresh(token, answer);
    replace(&record->access, &answer->access);
    g_free(record->purpose);
    record->purpose = g_strdup(token->purpose);
    record->obtained = clock_wall_now();
    record->asking = (struct clock_wall){0};
    record->access_until.us =
        answer->expires_in_s ? record->obtained.us + answer->expires_in_s * G_USEC_PER_SEC : 0;
    if (token->held)
        save(token, on_answer_kept);
    else
        on_answer_kept(NULL, token);
}

// The answer is of no use for now. One that came before may still be.
static void finish_failed(struct auth_token *token)
{
    struct clock_mono now = clock_mono_now();
    if (!is_alive(token, now)) {
        finish(token, AUTH_TOKEN_FAILED, NULL);
        return;
    }
    token->renew.us = now.us + AGAIN_US;
    finish(token, AUTH_TOKEN_READY, NULL);
}

static void on_refusal_kept(const char *problem, void *context)
{
    struct auth_token *token = context;
    // a row that says that an answer is due does no harm
    token->unsaved = token->unsaved && problem;
    finish_failed(token);
}

static void on_former_noted(const char *problem, void *context)
{
    struct auth_token *token = context;
    if (problem)
        finish_failed(token);
    else
        finish(token, AUTH_TOKEN_ASK, NULL);
}

// Once, and that it was tried is kept before.
static bool send_former(struct auth_token *token, const struct transfer_response *response)
{
    struct token_record *record = token->record;
    if (!token->held || token->former_sent || !record->former ||
        !token_answer_refuses_refresh(response))
        return false;
    token->former_sent = true;
    values_set_text(token->values, CONFIG_OAUTH2_REFRESH_TOKEN, record->former, true);
    g_clear_pointer(&record->former, g_free);
    record->asking = clock_wall_now();
    save(token, on_former_noted);
    return true;
}

static void take_refusal(struct auth_token *token, const struct transfer_response *response)
{
    if (send_former(token, response))
        return;
    if (token_answer_is_too_early(response))
        g_clear_pointer(&token->refused, g_free); // it is not the token: the call says why
    if (token->held && settings(token)->refresh && token_answer_is_refusal(response)) {
        token->record->asking = (struct clock_wall){0};
        save(token, on_refusal_kept);
        return;
    }
    finish_failed(token);
}

static void say_problem(struct verdict *verdict, const char *problem)
{
    verdict->class = VERDICT_CLASS_UNEXPECTED;
    verdict->cause = VERDICT_CAUSE_CONTRACT;
    g_free(verdict->message);
    verdict->message = g_strdup(problem);
    g_free(verdict->act);
    verdict->act = g_strdup("integrator");
}

// What came with an answer that cannot be used: a refresh token is not to be lost.
static void keep_rest(struct auth_token *token, struct token_answer *answer)
{
    take_refresh(token, answer);
    if (token->held)
        save(token, on_refusal_kept);
    else
        finish_failed(token);
}

void auth_token_answer(struct auth_token *token, const struct transfer_response *response,
                       struct verdict *verdict, auth_token_done done, void *context)
{
    token->done = done;
    token->context = context;
    if (!response || response->outcome != TRANSFER_ANSWERED) {
        finish_failed(token);
        return;
    }
    struct token_answer answer;
    token_answer_read(response, &answer);
    if (verdict->class == VERDICT_CLASS_OK && answer.problem)
        say_problem(verdict, answer.problem);
    if (verdict->class == VERDICT_CLASS_OK)
        keep_answer(token, &answer);
    else if (answer.refresh && settings(token)->refresh)
        keep_rest(token, &answer);
    else
        take_refusal(token, response);
    token_answer_clear(&answer);
}

void auth_token_refuse(struct auth_token *token)
{
    g_free(token->refused);
    token->refused = g_strdup(token->record->access);
}

const char *auth_token_text(const struct auth_token *token)
{
    return token->record->access;
}

bool auth_token_is_precious(const struct auth_token *token)
{
    return settings(token)->refresh;
}

bool auth_token_is_unsaved(const struct auth_token *token)
{
    return token->unsaved;
}

static void on_rescued(const char *problem, void *context)
{
    struct auth_token *token = context;
    if (problem)
        log_error("the refresh token of the system %s that came last could not be kept (%s): a "
                  "person may have to give consent again",
                  token->system->id, problem);
    token->unsaved = false;
    finish(token, AUTH_TOKEN_FAILED, NULL);
}

void auth_token_rescue(struct auth_token *token, auth_token_done done, void *context)
{
    token->done = done;
    token->context = context;
    save(token, on_rescued);
}

void auth_token_free(struct auth_token *token)
{
    if (!token)
        return;
    give_back(token);
    token_record_free(token->record);
    wipe_text(token->seed);
    wipe_text(token->refused);
    g_free(token->key);
    g_free(token->purpose);
    g_free(token);
}

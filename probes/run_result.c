// SPDX-License-Identifier: MIT
// What a run did, as a plain document. Comes after flow_run; incidents, notices,
// the store and the commands depend on it alone.
#include "run_result.h"

#include "../base/ids.h"
#include "../base/json.h"
#include "request.h"
#include "stable_text.h"

#include <string.h>

// Changes whenever the same failure would hash to another fingerprint.
#define FINGERPRINT_VERSION "2"

// Bytes of a body that the evidence keeps (it was received up to agent.max_body).
#define EVIDENCE_BODY_MAX ((size_t)256 * 1024)

struct run_result *run_result_new(const char *run, const char *flow, const char *system)
{
    struct run_result *result = g_new0(struct run_result, 1);
    result->run = g_strdup(run);
    result->flow = g_strdup(flow);
    result->system = g_strdup(system);
    result->online = true;
    result->steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_result_free);
    result->undos = g_ptr_array_new_with_free_func((GDestroyNotify)undo_result_free);
    return result;
}

void run_result_free(struct run_result *result)
{
    if (!result)
        return;
    g_free(result->run);
    g_free(result->flow);
    g_free(result->system);
    g_free(result->failed_system);
    g_ptr_array_unref(result->steps);
    g_ptr_array_unref(result->undos);
    g_free(result->fingerprint);
    g_free(result->scope);
    g_free(result->problem);
    g_free(result);
}

struct step_result *step_result_new(const char *step, const char *system)
{
    struct step_result *result = g_new0(struct step_result, 1);
    result->step = g_strdup(step);
    result->system = g_strdup(system);
    result->exchanges = g_ptr_array_new_with_free_func((GDestroyNotify)exchange_free);
    return result;
}

void step_result_free(struct step_result *result)
{
    if (!result)
        return;
    g_free(result->step);
    g_free(result->system);
    verdict_free(result->verdict);
    g_ptr_array_unref(result->exchanges);
    g_free(result->means);
    g_free(result);
}

struct undo_result *undo_result_new(const char *step, const char *state, const char *problem)
{
    struct undo_result *result = g_new0(struct undo_result, 1);
    result->step = g_strdup(step);
    result->state = g_strdup(state);
    result->problem = g_strdup(problem);
    return result;
}

bool undo_state_is_settled(const char *state)
{
    return g_strcmp0(state, "paid") == 0 || g_strcmp0(state, "void") == 0;
}

void undo_result_free(struct undo_result *result)
{
    if (!result)
        return;
    g_free(result->step);
    g_free(result->state);
    g_free(result->problem);
    g_free(result);
}

static const struct step_result *first_in_state(const struct run_result *result,
                                                enum verdict_state state)
{
    for (guint i = 0; i < result->steps->len; i++) {
        const struct step_result *step = result->steps->pdata[i];
        if (step->state == state)
            return step;
    }
    return NULL;
}

const struct step_result *run_result_decisive(const struct run_result *result)
{
    static const enum verdict_state order[] = {VERDICT_FAILED, VERDICT_UNKNOWN, VERDICT_SLOW};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        const struct step_result *step = first_in_state(result, order[i]);
        if (step)
            return step;
    }
    return NULL;
}

static const struct exchange *last_exchange(const struct step_result *step)
{
    return step->exchanges->len ? step->exchanges->pdata[step->exchanges->len - 1] : NULL;
}

static int last_status(const struct step_result *step)
{
    const struct exchange *exchange = last_exchange(step);
    return exchange && exchange->response ? exchange->response->status : 0;
}

// A failure to reach the host: timeouts before the first byte count as one.
static bool is_unreachable(const struct verdict *verdict)
{
    if (verdict->class == VERDICT_CLASS_UNREACHABLE)
        return true;
    return verdict->class == VERDICT_CLASS_TIMEOUT && verdict->phase != VERDICT_PHASE_NONE &&
           verdict->phase != VERDICT_PHASE_TRANSFER && verdict->phase != VERDICT_PHASE_POLL;
}

static char *host_scope(const struct step_result *step)
{
    const struct exchange *exchange = last_exchange(step);
    g_autofree char *origin = exchange ? request_origin(exchange->request->url) : NULL;
    const char *host = origin ? strstr(origin, "://") : NULL;
    return g_strdup(host ? host + 3 : step->system);
}

// Refused credentials concern the whole system, whether they are sent in a login of
// their own or with each call.
static bool is_login(const struct step_result *step)
{
    const struct exchange *exchange = last_exchange(step);
    bool elsewhere = exchange && exchange->elsewhere;
    return step->login ||
           (!elsewhere && step->verdict->cause == VERDICT_CAUSE_AUTH && last_status(step) == 401);
}

// A host that cannot be reached is one cause, whether a login or a later call found out.
static char *scope_of(const struct run_result *result, const struct step_result *step)
{
    if (is_unreachable(step->verdict))
        return host_scope(step);
    if (is_login(step))
        return g_strdup("login");
    return g_strdup_printf("%s/%s", result->flow, step->step);
}

static void set_fingerprint(struct run_result *result, const struct step_result *step)
{
    const struct verdict *verdict = step->verdict;
    bool unreachable = is_unreachable(verdict);
    result->scope = scope_of(result, step);
    const char *class = unreachable ? verdict_class_word(VERDICT_CLASS_UNREACHABLE)
                                    : verdict_class_word(verdict->class);
    const char *cause = unreachable ? verdict_cause_word(VERDICT_CAUSE_NETWORK)
                                    : verdict_cause_word(verdict->cause);
    g_autofree char *status = g_strdup_printf("%d", unreachable ? 0 : last_status(step));
    g_autofree char *stated = unreachable ? NULL : stable_text(verdict->code);
    const char *code = stated ? stated : status;
    result->failed_system = g_strdup(step->system);
    result->fingerprint = ids_hash(26, FINGERPRINT_VERSION, step->system, result->scope, class,
                                   cause ? cause : "", code, NULL);
}

void run_result_conclude(struct run_result *result)
{
    if (result->problem) {
        result->state = VERDICT_UNKNOWN;
        return;
    }
    const struct step_result *step = run_result_decisive(result);
    result->state = step ? step->state : VERDICT_OK;
    if (result->state == VERDICT_FAILED)
        set_fingerprint(result, step);
}

static void add_milliseconds(cJSON *object, const char *key, double milliseconds)
{
    if (milliseconds < 0)
        cJSON_AddNullToObject(object, key);
    else
        json_add_integer(object, key, (gint64)(milliseconds + 0.5));
}

static void add_timing(cJSON *json, const struct transfer_timing *timing)
{
    cJSON *object = cJSON_AddObjectToObject(json, "timing_ms");
    add_milliseconds(object, "dns", timing->dns);
    add_milliseconds(object, "connect", timing->connect);
    add_milliseconds(object, "tls", timing->tls);
    add_milliseconds(object, "first_byte", timing->first_byte);
    add_milliseconds(object, "total", timing->total);
}

static void add_nulls(cJSON *json, const char *const *keys)
{
    for (; *keys; keys++)
        cJSON_AddNullToObject(json, *keys);
}

// The keys are there for a step that was not sent, too.
static void add_last_exchange(cJSON *json, const struct step_result *step,
                              const struct redact *redact)
{
    static const char *const keys[] = {"request", "status", "duration_ms", "timing_ms", NULL};
    const struct exchange *exchange = last_exchange(step);
    if (!exchange) {
        add_nulls(json, keys);
        return;
    }
    cJSON *request = cJSON_AddObjectToObject(json, "request");
    json_add_text(request, "method", exchange->request->method);
    g_autofree char *url = redact_url(redact, exchange->request->url);
    json_add_text(request, "url", url);
    if (!exchange->response) {
        add_nulls(json, keys + 1);
        return;
    }
    if (exchange->response->status)
        json_add_integer(json, "status", exchange->response->status);
    else
        cJSON_AddNullToObject(json, "status");
    add_milliseconds(json, "duration_ms", step->duration_ms);
    add_timing(json, &exchange->response->timing);
}

// The redirects that were followed to the last answer, in order.
static void add_redirects(cJSON *json, const struct step_result *step, const struct redact *redact)
{
    guint first = step->exchanges->len;
    while (first > 0 && ((const struct exchange *)step->exchanges->pdata[first - 1])->redirected_by)
        first--;
    if (first == step->exchanges->len)
        return;
    cJSON *redirects = cJSON_AddArrayToObject(json, "redirects");
    for (guint i = first; i < step->exchanges->len; i++) {
        const struct exchange *exchange = step->exchanges->pdata[i];
        g_autofree char *url = redact_url(redact, exchange->request->url);
        cJSON *redirect = cJSON_CreateObject();
        json_add_integer(redirect, "status", exchange->redirected_by);
        json_add_text(redirect, "method", exchange->request->method);
        json_add_text(redirect, "url", url);
        cJSON_AddItemToArray(redirects, redirect);
    }
}

static cJSON *step_to_json(const struct step_result *step, const struct redact *redact,
                           bool evidence)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "step", step->step);
    json_add_text(json, "system", step->system);
    json_add_text(json, "state", verdict_state_word(step->state));
    json_add_integer(json, "attempts", step->attempts);
    if (step->login)
        cJSON_AddTrueToObject(json, "login");
    if (step->means)
        json_add_text(json, "means", step->means);
    add_last_exchange(json, step, redact);
    add_redirects(json, step, redact);
    if (step->verdict) {
        cJSON *verdict = verdict_to_json(step->verdict);
        redact_json(redact, verdict);
        cJSON_AddItemToObject(json, "verdict", verdict);
    } else {
        cJSON_AddNullToObject(json, "verdict");
    }
    if (evidence) {
        cJSON *exchanges = cJSON_AddArrayToObject(json, "exchanges");
        for (guint i = 0; i < step->exchanges->len; i++)
            cJSON_AddItemToArray(
                exchanges, exchange_to_json(step->exchanges->pdata[i], redact, EVIDENCE_BODY_MAX));
    }
    return json;
}

static void add_time(cJSON *json, const char *key, struct clock_wall time)
{
    g_autofree char *text = clock_wall_format(time);
    json_add_text(json, key, text);
}

static void add_undos(cJSON *json, const struct run_result *result, const struct redact *redact)
{
    cJSON *undos = cJSON_AddArrayToObject(json, "undo");
    for (guint i = 0; i < result->undos->len; i++) {
        const struct undo_result *undo = result->undos->pdata[i];
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "step", undo->step);
        json_add_text(item, "state", undo->state);
        if (undo->problem) {
            g_autofree char *problem = redact_text(redact, undo->problem, -1);
            json_add_text(item, "problem", problem);
        }
        cJSON_AddItemToArray(undos, item);
    }
}

cJSON *run_result_to_json(const struct run_result *result, const struct redact *redact,
                          bool evidence)
{
    cJSON *json = cJSON_CreateObject();
    json_add_text(json, "flow", result->flow);
    json_add_text(json, "system", result->system);
    if (result->failed_system)
        json_add_text(json, "failed_system", result->failed_system);
    char priority[] = {'P', (char)('0' + CLAMP(result->priority, 0, 9)), '\0'};
    json_add_text(json, "priority", priority);
    json_add_text(json, "state", result->cut_off ? NULL : verdict_state_word(result->state));
    json_add_text(json, "run", result->run);
    add_time(json, "due", result->due);
    add_time(json, "started", result->started);
    add_time(json, "ended", result->ended);
    add_milliseconds(json, "duration_ms", result->duration_ms);
    if (result->problem) {
        g_autofree char *problem = redact_text(redact, result->problem, -1);
        json_add_text(json, "problem", problem);
    }
    if (result->held_until.us)
        add_time(json, "held_until", result->held_until);
    cJSON *steps = cJSON_AddArrayToObject(json, "steps");
    for (guint i = 0; i < result->steps->len; i++)
        cJSON_AddItemToArray(steps, step_to_json(result->steps->pdata[i], redact, evidence));
    add_undos(json, result, redact);
    return json;
}

// SPDX-License-Identifier: MIT
// One call for a system's version. Comes after call_run; it belongs to no flow, so no
// incident comes of it, and it goes behind the steps of flows.
#include "version_run.h"

#include "../base/json.h"
#include "auth_session.h"
#include "call_judge.h"
#include "flow_care.h"

struct version_run {
    struct flow_engine *engine;
    const struct config_system *system;
    char *id; // at the gate
    struct values *values;
    struct cookie_jar *jar;
    struct call_run *call;
    version_done done;
    void *context;
};

static void finish(struct version_run *run, const struct version_answer *answer)
{
    flow_gate_end_run(run->engine->gate, run->id);
    flow_engine_leave(run->engine);
    run->done(answer, run->context);
    values_free(run->values);
    cookie_jar_free(run->jar);
    g_free(run->id);
    g_free(run);
}

static void tell_gate(const struct version_run *run, const struct verdict *verdict,
                      const struct call_outcome *outcome)
{
    const struct flow_care_call care = {
        .system = run->system,
        .run = run->id,
        .step = "version",
        .verdict = verdict,
    };
    flow_care_hear_apart(run->engine, &care, outcome);
}

// The captured version as text; NULL where it is none. The caller frees it.
static char *captured(const struct version_run *run)
{
    const struct value *value = values_find(run->values, "version");
    const cJSON *json = value && !value->secret ? value->json : NULL;
    if (!json || cJSON_IsNull(json) || cJSON_IsArray(json) || cJSON_IsObject(json))
        return NULL;
    g_autofree char *text =
        cJSON_IsString(json) ? g_strdup(json->valuestring) : json_print(json, false);
    g_strstrip(text);
    return text[0] ? redact_text(run->engine->redact, text, -1) : NULL;
}

static void on_answer(struct call_outcome *outcome, void *context)
{
    struct version_run *run = context;
    g_autoptr(verdict_t) verdict =
        call_judge(run->system->version, outcome, run->system, run->values);
    tell_gate(run, verdict, outcome);
    bool good = verdict && verdict->class == VERDICT_CLASS_OK;
    g_autofree char *version = good ? captured(run) : NULL;
    g_autofree char *why =
        good ? g_strdup("the answer holds no version") : call_judge_describe(outcome, verdict);
    g_autofree char *problem = redact_text(run->engine->redact, why, -1);
    const struct version_answer answer = {
        .system = run->system->id,
        .version = version,
        .problem = version ? NULL : problem,
        .not_asked = outcome->cut_off || outcome->held_until.us != 0,
    };
    finish(run, &answer);
}

static void ask(struct version_run *run)
{
    const struct call *call = run->system->version;
    struct call_run_input input = {
        .engine = run->engine,
        .call = call,
        .system = run->system,
        .values = run->values,
        .jar = run->jar,
        .run = run->id,
        .last = true,
        .timeout_ms = call->timeout_ms ? call->timeout_ms : run->system->timeout_ms,
        .done = on_answer,
        .context = run,
    };
    auth_session_attach(&input);
    call_run_start(&input, &run->call);
}

void version_run_start(struct flow_engine *engine, const struct config_system *system,
                       version_done done, void *context)
{
    struct version_run *run = g_new0(struct version_run, 1);
    g_autofree char *now = clock_wall_format(clock_wall_now());
    run->engine = engine;
    run->system = system;
    run->id = g_strdup_printf("version//%s %s", system->id, now);
    run->done = done;
    run->context = context;
    run->values = flow_engine_values(engine, engine->config->secrets, system);
    run->jar = cookie_jar_new();
    flow_engine_enter(engine);
    ask(run);
}

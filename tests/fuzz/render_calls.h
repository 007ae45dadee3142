// SPDX-License-Identifier: MIT
// Renders each call of a configuration with hostile values: for the fuzz targets. What comes out
// is a request to a host that it may go to, without a second line in any header.
#ifndef TESTS_FUZZ_RENDER_CALLS_H
#define TESTS_FUZZ_RENDER_CALLS_H

#include "../../probes/request.h"

#include <stdlib.h>
#include <string.h>

struct rendering {
    const struct config *config;
    const struct config_system *system; // of the step
    struct values *values;
};

// The names that the run, the system, the flow and its steps give; those of the system as it has
// them, all others hostile.
static struct values *hostile_values(const struct config *config, const struct config_flow *flow,
                                     const char *text)
{
    struct values *values = values_new(config->secrets, config->agent.timezone);
    struct template_context context = values_context(values, (struct clock_wall){0});
    values_set_text(values, "run.id", "4D0X9K7Q2M8Z", false);
    values_set_text(values, "mark", text, false);
    for (guint i = 0; i < flow->system->vars->len; i++) {
        const struct config_value *var = flow->system->vars->pdata[i];
        struct value *value = template_evaluate(var->value, &context, NULL);
        if (value != NULL)
            values_set(values, var->name, value);
    }
    for (guint i = 0; i < flow->vars->len; i++) {
        const struct call_field *field = flow->vars->pdata[i];
        values_set_text(values, field->name, text, i % 2 == 0);
    }
    for (guint i = 0; i < flow->steps->len; i++) {
        const GPtrArray *captures = ((const struct step *)flow->steps->pdata[i])->call->captures;
        for (guint k = 0; k < captures->len; k++)
            values_set_text(values, ((const struct capture *)captures->pdata[k])->name, text,
                            k > 0);
    }
    return values;
}

static void check_request(const struct transfer_request *request)
{
    if (!g_str_has_prefix(request->url, "http://") && !g_str_has_prefix(request->url, "https://"))
        abort();
    for (const char *at = request->url; *at != '\0'; at++) {
        if ((guchar)*at <= ' ' || *at == 0x7f)
            abort(); // a URL is one word
    }
    for (guint i = 0; i < request->headers->len; i++) {
        const struct transfer_header *header = request->headers->pdata[i];
        if (header->name[0] == '\0' || strpbrk(header->name, "\r\n: ") ||
            strpbrk(header->value, "\r\n"))
            abort();
    }
}

static void render_call(const struct call *call, const struct lookup *lookup, void *user)
{
    const struct rendering *rendering = user;
    const struct clock_wall now = {INT64_C(1795253400000000)};
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) refusal = NULL;
    (void)lookup;
    const struct config_system *system =
        call->system != NULL ? g_hash_table_lookup(rendering->config->systems, call->system)
                             : rendering->system;
    enum reach reach = request_destination(call, system, rendering->values, now, &refusal);
    g_autoptr(transfer_request_t) request =
        request_build(call, system, rendering->values, now, &error);
    if ((request == NULL) == (error == NULL))
        abort();
    if (request == NULL)
        return;
    check_request(request);
    if (reach == REACH_REFUSED)
        abort(); // it was built all the same
    (void)request_is_allowed(request, system, NULL);
}

// Renders all calls of all flows.
static inline void render_calls(const struct config *config, const char *text)
{
    for (guint i = 0; i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];
        struct rendering rendering = {.config = config,
                                      .values = hostile_values(config, flow, text)};
        for (guint k = 0; k < flow->steps->len; k++) {
            const struct step *step = flow->steps->pdata[k];
            rendering.system = step->system != NULL ? step->system : flow->system;
            step_visit_calls(step, render_call, &rendering);
        }
        values_free(rendering.values);
    }
}

#endif

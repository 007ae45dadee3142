// SPDX-License-Identifier: MIT
// Keeps apart what the systems of one run give it: a name means what the system
// of the call says, and a cookie goes back to where it came from. Used by flow_run
// and step_run for steps, by flow_pay for undos.
#include "run_systems.h"

#include "../base/json.h"
#include "flow_undo.h"

struct place {
    const struct config_system *system;
    struct values *with;    // what its `with` gives, made when first asked for
    struct cookie_jar *jar; // likewise
    GPtrArray *own;         // names of those that are made of the run's own names
};

struct run_systems {
    struct flow_engine *engine;
    const struct config *config;
    struct values *values;
    GPtrArray *places; // of struct place: a run has few
    const struct config_system *present;
};

static void place_free(void *data)
{
    struct place *place = data;
    values_free(place->with);
    cookie_jar_free(place->jar);
    g_ptr_array_unref(place->own);
    g_free(place);
}

static struct place *place_of(struct run_systems *systems, const struct config_system *system)
{
    for (guint i = 0; i < systems->places->len; i++) {
        struct place *place = systems->places->pdata[i];
        if (place->system == system)
            return place;
    }
    struct place *place = g_new0(struct place, 1);
    place->system = system;
    place->own = g_ptr_array_new();
    g_ptr_array_add(systems->places, place);
    return place;
}

struct values *run_systems_with(struct run_systems *systems, const struct config_system *system)
{
    struct place *place = place_of(systems, system);
    if (!place->with)
        place->with = flow_engine_values(systems->engine, systems->config->secrets, system);
    return place->with;
}

// A value that is made of the run's own names, such as {{mark}}: it is made for the run,
// and is no part of what the system is known by.
static void give_own(struct run_systems *systems, const struct config_system *system,
                     const struct config_value *var)
{
    struct template_context context = values_context(systems->values, clock_wall_now());
    struct value *value = template_evaluate(var->value, &context, NULL);
    if (!value)
        return;
    value->secret |= var->secret;
    values_set(systems->values, var->name, value);
    g_ptr_array_add(place_of(systems, system)->own, var->name);
}

// What the flow gave in place of one of its system's values is the flow's.
static void give_names(struct run_systems *systems, const struct config_system *system)
{
    const struct values *with = system->vars->len ? run_systems_with(systems, system) : NULL;
    for (guint i = 0; i < system->vars->len; i++) {
        const struct config_value *var = system->vars->pdata[i];
        const struct value *value = values_find(with, var->name);
        if (values_find(systems->values, var->name))
            continue;
        if (value)
            values_set(systems->values, var->name,
                       value_new(cJSON_Duplicate(value->json, true), value->secret));
        else
            give_own(systems, system, var);
    }
}

static void take_names(struct run_systems *systems, const struct config_system *system)
{
    const struct values *with = system->vars->len ? run_systems_with(systems, system) : NULL;
    for (guint i = 0; i < system->vars->len; i++) {
        const char *name = ((const struct config_value *)system->vars->pdata[i])->name;
        const struct value *given = values_find(with, name);
        const struct value *present = values_find(systems->values, name);
        if (given && present && cJSON_Compare(given->json, present->json, true))
            values_set(systems->values, name, NULL);
    }
    GPtrArray *own = place_of(systems, system)->own;
    for (guint i = 0; i < own->len; i++)
        values_set(systems->values, own->pdata[i], NULL);
    g_ptr_array_set_size(own, 0);
    values_forget_login(systems->values);
}

struct run_systems *run_systems_new(struct flow_engine *engine, const struct config *config,
                                    const struct config_system *system)
{
    struct run_systems *systems = g_new0(struct run_systems, 1);
    systems->engine = engine;
    systems->config = config;
    systems->values = values_new(config->secrets, config->agent.timezone);
    systems->places = g_ptr_array_new_with_free_func(place_free);
    systems->present = system;
    give_names(systems, system);
    return systems;
}

void run_systems_begin(struct run_systems *systems)
{
    give_names(systems, systems->present);
}

struct values *run_systems_values(const struct run_systems *systems)
{
    return systems->values;
}

void run_systems_enter(struct run_systems *systems, const struct config_system *system)
{
    if (system == systems->present)
        return;
    take_names(systems, systems->present);
    give_names(systems, system);
    systems->present = system;
}

const struct config_system *run_systems_present(const struct run_systems *systems)
{
    return systems->present;
}

const struct config_system *run_systems_find(const struct run_systems *systems, const char *id)
{
    return g_hash_table_lookup(systems->config->systems, id);
}

struct cookie_jar *run_systems_jar(struct run_systems *systems)
{
    struct place *place = place_of(systems, systems->present);
    if (!place->jar)
        place->jar = cookie_jar_new();
    return place->jar;
}

void run_systems_renew_jar(struct run_systems *systems)
{
    g_clear_pointer(&place_of(systems, systems->present)->jar, cookie_jar_free);
}

char *run_systems_digest(struct run_systems *systems, const struct config_system *system)
{
    g_autofree char *origin = NULL, *url = NULL;
    char *digest = NULL;
    if (system)
        flow_undo_freeze(system, run_systems_with(systems, system), &origin, &url, &digest);
    return digest;
}

void run_systems_free(struct run_systems *systems)
{
    if (!systems)
        return;
    g_ptr_array_unref(systems->places);
    values_free(systems->values);
    g_free(systems);
}

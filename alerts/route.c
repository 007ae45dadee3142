// SPDX-License-Identifier: MIT
// Who is told of a transition: comes after monitor/incident and before the
// outbox. Pure: the same transition and configuration give the same notices.
#include "route.h"

#include <string.h>

static void add_once(GPtrArray *ids, const char *id, const struct config *config)
{
    if (config_find_contact(config, id) == NULL)
        return;
    for (guint i = 0; i < ids->len; i++) {
        if (strcmp(g_ptr_array_index(ids, i), id) == 0)
            return;
    }
    g_ptr_array_add(ids, g_strdup(id));
}

static void add_all(GPtrArray *ids, const GPtrArray *more, const struct config *config)
{
    for (guint i = 0; more != NULL && i < more->len; i++)
        add_once(ids, g_ptr_array_index(more, i), config);
}

static void add_fallback(GPtrArray *ids, const struct config *config)
{
    if (ids->len == 0 && config->mail.fallback != NULL)
        add_once(ids, config->mail.fallback, config);
}

// A role is somebody's at each system: who has it where the failure is, is told too.
static void add_flow(GPtrArray *ids, const struct config_flow *flow, const char *system_id,
                     const struct config *config)
{
    const struct config_system *system =
        system_id != NULL ? g_hash_table_lookup(config->systems, system_id) : NULL;

    add_all(ids, flow->notify, config);
    for (guint i = 0; system != NULL && flow->notify_roles != NULL && i < flow->notify_roles->len;
         i++) {
        const char *id = config_role_contact(system, g_ptr_array_index(flow->notify_roles, i));

        if (id != NULL)
            add_once(ids, id, config);
    }
}

GPtrArray *route_contacts(const struct config_flow *flow, const char *system,
                          const struct config *config)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

    add_flow(ids, flow, system, config);
    add_fallback(ids, config);
    return ids;
}

static void add_technical(GPtrArray *ids, const struct config_flow *flow,
                          const struct config *config)
{
    for (guint i = 0; i < flow->notify->len; i++) {
        const struct config_contact *contact = config_find_contact(config, flow->notify->pdata[i]);

        if (contact != NULL && contact->style == CONFIG_STYLE_TECHNICAL)
            add_once(ids, contact->id, config);
    }
}

static void add_technical_of_system(GPtrArray *ids, const struct config_system *system,
                                    const struct config *config)
{
    for (guint i = 0; i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];

        if (flow->system == system)
            add_technical(ids, flow, config);
    }
}

GPtrArray *route_leftovers(const struct config *config, const struct config_system *system,
                           const GPtrArray *notify, const struct config_flow *flow)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    const char *integrator = system != NULL ? config_role_contact(system, "integrator") : NULL;
    GPtrArray *contacts = g_ptr_array_new();

    add_all(ids, notify, config);
    if (ids->len == 0 && integrator != NULL)
        add_once(ids, integrator, config);
    if (ids->len == 0 && flow != NULL)
        add_technical(ids, flow, config);
    else if (ids->len == 0 && system != NULL)
        add_technical_of_system(ids, system, config);
    add_fallback(ids, config);
    for (guint i = 0; i < ids->len; i++)
        g_ptr_array_add(contacts, config_find_contact(config, ids->pdata[i]));
    return contacts;
}

static GPtrArray *opening_contacts(const struct transition *transition, const struct config *config)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < transition->flows->len; i++) {
        const struct transition_flow *member = g_ptr_array_index(transition->flows, i);
        const struct config_flow *flow = config_find_flow(config, member->flow);
        if (flow != NULL)
            add_flow(ids, flow, transition->system, config);
    }
    add_fallback(ids, config);
    return ids;
}

static GPtrArray *told_contacts(const struct transition *transition, const struct config *config)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

    add_all(ids, transition->told, config);
    return ids;
}

// Each mail of an opening names all who are told: nobody has to forward it to find out.
static void name_told(struct notice *notice, const GPtrArray *ids, const struct config *config)
{
    cJSON *told = cJSON_CreateArray();

    for (guint i = 0; i < ids->len; i++) {
        const struct config_contact *contact =
            config_find_contact(config, g_ptr_array_index(ids, i));
        const char *name = contact->name != NULL ? contact->name : contact->id;
        cJSON_AddItemToArray(told, cJSON_CreateString(name));
    }
    cJSON_ReplaceItemInObjectCaseSensitive(notice->facts, "told", told);
}

static void free_notice(void *notice)
{
    notice_free(notice);
}

GPtrArray *route(const struct transition *transition, const struct config *config,
                 const cJSON *result)
{
    bool opening = transition->kind == TRANSITION_OPENED;
    GPtrArray *notices = g_ptr_array_new_with_free_func(free_notice);
    g_autoptr(GPtrArray) ids =
        opening ? opening_contacts(transition, config) : told_contacts(transition, config);

    for (guint i = 0; i < ids->len; i++) {
        const struct config_contact *contact =
            config_find_contact(config, g_ptr_array_index(ids, i));
        struct notice *notice = notice_new(transition, config, contact, result);
        if (opening)
            name_told(notice, ids, config);
        g_ptr_array_add(notices, notice);
    }
    return notices;
}

// SPDX-License-Identifier: MIT
// A small configuration for the tests of route and notice: one system, two
// flows, three contacts, one of them the fallback.
#ifndef TESTS_SAMPLE_CONFIG_H
#define TESTS_SAMPLE_CONFIG_H

#include "../../alerts/transition.h"
#include "../../config/config.h"

struct sample {
    struct config config;
    struct config_system system;
    struct config_flow order, quote;
    struct config_contact agency, client, partner;
};

static GPtrArray *sample_list(const char *first, const char *second)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);

    if (first != NULL)
        g_ptr_array_add(list, g_strdup(first));
    if (second != NULL)
        g_ptr_array_add(list, g_strdup(second));
    return list;
}

static void sample_contact(struct sample *sample, struct config_contact *contact, const char *id,
                           const char *name)
{
    contact->id = g_strdup(id);
    contact->name = g_strdup(name);
    contact->email = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(contact->email, g_strdup_printf("%s@mail.example", id));
    contact->language = g_strdup("en");
    contact->timezone = g_strdup("Europe/Brussels");
    g_hash_table_insert(sample->config.contacts, contact->id, contact);
}

static void sample_flow(struct sample *sample, struct config_flow *flow, const char *id,
                        const char *title, int priority)
{
    flow->id = g_strdup(id);
    flow->title = g_strdup(title);
    flow->impact = g_strdup("Orders are sold but not processed.");
    flow->system = &sample->system;
    flow->priority = priority;
    config_add_flow(&sample->config, flow);
}

// `sample` is the caller's; sample_clear frees what it holds.
static void sample_init(struct sample *sample)
{
    *sample = (struct sample){0};
    sample->config.contacts = g_hash_table_new(g_str_hash, g_str_equal);
    sample->config.systems = g_hash_table_new(g_str_hash, g_str_equal);
    sample->config.flows = g_ptr_array_new();
    sample->config.sweeps = g_ptr_array_new();
    sample_contact(sample, &sample->agency, "agency", "Agency");
    sample_contact(sample, &sample->client, "acme-it", "Acme");
    sample_contact(sample, &sample->partner, "bc-partner", "ERP Partner");
    sample->system.id = g_strdup("acme-erp");
    sample->system.title = g_strdup("Acme Business Central");
    sample->system.act = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(sample->system.act, g_strdup("client"), g_strdup("acme-it"));
    g_hash_table_insert(sample->system.act, g_strdup("erp-partner"), g_strdup("bc-partner"));
    g_hash_table_insert(sample->config.systems, sample->system.id, &sample->system);
    sample_flow(sample, &sample->order, "order", "Submit an order", 1);
    sample_flow(sample, &sample->quote, "quote", "Ask for a quote", 2);
    sample->order.notify = sample_list("acme-it", "bc-partner");
    sample->quote.notify = sample_list("bc-partner", "agency");
    sample->config.mail.from = g_strdup("ERP monitor <alerts@agency.example>");
}

static void sample_clear(struct sample *sample)
{
    struct config_contact *contacts[] = {&sample->agency, &sample->client, &sample->partner};
    struct config_flow *flows[] = {&sample->order, &sample->quote};

    for (gsize i = 0; i < G_N_ELEMENTS(contacts); i++) {
        g_free(contacts[i]->id);
        g_free(contacts[i]->name);
        g_free(contacts[i]->language);
        g_free(contacts[i]->timezone);
        g_ptr_array_unref(contacts[i]->email);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(flows); i++) {
        g_free(flows[i]->id);
        g_free(flows[i]->title);
        g_free(flows[i]->impact);
        g_ptr_array_unref(flows[i]->notify);
    }
    g_hash_table_unref(sample->system.act);
    g_free(sample->system.id);
    g_free(sample->system.title);
    g_hash_table_unref(sample->config.contacts);
    g_hash_table_unref(sample->config.systems);
    g_hash_table_unref(sample->config.by_id);
    g_ptr_array_unref(sample->config.flows);
    g_ptr_array_unref(sample->config.sweeps);
    g_free(sample->config.mail.from);
    g_free(sample->config.mail.fallback);
}

static void sample_member(struct transition *transition, const char *flow, const char *failed)
{
    struct transition_flow *member = g_new0(struct transition_flow, 1);

    member->flow = g_strdup(flow);
    member->failing = true;
    member->first_failed = clock_wall_parse(failed);
    member->last_failed = clock_wall_parse("2026-11-21T09:30:25Z");
    member->runs_failed = 2;
    g_ptr_array_add(transition->flows, member);
}

static struct transition *sample_transition(enum transition_kind kind)
{
    struct transition *transition = transition_new(kind, "INCIDENT");

    transition->system = g_strdup("acme-erp");
    transition->run = g_strdup("RUN");
    transition->opened = clock_wall_parse("2026-11-21T09:30:26Z");
    transition->at = transition->opened;
    sample_member(transition, "order", "2026-11-21T09:30:05Z");
    return transition;
}

#endif

// SPDX-License-Identifier: MIT
// A small configuration made by hand, for the tests of what watches flows: two systems,
// three flows (orders, customers: told to partner; invoices: told to client), a fallback.
#ifndef TESTS_UNIT_WATCH_CONFIG_H
#define TESTS_UNIT_WATCH_CONFIG_H

#include "../../config/config.h"

static void add_contact(struct config *config, const char *id, enum config_style style)
{
    struct config_contact *contact = g_new0(struct config_contact, 1);
    contact->id = g_strdup(id);
    contact->name = g_strdup(id);
    contact->email = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(contact->email, g_strdup_printf("%s@example.org", id));
    contact->language = g_strdup("en");
    contact->timezone = g_strdup("UTC");
    contact->style = style;
    g_hash_table_insert(config->contacts, contact->id, contact);
}

static struct config_system *add_system(struct config *config, const char *id)
{
    struct config_system *system = g_new0(struct config_system, 1);
    system->id = g_strdup(id);
    system->title = g_strdup(id);
    system->act = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(config->systems, system->id, system);
    return system;
}

static struct config_flow *add_flow(struct config *config, const char *id, const char *contact)
{
    struct config_flow *flow = g_new0(struct config_flow, 1);
    flow->id = g_strdup(id);
    flow->title = g_strdup(id);
    flow->system = g_hash_table_lookup(config->systems, "erp");
    flow->priority = 2;
    flow->confirm_runs = 2;
    flow->confirm_after_ms = 20000;
    flow->recover = 1;
    flow->group_ms = 30000;
    flow->notify = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(flow->notify, g_strdup(contact));
    config_add_flow(config, flow);
    return flow;
}

static void free_contact(gpointer data)
{
    struct config_contact *contact = data;
    g_free(contact->id);
    g_free(contact->name);
    g_ptr_array_unref(contact->email);
    g_free(contact->language);
    g_free(contact->timezone);
    g_free(contact);
}

static void free_system(gpointer data)
{
    struct config_system *system = data;
    g_free(system->id);
    g_free(system->title);
    g_hash_table_destroy(system->act);
    g_free(system);
}

static void free_flow(gpointer data)
{
    struct config_flow *flow = data;
    g_free(flow->id);
    g_free(flow->title);
    g_free(flow->off);
    g_free(flow->was);
    g_ptr_array_unref(flow->notify);
    g_free(flow);
}

static inline struct config *make_config(void)
{
    struct config *config = g_new0(struct config, 1);
    config->contacts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_contact);
    config->systems = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_system);
    config->flows = g_ptr_array_new_with_free_func(free_flow);
    config->sweeps = g_ptr_array_new();
    config->mail.from = g_strdup("monitor <monitor@example.org>");
    config->mail.fallback = g_strdup("agency");
    config->digest = g_strdup("one");
    add_contact(config, "partner", CONFIG_STYLE_TECHNICAL);
    add_contact(config, "client", CONFIG_STYLE_BUSINESS);
    add_contact(config, "agency", CONFIG_STYLE_TECHNICAL);
    add_system(config, "erp");
    add_system(config, "shop");
    add_flow(config, "orders", "partner");
    add_flow(config, "customers", "partner");
    add_flow(config, "invoices", "client");
    return config;
}

static inline void free_config(struct config *config)
{
    g_hash_table_unref(config->by_id);
    g_ptr_array_unref(config->flows);
    g_ptr_array_unref(config->sweeps);
    g_hash_table_destroy(config->systems);
    g_hash_table_destroy(config->contacts);
    g_free(config->mail.from);
    g_free(config->mail.fallback);
    g_free(config->digest);
    g_free(config);
}

#endif

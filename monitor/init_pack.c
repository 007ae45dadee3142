// SPDX-License-Identifier: MIT
// The configuration that `init --pack` writes: the starter's settings and contacts,
// a system with the pack's parameters, its flows. Used by cmd_init alone.
#include "init_pack.h"

#include "../base/json.h"
#include "pack_view.h"

#include <string.h>

// A value as YAML writes it in one line; the caller frees it.
static char *write_value(const struct config_node *node)
{
    const char *text = config_node_text(node);

    if (text != NULL && node->style == CONFIG_NODE_PLAIN)
        return g_strdup(text);
    if (text != NULL) {
        g_auto(GStrv) parts = g_strsplit(text, "'", -1);
        g_autofree char *doubled = g_strjoinv("''", parts);

        return g_strdup_printf("'%s'", doubled);
    }
    g_autoptr(cJSON) json = config_node_to_json(node);

    return json_print(json, false);
}

// What stands where a value has to be filled in; the caller frees it.
static char *write_placeholder(const struct pack_parameter *parameter)
{
    static const char *const values[] = {
        [PACK_TEXT] = "FILL-IN",  [PACK_URL] = "https://fill-in.example",
        [PACK_NUMBER] = "1",      [PACK_INTEGER] = "1",
        [PACK_BOOLEAN] = "false", [PACK_LIST] = "[]",
        [PACK_MAP] = "{}",
    };

    if (parameter->example != NULL)
        return write_value(parameter->example);
    if (parameter->type == PACK_ONE_OF)
        return g_strdup(parameter->words->len > 0 ? parameter->words->pdata[0] : "''");
    if (parameter->type != PACK_SECRET)
        return g_strdup(values[parameter->type]);
    g_autofree char *upper = g_ascii_strup(parameter->name, -1);

    return g_strdup_printf("'${env:%s:-not filled in}'", upper);
}

// True where the system as it is written here has to give the parameter: it goes by it,
// or its first flow does.
static bool is_needed(const struct pack *pack, const struct pack_parameter *parameter)
{
    const struct pack_flow *first = pack->flows->len > 0 ? pack->flows->pdata[0] : NULL;

    return parameter->fallback == NULL &&
           (parameter->needed || (first != NULL && pack_uses(first->node, parameter->name)));
}

static void add_needed(GString *text, const struct pack *pack)
{
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        g_autofree char *value = is_needed(pack, parameter) ? write_placeholder(parameter) : NULL;

        if (value != NULL)
            g_string_append_printf(text, "      # FILL IN: %s: %s\n      %s: %s\n", parameter->name,
                                   parameter->says, parameter->name, value);
    }
}

// What only flows below that do not run yet go by.
static void add_needed_later(GString *text, const struct pack *pack)
{
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];

        if (parameter->fallback != NULL || is_needed(pack, parameter))
            continue;
        g_autofree char *users = pack_list_users(pack, parameter);
        g_autofree char *value = write_placeholder(parameter);

        g_string_append_printf(text, "      # %s: %s   # FILL IN for %s: %s\n", parameter->name,
                               value, users != NULL ? users : "flows of your own", parameter->says);
    }
}

static void add_optional(GString *text, const struct pack *pack)
{
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        g_autofree char *value =
            parameter->fallback != NULL ? write_value(parameter->fallback) : NULL;

        if (value != NULL)
            g_string_append_printf(text, "      # %s: %s   # %s\n", parameter->name, value,
                                   parameter->says);
    }
}

// A pack that serves systems of many makers leaves the login to each.
static void add_login(GString *text, const struct pack *pack)
{
    if (pack->system != NULL && config_node_get(pack->system, "auth") == NULL)
        g_string_append(
            text, "    # Where it asks for a login: basic, bearer, header, oauth2, session …\n"
                  "    # auth: {basic: {username: shop, password: '${env:PASSWORD}'}}\n");
}

// What a flow does to the ERP: each step that has to be undone, and how.
static void add_writes(GString *text, const struct config_node *flow)
{
    const struct config_node *steps = config_node_get(flow, "steps");
    unsigned writes = 0;

    for (unsigned i = 0; steps != NULL && i < steps->count; i++) {
        const char *name = config_node_text(config_node_get(steps->items[i], "step"));
        g_autofree char *undo = pack_view_undo(steps->items[i]);
        g_autofree char *call = pack_view_call(steps->items[i]);

        if (undo == NULL || !g_str_has_prefix(undo, "undone"))
            continue;
        g_string_append_printf(text, "  #   writes: %s (%s), %s\n", name != NULL ? name : "", call,
                               undo);
        writes++;
    }
    if (writes == 0)
        g_string_append(text, "  #   leaves nothing to undo\n");
}

static void add_flow(GString *text, const struct pack_flow *flow, const char *system, bool off)
{
    const char *title = config_node_text(config_node_get(flow->node, "title"));
    bool timed =
        config_node_get(flow->node, "every") != NULL || config_node_get(flow->node, "cron") != NULL;

    g_string_append_printf(text, "\n  # %s\n", title != NULL ? title : flow->name);
    add_writes(text, flow->node);
    g_string_append_printf(text, "  %s%s: {use: %s, system: %s, %snotify: [client, erp-partner]}\n",
                           off ? "# " : "", flow->name, flow->name, system,
                           timed ? "" : "every: 10m, ");
}

static void add_sweeps(GString *text, const struct pack *pack)
{
    if (pack->sweeps->len > 0)
        g_string_append(text,
                        "\n# Test records that a broken run leaves behind are found and deleted "
                        "by the pack's own sweeps;\n# `erpwatch sweep --dry-run` shows what "
                        "they would take.\n");
}

// The first flow runs; what the shop or ERP supports of the others is the user's to say.
static void add_flows(GString *text, const struct pack *pack, const char *system)
{
    g_string_append(text, "\n# The first flow runs at once. The others lack only the # in front of "
                          "their line: take it\n"
                          "# away once what they say FILL IN for, above, is filled in.\nflows:");
    for (unsigned i = 0; i < pack->flows->len; i++)
        add_flow(text, pack->flows->pdata[i], system, i > 0);
    add_sweeps(text, pack);
}

char *init_pack_text(const struct pack *pack, const char *starter)
{
    static const char system[] = "shop-system";
    const char *end = strstr(starter, "\nsystems:\n");
    GString *text = g_string_new_len(starter, end != NULL ? end + 1 - starter : 0);

    g_string_append_printf(text,
                           "# %s; `erpwatch packs %s` explains all of it.\n"
                           "systems:\n  %s:\n    title: %s\n    environment: production\n"
                           "    act: {client: shop, erp-partner: erp-support, integrator: agency}\n"
                           "    pack: %s\n    with:\n",
                           pack->says != NULL ? pack->says : pack->title, pack->name, system,
                           pack->title, pack->name);
    add_needed(text, pack);
    add_needed_later(text, pack);
    g_string_append(text, "      # What may be given besides, with what it is where it is not:\n");
    add_optional(text, pack);
    add_login(text, pack);
    add_flows(text, pack, system);
    return g_string_free(text, FALSE);
}

// SPDX-License-Identifier: MIT
// A pack for machines: all that the text says, in every language.
#include "pack_view.h"

static void add_text(cJSON *object, const char *key, const char *text)
{
    cJSON_AddItemToObject(object, key,
                          text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static cJSON *parameters_to_json(const struct pack *pack)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];
        cJSON *each = cJSON_CreateObject();
        g_autofree char *type = pack_describe_type(parameter);

        add_text(each, "name", parameter->name);
        add_text(each, "type", type);
        cJSON_AddBoolToObject(each, "needed", parameter->needed);
        cJSON_AddItemToObject(each, "default",
                              parameter->fallback != NULL ? config_node_to_json(parameter->fallback)
                                                          : cJSON_CreateNull());
        add_text(each, "says", parameter->says);
        if (parameter->fallback == NULL && !parameter->needed) {
            g_autofree char *users = pack_list_users(pack, parameter);

            add_text(each, "needed_for", users);
        }
        cJSON_AddItemToArray(list, each);
    }
    return list;
}

static cJSON *flow_to_json(const struct pack_flow *flow)
{
    cJSON *json = cJSON_CreateObject();
    const struct config_node *steps = config_node_get(flow->node, "steps");

    add_text(json, "flow", flow->name);
    add_text(json, "title", config_node_text(config_node_get(flow->node, "title")));
    cJSON *list = cJSON_AddArrayToObject(json, "steps");

    for (unsigned i = 0; steps != NULL && steps->kind == CONFIG_NODE_LIST && i < steps->count;
         i++) {
        const struct config_node *step = steps->items[i];
        cJSON *each = cJSON_CreateObject();
        g_autofree char *call = pack_view_call(step);
        g_autofree char *undo = pack_view_undo(step);

        add_text(each, "step", config_node_text(config_node_get(step, "step")));
        add_text(each, "call", call);
        add_text(each, "undo", undo);
        cJSON_AddItemToArray(list, each);
    }
    return json;
}

static cJSON *call_to_json(const struct config_node *call)
{
    g_autofree char *text = call != NULL ? pack_view_call(call) : NULL;

    return text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull();
}

static cJSON *sweeps_to_json(const struct pack *pack)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < pack->sweeps->len; i++) {
        const struct pack_sweep *sweep = pack->sweeps->pdata[i];
        cJSON *each = cJSON_CreateObject();

        add_text(each, "sweep", sweep->entry->key);
        cJSON_AddItemToObject(each, "call", call_to_json(sweep->entry->value));
        cJSON *flows = cJSON_AddArrayToObject(each, "for");

        for (unsigned k = 0; k < sweep->flows->len; k++)
            cJSON_AddItemToArray(flows, cJSON_CreateString(sweep->flows->pdata[k]));
        cJSON_AddItemToArray(list, each);
    }
    return list;
}

static cJSON *statuses_to_json(const GArray *statuses)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < statuses->len; i++) {
        const struct pack_statuses *range = &g_array_index(statuses, struct pack_statuses, i);
        g_autofree char *text = range->last > range->first
                                    ? g_strdup_printf("%dxx", range->first / 100)
                                    : g_strdup_printf("%d", range->first);

        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
    return list;
}

static cJSON *meanings_to_json(const struct pack *pack)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < pack->lexicon->meanings->len; i++) {
        const struct pack_meaning *meaning = pack->lexicon->meanings->pdata[i];
        cJSON *each = cJSON_CreateObject();

        add_text(each, "code", meaning->code);
        add_text(each, "message", meaning->message);
        cJSON_AddItemToObject(each, "status", statuses_to_json(meaning->statuses));
        add_text(each, "cause", meaning->cause);
        add_text(each, "act", meaning->act);
        cJSON *says = cJSON_AddObjectToObject(each, "says");
        cJSON *next = cJSON_AddObjectToObject(each, "next");

        for (unsigned k = 0; k < PACK_LANGUAGES; k++) {
            add_text(says, pack_language(k), meaning->says[k]);
            add_text(next, pack_language(k), meaning->next[k]);
        }
        add_text(each, "source", meaning->source);
        cJSON_AddBoolToObject(each, "unverified", meaning->unverified);
        cJSON_AddItemToArray(list, each);
    }
    return list;
}

static cJSON *envelopes_to_json(const struct pack *pack)
{
    cJSON *list = cJSON_CreateArray();

    for (unsigned i = 0; i < pack->lexicon->envelopes->len; i++) {
        const struct pack_envelope *envelope = pack->lexicon->envelopes->pdata[i];
        cJSON *each = cJSON_CreateObject();

        add_text(each, "at", envelope->at);
        cJSON_AddBoolToObject(each, "failure", envelope->failure);
        add_text(each, "code", envelope->codes);
        add_text(each, "message", envelope->messages);
        cJSON_AddItemToArray(list, each);
    }
    return list;
}

cJSON *pack_view_json(const struct pack *pack)
{
    cJSON *json = cJSON_CreateObject();

    add_text(json, "pack", pack->name);
    add_text(json, "title", pack->title);
    add_text(json, "says", pack->says);
    add_text(json, "file", pack->built_in ? NULL : pack->file);
    cJSON_AddItemToObject(json, "parameters", parameters_to_json(pack));
    cJSON *flows = cJSON_AddArrayToObject(json, "flows");

    for (unsigned i = 0; i < pack->flows->len; i++)
        cJSON_AddItemToArray(flows, flow_to_json(pack->flows->pdata[i]));
    cJSON *never = cJSON_AddArrayToObject(json, "never");

    for (unsigned i = 0; i < pack->never->len; i++) {
        const struct pack_never *refused = pack->never->pdata[i];
        cJSON *each = cJSON_CreateObject();

        add_text(each, "call", refused->call);
        add_text(each, "body", refused->body);
        add_text(each, "says", refused->says);
        cJSON_AddItemToArray(never, each);
    }
    cJSON *unverified = cJSON_AddArrayToObject(json, "unverified");

    for (unsigned i = 0; i < pack->unverified->len; i++)
        cJSON_AddItemToArray(unverified, cJSON_CreateString(pack->unverified->pdata[i]));
    bool asked = config_node_get(pack->version, "off") == NULL;

    cJSON_AddItemToObject(json, "version", call_to_json(asked ? pack->version : NULL));
    cJSON_AddItemToObject(json, "sweeps", sweeps_to_json(pack));
    cJSON_AddItemToObject(json, "envelopes", envelopes_to_json(pack));
    cJSON_AddItemToObject(json, "lexicon", meanings_to_json(pack));
    return json;
}

// SPDX-License-Identifier: MIT
// What systems and flows take from a pack: values of its parameters, and the calls
// that it refuses. Beside config_read_system and config_read_flow, after pack.c.
#include "config_read.h"
#include "config_world.h"

#include "../base/redact.h"
#include "config_problem.h"

#include <string.h>

// A list parameter that is given one value.
static const struct config_node *as_list(struct config_world *world, const struct config_node *node)
{
    struct config_node *list = config_node_new(world->arena, CONFIG_NODE_LIST, node->place);

    list->count = node->text[0] != '\0';
    list->items = arena_take(world->arena, sizeof *list->items);
    list->items[0] = (struct config_node *)(uintptr_t)node;
    return list;
}

struct template *config_read_parameter(struct config_world *world,
                                       const struct pack_parameter *parameter,
                                       const struct config_node *given, const char *system)
{
    const struct config_node *node = given != NULL ? given : parameter->fallback;
    bool secret = parameter->type == PACK_SECRET;
    g_autofree char *what = g_strdup_printf("%s of the system %s", parameter->name, system);

    if (secret && given != NULL)
        return config_read_secret(&world->reader, node, TEMPLATE_PLACE_TEXT, what);
    if (parameter->type == PACK_LIST && config_node_text(node) != NULL)
        node = as_list(world, node);
    return config_read_json(&world->reader, node, secret || redact_is_secret_name(parameter->name));
}

bool config_needs_parameter(const struct pack *pack, const struct pack_parameter *parameter,
                            const struct config_node *own, const struct config_node *with)
{
    const struct config_node *system = pack->system;
    bool needed = false;

    for (unsigned i = 0; system != NULL && i < system->count && !needed; i++)
        needed = config_node_entry(own, system->entries[i].key) == NULL &&
                 pack_uses(system->entries[i].value, parameter->name);
    for (unsigned i = 0; i < pack->parameters->len && !needed; i++) {
        const struct pack_parameter *other = pack->parameters->pdata[i];

        needed = other->fallback != NULL && config_node_entry(with, other->name) == NULL &&
                 pack_uses(other->fallback, parameter->name);
    }
    return needed;
}

void config_require_parameters(struct config_world *world, const struct config_definition *flow,
                               const struct config_definition *use,
                               const struct config_system *system)
{
    struct config_reader *reader = &world->reader;

    for (unsigned i = 0; i < use->pack->parameters->len; i++) {
        const struct pack_parameter *parameter = use->pack->parameters->pdata[i];

        if (parameter->fallback != NULL || !pack_uses(use->node, parameter->name) ||
            config_scope_find(reader->scope, parameter->name) != NULL)
            continue;
        config_problem_error(reader->problems, flow->place,
                             "the flow %s needs the parameter \"%s\" of the pack %s: %s; write it "
                             "in the \"with\" of the system %s or of the flow",
                             flow->id, parameter->name, use->pack->name, parameter->says,
                             system->id);
        // its name is known: one mistake is told once
        config_scope_add(reader->scope, parameter->name, parameter->place, false, reader->problems);
    }
}

const struct pack_parameter *config_find_missing(const struct pack *pack,
                                                 const struct config_node *node,
                                                 struct config_scope *scope)
{
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];

        if (pack_uses(node, parameter->name) && config_scope_find(scope, parameter->name) == NULL)
            return parameter;
    }
    return NULL;
}

GPtrArray *config_read_never(const struct pack *pack)
{
    GPtrArray *rules = pack->never->len > 0 ? never_rules_new() : NULL;

    for (unsigned i = 0; i < pack->never->len; i++) {
        const struct pack_never *never = pack->never->pdata[i];

        never_rules_add(rules, never->call, never->body, never->says);
    }
    return rules;
}

// The system that the flow names itself, or the defaults for it: only a pack's flow
// is looked for there, so a template's has no say.
static const struct config_definition *find_own_system(const struct config_world *world,
                                                       const struct config_definition *flow)
{
    struct config_chain chain = {0};

    config_chain_add(&chain, flow->node);
    config_chain_add_defaults(world, &chain, flow->name_space, "flow");
    const char *name = config_node_text(config_chain_get(&chain, "system"));

    return name != NULL ? config_world_find(world, CONFIG_KIND_SYSTEM, flow->name_space, name)
                        : NULL;
}

static void refuse_use(struct config_world *world, const struct config_definition *system,
                       const struct config_node *use)
{
    const struct pack *pack = system->pack;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < pack->flows->len; i++) {
        const struct pack_flow *flow = pack->flows->pdata[i];

        g_ptr_array_add(words, (gpointer)(uintptr_t)flow->name);
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", flow->name);
    }
    const char *guess = config_problem_guess(use->text, words);
    g_autofree char *advice = guess != NULL ? g_strdup_printf("did you mean \"%s\"?", guess)
                                            : g_strdup_printf("its flows are %s", list->str);

    config_problem_error(world->reader.problems, use->place,
                         "there is no template \"%s\", and no such flow in the pack %s of the "
                         "system %s: %s",
                         use->text, pack->name, system->id, advice);
}

struct config_definition *config_find_use(struct config_world *world,
                                          const struct config_definition *flow,
                                          const struct config_node *use)
{
    const char *name = config_node_text(use);
    const struct config_definition *system = find_own_system(world, flow);

    if (name == NULL)
        return NULL;
    struct config_definition *found =
        config_world_find(world, CONFIG_KIND_TEMPLATE, flow->name_space, name);

    if (found == NULL && system != NULL && system->pack != NULL)
        found = config_world_pack_flow(world, system->pack, name);
    if (found != NULL || (system != NULL && system->pack_missing))
        return found;
    if (system != NULL && system->pack != NULL)
        refuse_use(world, system, use);
    else
        config_world_require(world, CONFIG_KIND_TEMPLATE, flow->name_space, use);
    return NULL;
}

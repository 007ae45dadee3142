// SPDX-License-Identifier: MIT
// Which sweeps there are: those of the configuration, and those of packs where a flow
// makes what they find. Each is then read by config_read_sweep.
#include "config_read_sweep.h"

#include "config_problem.h"

#include <string.h>

// Keys of a sweep that it may have beside `use`.
static const char *const keys_beside_use[] = {"use",     "system", "every", "cron", "older",
                                              "at_most", "notify", "off",   NULL};

static char *fill_text(const char *text, const char *key, const char *mark)
{
    bool pattern = strcmp(key, "matches") == 0 || strcmp(key, "regex") == 0;
    g_autofree char *value = pattern ? g_regex_escape_string(mark, -1) : g_strdup(mark);
    g_autoptr(GRegex) hole = g_regex_new("\\{\\{ *mark *\\}\\}", 0, 0, NULL);

    return g_regex_replace_literal(hole, text, -1, 0, value, 0, NULL);
}

static struct config_node *fill(struct arena *arena, const struct config_node *node,
                                const char *key, const char *mark)
{
    struct config_node *copy = config_node_new(arena, node->kind, node->place);

    *copy = *node;
    if (node->kind == CONFIG_NODE_SCALAR && strstr(node->text, "{{") != NULL) {
        g_autofree char *text = fill_text(node->text, key, mark);

        copy->text = arena_text(arena, text, strlen(text));
    } else if (node->kind == CONFIG_NODE_LIST) {
        copy->items = arena_take(arena, node->count * sizeof *copy->items);
        for (unsigned i = 0; i < node->count; i++)
            copy->items[i] = fill(arena, node->items[i], key, mark);
    } else if (node->kind == CONFIG_NODE_MAP) {
        copy->entries = arena_take(arena, node->count * sizeof *copy->entries);
        for (unsigned i = 0; i < node->count; i++) {
            copy->entries[i] = node->entries[i];
            copy->entries[i].value =
                fill(arena, node->entries[i].value, node->entries[i].key, mark);
        }
    }
    return copy;
}

struct config_node *config_fill_mark(struct arena *arena, const struct config_node *node,
                                     const char *mark)
{
    return fill(arena, node, "", mark);
}

static struct config_definition *find_system(struct config_world *world,
                                             const struct config_definition *definition)
{
    struct config_chain chain = {0};

    config_chain_add(&chain, definition->node);
    config_chain_add_defaults(world, &chain, definition->name_space, "sweep");
    const struct config_node *node = config_chain_get(&chain, "system");

    if (node == NULL) {
        config_problem_error(world->reader.problems, definition->place,
                             "\"system\" is missing in the sweep \"%s\": write which system it "
                             "searches",
                             definition->id);
        return NULL;
    }
    struct config_definition *found =
        config_world_require(world, CONFIG_KIND_SYSTEM, definition->name_space, node);

    return found != NULL && found->system != NULL ? found : NULL;
}

static void refuse_use(struct config_world *world, const struct config_definition *system,
                       const struct config_node *use)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < system->pack->sweeps->len; i++) {
        const struct pack_sweep *sweep = system->pack->sweeps->pdata[i];

        g_ptr_array_add(words, (gpointer)(uintptr_t)sweep->entry->key);
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", sweep->entry->key);
    }
    const char *guess = config_problem_guess(use->text, words);
    g_autofree char *advice = guess != NULL ? g_strdup_printf("did you mean \"%s\"?", guess)
                              : list->len > 0
                                  ? g_strdup_printf("its sweeps are %s", list->str)
                                  : g_strdup("it has none: write a search in place of \"use\"");

    config_problem_error(world->reader.problems, use->place,
                         "the pack %s of the system %s has no sweep \"%s\": %s", system->pack->name,
                         system->id, use->text, advice);
}

static void refuse_keys(struct config_world *world, const struct config_definition *definition)
{
    for (unsigned i = 0; i < definition->node->count; i++) {
        const struct config_entry *entry = &definition->node->entries[i];

        if (!g_strv_contains(keys_beside_use, entry->key))
            config_problem_error(world->reader.problems, entry->place,
                                 "the pack's sweep says \"%s\": leave it out, or write a search "
                                 "in place of \"use\"",
                                 entry->key);
    }
}

// The pack's sweep that `use` names; NULL, complained of, where there is none.
static const struct pack_sweep *find_use(struct config_world *world,
                                         const struct config_definition *definition,
                                         const struct config_definition *system,
                                         const struct config_node *use)
{
    if (config_node_text(use) == NULL || system->pack_missing)
        return NULL;
    const struct pack_sweep *found =
        system->pack != NULL ? pack_find_sweep(system->pack, use->text) : NULL;

    if (system->pack == NULL)
        config_problem_error(world->reader.problems, use->place,
                             "\"use\" takes a sweep of the system's pack, and the system %s has "
                             "none: write a search in its place",
                             system->id);
    else if (found == NULL)
        refuse_use(world, system, use);
    else
        refuse_keys(world, definition);
    return found;
}

// What is taken: a pack's sweep at a system. The caller frees it.
static char *taken_key(const struct config_definition *system, const struct pack_sweep *sweep)
{
    return g_strdup_printf("%s/%s", system->id, sweep->entry->key);
}

// `taken` has the id of the sweep that takes each.
static void take(struct config_world *world, GHashTable *taken,
                 const struct config_definition *definition, const struct config_definition *system,
                 const struct pack_sweep *sweep)
{
    g_autofree char *key = taken_key(system, sweep);
    const char *other = g_hash_table_lookup(taken, key);

    if (other != NULL)
        config_problem_error(world->reader.problems, definition->place,
                             "the sweep \"%s\" is that one of the system %s already: leave one out",
                             other, system->id);
    else
        g_hash_table_insert(taken, g_steal_pointer(&key), definition->id);
}

// False, and a warning, where the sweep goes by a parameter that only flows are given.
static bool has_parameters(struct config_world *world, const struct config_definition *system,
                           const struct pack_sweep *sweep, struct config_place place)
{
    const struct pack_parameter *missing =
        config_find_missing(system->pack, sweep->entry->value, system->scope);

    if (missing != NULL)
        config_problem_warn(world->reader.problems, place,
                            "the sweep %s of the pack %s cannot run: it goes by \"%s\", which only "
                            "flows give; write it in the \"with\" of the system %s",
                            sweep->entry->key, system->pack->name, missing->name, system->id);
    return missing == NULL;
}

static void read_own(struct config_world *world, const struct config_definition *definition,
                     GHashTable *taken)
{
    const struct config_node *use = config_node_get(definition->node, "use");
    struct config_definition *system = find_system(world, definition);
    struct config_reading of = {.id = definition->id,
                                .name_space = definition->name_space,
                                .place = definition->place,
                                .system = system,
                                .own = definition->node,
                                .search = definition->node};

    if (system == NULL)
        return;
    if (use != NULL) {
        const struct pack_sweep *sweep = find_use(world, definition, system, use);

        if (sweep == NULL || sweep->entry->value->kind != CONFIG_NODE_MAP)
            return;
        take(world, taken, definition, system, sweep);
        if (!has_parameters(world, system, sweep, definition->place))
            return;
        of.search =
            config_fill_mark(world->arena, sweep->entry->value, world->reader.config->agent.mark);
        of.in_pack = true;
    }
    config_read_one_sweep(world, &of);
}

// True where a flow makes what the sweep finds.
static bool is_needed(const struct config_definition *system, const struct pack_sweep *sweep)
{
    for (unsigned i = 0; system->pack_flows != NULL && i < sweep->flows->len; i++)
        if (g_hash_table_contains(system->pack_flows, sweep->flows->pdata[i]))
            return true;
    return false;
}

// A sweep of the pack that nobody has taken, as SYSTEM/NAME.
static void read_untaken(struct config_world *world, struct config_definition *system,
                         const struct pack_sweep *sweep, GHashTable *taken)
{
    g_autofree char *id = taken_key(system, sweep);
    const struct config_sweep *other = config_find_sweep(world->reader.config, id);

    if (g_hash_table_contains(taken, id) || !is_needed(system, sweep) ||
        sweep->entry->value->kind != CONFIG_NODE_MAP ||
        !has_parameters(world, system, sweep, system->place))
        return;
    if (other != NULL)
        config_problem_error(world->reader.problems, other->place,
                             "a sweep of the pack %s is called \"%s\", too: rename this one",
                             system->pack->name, id);
    const struct config_reading of = {
        .id = id,
        .name_space = system->name_space,
        .place = sweep->entry->place,
        .system = system,
        .search =
            config_fill_mark(world->arena, sweep->entry->value, world->reader.config->agent.mark),
        .in_pack = true,
    };

    config_read_one_sweep(world, &of);
}

void config_read_sweeps(struct config_world *world)
{
    GPtrArray *definitions = world->definitions[CONFIG_KIND_SWEEP];
    GPtrArray *systems = world->definitions[CONFIG_KIND_SYSTEM];
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < definitions->len; i++) {
        const struct config_definition *definition = definitions->pdata[i];

        if (definition->node->kind == CONFIG_NODE_MAP &&
            g_hash_table_lookup(world->names[CONFIG_KIND_SWEEP], definition->id) == definition)
            read_own(world, definition, taken);
    }
    for (unsigned i = 0; i < systems->len; i++) {
        struct config_definition *system = systems->pdata[i];

        for (unsigned k = 0; system->pack != NULL && k < system->pack->sweeps->len; k++)
            read_untaken(world, system, system->pack->sweeps->pdata[k], taken);
    }
}

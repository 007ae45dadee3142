// SPDX-License-Identifier: MIT
// Follows a call's `system` to its definition while steps are read. Used by
// config_read_call and config_read_step, set up by config_read_flow.
#include "config_across.h"

#include "config_problem.h"

#include <string.h>

// Makes what is read go to `system`.
static void go_to(struct config_across *across, struct config_definition *system)
{
    across->system = system;
    config_scope_rebase(across->scope, system->scope);
}

void config_across_init(struct config_across *across, struct config_world *world,
                        struct config_definition *system, struct config_scope *scope)
{
    memset(across, 0, sizeof *across);
    across->world = world;
    across->scope = scope;
    across->known = config_scope_count(scope);
    across->used = g_ptr_array_new();
    g_ptr_array_add(across->used, system);
    go_to(across, system);
}

void config_across_clear(struct config_across *across)
{
    g_clear_pointer(&across->used, g_ptr_array_unref);
}

// The name within {{name}}, where that is the whole text; else NULL. The caller
// frees it.
static char *parameter_of(const char *text)
{
    size_t length = strlen(text);

    if (length <= 4 || !g_str_has_prefix(text, "{{") || !g_str_has_suffix(text, "}}"))
        return NULL;
    char *name = g_strndup(text + 2, length - 4);

    return g_strstrip(name);
}

// What gives the template's parameter its value, and the namespace in which that
// names a system.
static const struct config_node *parameter_value(const struct config_across *across,
                                                 const char *name, const char **name_space)
{
    const struct config_node *given = config_node_get(across->given, name);

    *name_space = given != NULL ? across->given_space : across->name_space;
    if (given != NULL)
        return given;
    const struct config_node *own = config_node_get(across->parameters, name);
    const char *text = config_node_text(own);
    bool required =
        text != NULL && strcmp(text, "required") == 0 && own->style == CONFIG_NODE_PLAIN;

    return required ? NULL : own; // that it is missing is said elsewhere
}

static struct config_definition *find_parameter(const struct config_across *across,
                                                const struct config_node *node, const char *name)
{
    const char *name_space = NULL;
    const struct config_node *value = parameter_value(across, name, &name_space);

    if (config_node_text(value) != NULL)
        return config_world_require(across->world, CONFIG_KIND_SYSTEM, name_space, value);
    if (config_node_get(across->parameters, name) == NULL)
        config_problem_error(across->world->reader.problems, node->place,
                             "\"system\" takes the name of a system, or a parameter of the "
                             "template: {{%s}} is none",
                             name);
    return NULL;
}

static struct config_definition *find(const struct config_across *across,
                                      const struct config_node *node)
{
    const char *text = config_node_text(node);
    g_autofree char *parameter = text != NULL ? parameter_of(text) : NULL;

    if (parameter != NULL)
        return find_parameter(across, node, parameter);
    return config_world_require(across->world, CONFIG_KIND_SYSTEM, across->name_space, node);
}

char *config_across_id(struct config_reader *reader, const struct config_node *node)
{
    const char *text = config_node_text(config_node_get(node, "system"));

    if (text == NULL || reader->across == NULL)
        return reader->config == NULL ? g_strdup(text) : NULL; // from the ledger: an id
    return g_strdup(reader->across->system->id);
}

// What the system's own calls miss, this flow misses.
static void note_needs(struct config_reader *reader, const struct config_definition *system)
{
    for (unsigned i = 0; reader->needs != NULL && i < system->needs->len; i++)
        g_ptr_array_add(reader->needs, config_reference_copy(system->needs->pdata[i]));
}

struct config_definition *config_across_enter(struct config_reader *reader,
                                              const struct config_node *node)
{
    struct config_across *across = reader->across;
    const struct config_node *name = config_node_get(node, "system");

    if (across == NULL)
        return NULL;
    struct config_definition *former = across->system;
    struct config_definition *found = name != NULL ? find(across, name) : NULL;

    if (found == NULL || found->system == NULL)
        return former;
    if (!g_ptr_array_find(across->used, found, NULL)) {
        g_ptr_array_add(across->used, found);
        note_needs(reader, found);
    }
    go_to(across, found);
    return former;
}

void config_across_leave(struct config_reader *reader, struct config_definition *former)
{
    if (reader->across != NULL)
        go_to(reader->across, former);
}

// Of the flow's own system, what `vars` and `with` may give anew was seen before.
static void check_names_of(struct config_reader *reader, const struct config_definition *system,
                           unsigned known)
{
    GHashTableIter iterator;
    void *name, *entry;

    g_hash_table_iter_init(&iterator, system->scope->names);
    while (g_hash_table_iter_next(&iterator, &name, &entry)) {
        const struct config_name *theirs = entry;
        const struct config_name *own = g_hash_table_lookup(reader->across->scope->names, name);

        if (own != NULL && own->number >= known)
            config_problem_error(reader->problems, own->place,
                                 "the name \"%s\" is taken in the steps that call the system %s, "
                                 "at %s:%d:%d: choose another one",
                                 (const char *)name, system->id, theirs->place.file,
                                 theirs->place.line, theirs->place.column);
    }
}

void config_across_check_names(struct config_reader *reader)
{
    const struct config_across *across = reader->across;

    for (unsigned i = 0; across != NULL && i < across->used->len; i++)
        check_names_of(reader, across->used->pdata[i], i == 0 ? across->known : 0);
}

void config_across_write_key(const struct config_across *across, GString *key)
{
    const struct config_node *parameters = across->parameters;

    for (unsigned i = 0;
         parameters != NULL && parameters->kind == CONFIG_NODE_MAP && i < parameters->count; i++) {
        const char *name_space = NULL;
        const char *text =
            config_node_text(parameter_value(across, parameters->entries[i].key, &name_space));
        const struct config_definition *system =
            text != NULL ? config_world_find(across->world, CONFIG_KIND_SYSTEM, name_space, text)
                         : NULL;

        if (system != NULL)
            g_string_append_printf(key, " %s=%s", parameters->entries[i].key, system->id);
    }
}

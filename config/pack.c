// SPDX-License-Identifier: MIT
// Reads a pack's file: its parameters, its part of a system, its flows. After
// pack_source, which finds the text; before the readers of systems and flows.
#include "pack.h"

#include "../base/json.h"
#include "config_file.h"
#include "config_problem.h"
#include "config_read.h"
#include "config_shape.h"
#include "pack_source.h"

#include <string.h>

static const char type_words[] = "text|url|secret|number|integer|boolean|list|map";

static void parameter_free(void *data)
{
    struct pack_parameter *parameter = data;

    g_clear_pointer(&parameter->words, g_ptr_array_unref);
    g_free(parameter);
}

static void sweep_free(void *data)
{
    struct pack_sweep *sweep = data;

    g_ptr_array_unref(sweep->flows);
    g_free(sweep);
}

void pack_free(struct pack *pack)
{
    if (pack == NULL)
        return;
    g_ptr_array_unref(pack->parameters);
    g_ptr_array_unref(pack->flows);
    g_ptr_array_unref(pack->never);
    g_ptr_array_unref(pack->sweeps);
    g_clear_pointer(&pack->unverified, g_ptr_array_unref);
    pack_lexicon_unref(pack->lexicon);
    g_free(pack->name);
    g_free(pack->text);
    g_free(pack);
}

const struct pack_parameter *pack_find_parameter(const struct pack *pack, const char *name)
{
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];

        if (strcmp(parameter->name, name) == 0)
            return parameter;
    }
    return NULL;
}

const struct pack_flow *pack_find_flow(const struct pack *pack, const char *name)
{
    for (unsigned i = 0; i < pack->flows->len; i++) {
        const struct pack_flow *flow = pack->flows->pdata[i];

        if (strcmp(flow->name, name) == 0)
            return flow;
    }
    return NULL;
}

const struct pack_sweep *pack_find_sweep(const struct pack *pack, const char *name)
{
    for (unsigned i = 0; i < pack->sweeps->len; i++) {
        const struct pack_sweep *sweep = pack->sweeps->pdata[i];

        if (strcmp(sweep->entry->key, name) == 0)
            return sweep;
    }
    return NULL;
}

void pack_refuse_parameter(const struct pack *pack, const struct config_entry *entry,
                           GPtrArray *problems)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (unsigned i = 0; i < pack->parameters->len; i++)
        g_ptr_array_add(
            words,
            (gpointer)(uintptr_t)((struct pack_parameter *)pack->parameters->pdata[i])->name);
    const char *guess = config_problem_guess(entry->key, words);
    g_autofree char *advice =
        guess != NULL ? g_strdup_printf("did you mean \"%s\"?", guess)
                      : g_strdup_printf("leave it out (erpwatch packs %s lists them)", pack->name);

    config_problem_error(problems, entry->place, "the pack %s has no parameter \"%s\": %s",
                         pack->name, entry->key, advice);
}

char *pack_describe_type(const struct pack_parameter *parameter)
{
    g_auto(GStrv) types = g_strsplit(type_words, "|", -1);

    if (parameter->type != PACK_ONE_OF)
        return g_strdup(types[parameter->type]);
    g_autoptr(GString) text = g_string_new("one of ");

    for (unsigned i = 0; i < parameter->words->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               (const char *)parameter->words->pdata[i]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool is_number(const struct config_node *node, const char *text)
{
    return node->style == CONFIG_NODE_PLAIN && json_is_number(text);
}

static bool is_truth(const struct config_node *node, const char *text)
{
    return node->style == CONFIG_NODE_PLAIN &&
           (g_ascii_strcasecmp(text, "true") == 0 || g_ascii_strcasecmp(text, "false") == 0);
}

// What a scalar has to be and is not; NULL where it fits.
static const char *scalar_misfit(const struct pack_parameter *parameter,
                                 const struct config_node *node, const char *text)
{
    switch (parameter->type) {
    case PACK_URL:
        return g_str_has_prefix(text, "http://") || g_str_has_prefix(text, "https://")
                   ? NULL
                   : "a URL that begins with https:// or http://";
    case PACK_NUMBER:
        return is_number(node, text) ? NULL : "a number without quotes";
    case PACK_INTEGER:
        return is_number(node, text) && strpbrk(text, ".eE") == NULL ? NULL : "a whole number";
    case PACK_BOOLEAN:
        return is_truth(node, text) ? NULL : "true or false";
    case PACK_MAP:
        return "a map of names and values";
    case PACK_TEXT:
    case PACK_SECRET:
    case PACK_LIST:
    case PACK_ONE_OF:
    default:
        return NULL;
    }
}

static const char *node_misfit(const struct pack_parameter *parameter,
                               const struct config_node *node)
{
    const char *text = config_node_text(node);

    if (text != NULL && strstr(text, "{{") == NULL && strstr(text, "${") == NULL)
        return scalar_misfit(parameter, node, text);
    if (text != NULL || (node->kind == CONFIG_NODE_LIST && parameter->type == PACK_LIST) ||
        (node->kind == CONFIG_NODE_MAP && parameter->type == PACK_MAP))
        return NULL;
    return parameter->type == PACK_LIST  ? "a value or a list of values"
           : parameter->type == PACK_MAP ? "a map of names and values"
                                         : "one value";
}

void pack_check_value(const struct pack *pack, const struct pack_parameter *parameter,
                      const struct config_node *value, GPtrArray *problems)
{
    const char *text = config_node_text(value);
    const char *misfit = node_misfit(parameter, value);
    g_autofree char *type = pack_describe_type(parameter);

    if (value->kind == CONFIG_NODE_BROKEN)
        return;
    if (misfit == NULL && parameter->type == PACK_ONE_OF && strstr(text, "{{") == NULL &&
        strstr(text, "${") == NULL &&
        !g_ptr_array_find_with_equal_func(parameter->words, text, g_str_equal, NULL))
        misfit = type;
    if (misfit == NULL)
        return;
    if (text != NULL && parameter->type != PACK_SECRET)
        config_problem_error(problems, value->place,
                             "the parameter \"%s\" of the pack %s has to be %s, not \"%s\"",
                             parameter->name, pack->name, misfit, text);
    else
        config_problem_error(problems, value->place,
                             "the parameter \"%s\" of the pack %s has to be %s, not %s",
                             parameter->name, pack->name, misfit, config_node_describe(value));
}

// '' in place of a value: an optional one that is not given.
static bool is_none(const struct config_node *node)
{
    const char *text = config_node_text(node);

    return text != NULL && text[0] == '\0';
}

static void read_parameter(struct pack *pack, const struct config_entry *entry, GPtrArray *problems)
{
    struct pack_parameter *parameter = g_new0(struct pack_parameter, 1);
    const struct config_node *node = entry->value;
    const struct config_entry *one_of = config_node_entry(node, "one_of");

    g_ptr_array_add(pack->parameters, parameter);
    parameter->name = entry->key;
    parameter->place = entry->place;
    parameter->type =
        (enum pack_type)config_read_word(config_node_get(node, "type"), type_words, PACK_TEXT);
    parameter->says = config_node_text(config_node_get(node, "says"));
    parameter->fallback = config_node_get(node, "default");
    parameter->example = config_node_get(node, "example");
    if (one_of != NULL) {
        parameter->type = PACK_ONE_OF;
        parameter->words = config_read_texts(one_of->value);
        if (config_node_get(node, "type") != NULL)
            config_problem_error(problems, one_of->place,
                                 "\"one_of\" stands in place of \"type\": leave one out");
    }
    if (parameter->says == NULL)
        parameter->says = "";
    if (parameter->fallback != NULL && !is_none(parameter->fallback))
        pack_check_value(pack, parameter, parameter->fallback, problems);
    if (parameter->example != NULL)
        pack_check_value(pack, parameter, parameter->example, problems);
}

static bool text_uses(const char *text, const char *name)
{
    const char *at = strstr(text, "{{");
    bool found = false;

    for (; at != NULL && !found; at = strstr(at, "{{")) {
        at += 2 + strspn(at + 2, " ");
        found = g_str_has_prefix(at, name) && strchr(" |}", at[strlen(name)]) != NULL;
    }
    return found;
}

bool pack_uses(const struct config_node *node, const char *name)
{
    bool found = node->kind == CONFIG_NODE_SCALAR && text_uses(node->text, name);

    for (unsigned i = 0; i < node->count && !found; i++) {
        if (node->kind == CONFIG_NODE_LIST)
            found = pack_uses(node->items[i], name);
        else if (node->kind == CONFIG_NODE_MAP)
            found =
                text_uses(node->entries[i].key, name) || pack_uses(node->entries[i].value, name);
    }
    return found;
}

char *pack_list_users(const struct pack *pack, const struct pack_parameter *parameter)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < pack->flows->len; i++) {
        const struct pack_flow *flow = pack->flows->pdata[i];

        if (pack_uses(flow->node, parameter->name))
            g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", flow->name);
    }
    return list->len > 0 ? g_string_free(g_steal_pointer(&list), FALSE) : NULL;
}

// True where the value of another parameter is made of this one.
static bool makes_another(const struct pack *pack, const char *name)
{
    bool found = false;

    for (unsigned i = 0; i < pack->parameters->len && !found; i++) {
        const struct pack_parameter *other = pack->parameters->pdata[i];

        found = other->fallback != NULL && pack_uses(other->fallback, name);
    }
    return found;
}

static void read_parameters(struct pack *pack, const struct config_node *node, GPtrArray *problems)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        if (node->entries[i].value->kind == CONFIG_NODE_MAP)
            read_parameter(pack, &node->entries[i], problems);
    }
    for (unsigned i = 0; i < pack->parameters->len; i++) {
        struct pack_parameter *parameter = pack->parameters->pdata[i];

        parameter->fixed = pack->system != NULL && pack_uses(pack->system, parameter->name);
        parameter->needed = parameter->fallback == NULL &&
                            (parameter->fixed || makes_another(pack, parameter->name));
    }
}

// Keys that only a user can fill in.
static void refuse_keys(const struct config_node *node, const char *const *keys, const char *why,
                        GPtrArray *problems)
{
    for (; *keys != NULL; keys++) {
        const struct config_entry *entry = config_node_entry(node, *keys);

        if (entry != NULL)
            config_problem_error(problems, entry->place, "\"%s\" has no place in a pack: %s", *keys,
                                 why);
    }
}

static void read_system(struct pack *pack, const struct config_node *node, GPtrArray *problems)
{
    static const char *const keys[] = {"with", "pack", "act", NULL};

    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return;
    pack->system = node;
    refuse_keys(node, keys, "the system that uses it says that", problems);
}

static void read_flows(struct pack *pack, const struct config_node *node, GPtrArray *problems)
{
    static const char *const keys[] = {"system", "notify", "off", NULL};

    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        struct pack_flow *flow = g_new0(struct pack_flow, 1);

        *flow = (struct pack_flow){entry->key, entry->value, entry->place};
        g_ptr_array_add(pack->flows, flow);
        refuse_keys(entry->value, keys, "the flow that uses it says that", problems);
        if (entry->value->kind == CONFIG_NODE_MAP && config_node_get(entry->value, "steps") == NULL)
            config_problem_error(problems, entry->place, "the flow \"%s\" has no steps: write them",
                                 entry->key);
    }
}

static void read_never(struct pack *pack, const struct config_node *node, GPtrArray *problems)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_LIST && i < node->count; i++) {
        const struct config_node *item = node->items[i];
        struct pack_never *never = g_new0(struct pack_never, 1);

        never->call = config_node_text(config_node_get(item, "call"));
        never->body = config_node_text(config_node_get(item, "body"));
        never->says = config_node_text(config_node_get(item, "says"));
        g_ptr_array_add(pack->never, never);
        if (never->call == NULL && never->body == NULL)
            config_problem_error(problems, item->place,
                                 "this refuses every call: write \"call\", \"body\" or both");
    }
}

// The names of all flows, for a guess; borrowed.
static GPtrArray *flow_names(const struct pack *pack)
{
    GPtrArray *names = g_ptr_array_new();

    for (unsigned i = 0; i < pack->flows->len; i++)
        g_ptr_array_add(names,
                        (gpointer)(uintptr_t)((struct pack_flow *)pack->flows->pdata[i])->name);
    return names;
}

static void check_sweep_flows(const struct pack *pack, const struct pack_sweep *sweep,
                              struct config_place place, GPtrArray *problems)
{
    g_autoptr(GPtrArray) names = flow_names(pack);

    for (unsigned i = 0; i < sweep->flows->len; i++) {
        const char *name = sweep->flows->pdata[i];
        const char *guess = config_problem_guess(name, names);

        if (pack_find_flow(pack, name) == NULL)
            config_problem_error(problems, place,
                                 "this pack has no flow \"%s\", whose records the sweep would "
                                 "find: %s%s%s",
                                 name,
                                 guess != NULL ? "did you mean \"" : "name its flows in \"for",
                                 guess != NULL ? guess : "", guess != NULL ? "\"?" : "\"");
    }
}

static void read_sweeps(struct pack *pack, const struct config_node *node, GPtrArray *problems)
{
    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const struct config_entry *entry = &node->entries[i];
        const struct config_node *flows = config_node_get(entry->value, "for");
        struct pack_sweep *sweep = g_new0(struct pack_sweep, 1);

        sweep->entry = entry;
        sweep->flows = config_read_texts(flows);
        if (flows == NULL)
            g_ptr_array_add(sweep->flows, g_strdup(entry->key));
        g_ptr_array_add(pack->sweeps, sweep);
        check_sweep_flows(pack, sweep, flows != NULL ? flows->place : entry->place, problems);
    }
}

static void add_names(struct config_scope *scope, const struct config_node *map,
                      GPtrArray *problems)
{
    for (unsigned i = 0; map != NULL && map->kind == CONFIG_NODE_MAP && i < map->count; i++)
        config_scope_add(scope, map->entries[i].key, map->entries[i].place, false, problems);
}

// The names that any system with this pack gives its calls.
static struct config_scope *parameter_scope(const struct pack *pack, GPtrArray *problems)
{
    struct config_scope *scope = config_scope_new(NULL);

    for (unsigned i = 0; i < pack->parameters->len; i++) {
        const struct pack_parameter *parameter = pack->parameters->pdata[i];

        config_scope_add(scope, parameter->name, parameter->place, parameter->type == PACK_SECRET,
                         problems);
    }
    return scope;
}

// Reads the version's call and the sweeps for their mistakes alone.
static void check_calls(const struct pack *pack, struct arena *arena, GPtrArray *problems)
{
    g_autoptr(config_scope_t) outer = parameter_scope(pack, problems);
    g_autoptr(config_scope_t) scope = config_scope_new(outer);
    struct config_reader reader = {.problems = problems, .scope = scope};

    call_free(config_read_version(&reader, pack->version));
    for (unsigned i = 0; i < pack->sweeps->len; i++) {
        g_autoptr(config_scope_t) own = config_scope_new(outer);

        reader.scope = own;
        config_check_pack_sweep(&reader, arena,
                                ((const struct pack_sweep *)pack->sweeps->pdata[i])->entry);
    }
}

// Reads a flow's steps for their mistakes alone, with the names that any system
// with this pack gives them.
static void check_flow(const struct pack *pack, const struct pack_flow *flow, GPtrArray *problems)
{
    g_autoptr(config_scope_t) outer = parameter_scope(pack, problems);
    g_autoptr(config_scope_t) scope = config_scope_new(outer);
    struct config_reader reader = {.problems = problems};

    add_names(scope, config_node_get(flow->node, "with"), problems);
    add_names(scope, config_node_get(flow->node, "vars"), problems);
    reader.scope = scope;
    g_ptr_array_unref(config_read_steps(&reader, config_node_get(flow->node, "steps")));
}

static struct pack *pack_new(const char *name, struct pack_source *source)
{
    struct pack *pack = g_new0(struct pack, 1);

    pack->name = g_strdup(name);
    pack->file = source->file;
    pack->built_in = source->built_in;
    pack->text = g_steal_pointer(&source->text);
    pack->parameters = g_ptr_array_new_with_free_func(parameter_free);
    pack->flows = g_ptr_array_new_with_free_func(g_free);
    pack->never = g_ptr_array_new_with_free_func(g_free);
    pack->sweeps = g_ptr_array_new_with_free_func(sweep_free);
    return pack;
}

static void check_name(const struct pack *pack, const struct config_node *head, GPtrArray *problems)
{
    const struct config_node *name = config_node_get(head, "name");

    if (config_node_text(name) != NULL && strcmp(name->text, pack->name) != 0)
        config_problem_error(problems, name->place,
                             "this pack calls itself \"%s\", and its file \"%s\": make them one",
                             name->text, pack->name);
}

// The tree of the file in its parts.
static void read_root(struct pack *pack, const struct config_node *root, GPtrArray *problems)
{
    const struct config_node *head = config_node_get(root, "pack");

    check_name(pack, head, problems);
    pack->title = config_node_text(config_node_get(head, "title"));
    if (pack->title == NULL)
        pack->title = pack->name;
    pack->says = config_node_text(config_node_get(head, "says"));
    pack->unverified = config_read_texts(config_node_get(head, "unverified"));
    read_system(pack, config_node_get(root, "system"), problems);
    read_parameters(pack, config_node_get(head, "parameters"), problems);
    read_flows(pack, config_node_get(root, "flows"), problems);
    read_never(pack, config_node_get(root, "never"), problems);
    pack->lexicon = pack_lexicon_read(pack->name, root, problems);
    pack->version = config_node_get(root, "version");
    read_sweeps(pack, config_node_get(root, "sweeps"), problems);
}

// False for what is no pack at all: complaints about what uses it would lead astray.
static bool is_readable(const struct config_node *root)
{
    const struct config_node *head = config_node_get(root, "pack");

    return head != NULL && head->kind == CONFIG_NODE_MAP;
}

struct pack *pack_read(struct arena *arena, const char *name, const char *folder,
                       GPtrArray *problems)
{
    struct pack_source source;
    g_autoptr(GError) error = NULL;
    struct config_place start = {NULL, 0, 0};

    if (!pack_source_find(name, folder, &source, &error)) {
        start.file = source.file;
        if (error != NULL)
            config_problem_error(problems, start, "%s", error->message);
        return NULL;
    }
    struct pack *pack = pack_new(name, &source);
    struct config_node *root =
        config_file_parse(arena, pack->file, pack->text, source.length, problems);

    if (root != NULL)
        config_shape_check(root, CONFIG_MAP_PACK_FILE, problems, NULL, NULL);
    if (!is_readable(root)) {
        pack_free(pack);
        return NULL;
    }
    read_root(pack, root, problems);
    for (unsigned i = 0; i < pack->flows->len; i++)
        check_flow(pack, pack->flows->pdata[i], problems);
    check_calls(pack, arena, problems);
    return pack;
}

struct pack_lexicon *pack_read_lexicon(const char *name)
{
    struct pack_source source;
    g_autoptr(arena_t) arena = config_arena_new();
    g_autoptr(GPtrArray) problems = config_problems_new();
    struct pack_lexicon *lexicon = NULL;

    if (!pack_source_find(name, NULL, &source, NULL))
        return NULL;
    // The lists alone are read: they are parts of the file that begin at a line's start.
    const char *begin = strstr(source.text, "\nlexicon:");
    const char *end = begin != NULL ? begin + 1 : NULL;

    while (end != NULL && (end = strchr(end, '\n')) != NULL &&
           (end[1] == ' ' || end[1] == '#' || end[1] == '\n' || end[1] == '-'))
        end++;
    if (end != NULL)
        source.text[end - source.text] = '\0';
    if (begin != NULL) {
        size_t length = strlen(begin);
        struct config_node *root =
            config_file_parse(arena, source.file, begin + 1, length - 1, problems);

        lexicon = pack_lexicon_read(name, root, problems);
    }
    pack_source_clear(&source);
    return lexicon;
}

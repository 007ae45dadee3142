// SPDX-License-Identifier: MIT
// Reads the files with their includes and notes what they define. Before this
// come the bytes (config_file), after it the readers of systems and flows.
#include "config_world.h"

#include "config_file.h"
#include "config_problem.h"
#include "config_shape.h"
#include "pack_source.h"

#include <glob.h>
#include <string.h>

static const char *const kind_keys[] = {"contacts", "systems", "templates", "flows", "sweeps"};
static const char *const kind_words[] = {"contact", "system", "template", "flow", "sweep"};

static void definition_free(void *data)
{
    struct config_definition *definition = data;

    g_free(definition->id);
    config_scope_free(definition->scope);
    g_clear_pointer(&definition->needs, g_ptr_array_unref);
    g_clear_pointer(&definition->pack_flows, g_hash_table_unref);
    g_free(definition);
}

static void steps_free(void *data)
{
    struct config_steps *steps = data;

    g_ptr_array_unref(steps->steps);
    g_ptr_array_unref(steps->needs);
    g_free(steps);
}

/* Tables by struct config_steps_key. */

static bool knows_the_same(const struct config_steps_key *one, const struct config_steps_key *other)
{
    return one->system == other->system && strcmp(one->names, other->names) == 0;
}

static guint hash_place(gconstpointer data)
{
    const struct config_steps_key *key = data;

    return g_direct_hash(key->node) ^ g_str_hash(key->names);
}

static gboolean is_same_place(gconstpointer left, gconstpointer right)
{
    const struct config_steps_key *one = left, *other = right;

    return one->node == other->node && knows_the_same(one, other);
}

static guint hash_content(gconstpointer data)
{
    const struct config_steps_key *key = data;

    return config_node_hash(key->node) ^ g_str_hash(key->names);
}

static gboolean is_same_content(gconstpointer left, gconstpointer right)
{
    const struct config_steps_key *one = left, *other = right;

    return one->file == other->file && knows_the_same(one, other) &&
           config_node_equals(one->node, other->node);
}

void config_world_init(struct config_world *world, struct config *config,
                       enum config_missing missing, GPtrArray *problems)
{
    memset(world, 0, sizeof *world);
    world->reader.config = config;
    world->reader.problems = problems;
    world->reader.missing = missing;
    world->reader.references = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    world->reader.expectations = g_hash_table_new_full(config_node_hash, config_node_equals, NULL,
                                                       (GDestroyNotify)g_ptr_array_unref);
    world->arena = config_arena_new();
    world->sources = g_ptr_array_new_with_free_func(g_free);
    world->files = g_ptr_array_new();
    for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++) {
        world->names[i] = g_hash_table_new(g_str_hash, g_str_equal);
        world->definitions[i] = g_ptr_array_new_with_free_func(definition_free);
    }
    world->defaults = g_hash_table_new(g_str_hash, g_str_equal);
    world->packs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)pack_free);
    world->uses = g_hash_table_new_full(NULL, NULL, NULL, definition_free);
    world->steps_of_node = g_hash_table_new(hash_place, is_same_place);
    world->steps_of_content = g_hash_table_new(hash_content, is_same_content);
    world->compiled = g_ptr_array_new_with_free_func(steps_free);
    world->digest = g_checksum_new(G_CHECKSUM_SHA256);
}

void config_world_clear(struct config_world *world)
{
    g_hash_table_unref(world->reader.references);
    g_hash_table_unref(world->reader.expectations);
    g_ptr_array_unref(world->sources);
    g_ptr_array_unref(world->files);
    for (unsigned i = 0; i < CONFIG_KIND_COUNT; i++) {
        g_hash_table_unref(world->names[i]);
        g_ptr_array_unref(world->definitions[i]);
    }
    g_hash_table_unref(world->defaults);
    g_hash_table_unref(world->uses);
    g_hash_table_unref(world->packs);
    g_free(world->folder);
    g_hash_table_unref(world->steps_of_node);
    g_hash_table_unref(world->steps_of_content);
    g_ptr_array_unref(world->compiled);
    g_checksum_free(world->digest);
    arena_free(world->arena);
}

static void define(struct config_world *world, enum config_kind kind,
                   const struct config_source *source, const struct config_entry *entry)
{
    struct config_definition *definition = g_new0(struct config_definition, 1);
    const char *space = source->name_space;

    definition->id =
        space[0] != '\0' ? g_strdup_printf("%s/%s", space, entry->key) : g_strdup(entry->key);
    definition->name_space = space;
    definition->node = entry->value;
    definition->place = entry->place;
    g_ptr_array_add(world->definitions[kind], definition);

    const struct config_definition *first = g_hash_table_lookup(world->names[kind], definition->id);

    if (strchr(entry->key, '/') != NULL || entry->key[0] == '\0')
        config_problem_error(world->reader.problems, entry->place,
                             "\"%s\" cannot be the name of a %s: leave the / out", entry->key,
                             kind_words[kind]);
    if (first != NULL)
        config_problem_error(world->reader.problems, entry->place,
                             "the %s \"%s\" is defined twice, first at %s:%d:%d: rename one",
                             kind_words[kind], definition->id, first->place.file, first->place.line,
                             first->place.column);
    else
        g_hash_table_insert(world->names[kind], definition->id, definition);
}

static void define_once(struct config_world *world, const struct config_source *source,
                        const char *key, const struct config_node **slot)
{
    const struct config_entry *entry = config_node_entry(source->root, key);

    if (entry == NULL)
        return;
    if (*slot != NULL)
        config_problem_error(world->reader.problems, entry->place,
                             "\"%s\" stands once in all files, and it stands at %s:%d:%d "
                             "already: leave one out",
                             key, (*slot)->place.file, (*slot)->place.line, (*slot)->place.column);
    else
        *slot = entry->value;
}

static void define_defaults(struct config_world *world, const struct config_source *source)
{
    const struct config_entry *entry = config_node_entry(source->root, "defaults");

    if (entry == NULL)
        return;
    const struct config_node *first = g_hash_table_lookup(world->defaults, source->name_space);

    if (first != NULL)
        config_problem_error(world->reader.problems, entry->place,
                             "\"defaults\" stands at %s:%d already for this namespace: leave one "
                             "out",
                             first->place.file, first->place.line);
    else
        g_hash_table_insert(world->defaults, (gpointer)(uintptr_t)source->name_space, entry->value);
}

static void define_all(struct config_world *world, const struct config_source *source)
{
    for (unsigned kind = 0; kind < CONFIG_KIND_COUNT; kind++) {
        const struct config_node *map = config_node_get(source->root, kind_keys[kind]);

        for (unsigned i = 0; map != NULL && map->kind == CONFIG_NODE_MAP && i < map->count; i++)
            define(world, kind, source, &map->entries[i]);
    }
    define_once(world, source, "agent", &world->agent);
    define_once(world, source, "mail", &world->mail);
    define_defaults(world, source);
}

static const char *read_namespace(struct config_world *world, const struct config_node *root)
{
    const struct config_entry *entry = config_node_entry(root, "namespace");
    const char *text = entry != NULL ? config_node_text(entry->value) : NULL;

    if (text == NULL)
        return "";
    if (entry != root->entries)
        config_problem_error(world->reader.problems, entry->place,
                             "\"namespace\" has to be the first key of its file");
    if (text[0] == '\0' || strchr(text, '/') != NULL)
        config_problem_error(world->reader.problems, entry->value->place,
                             "\"%s\" cannot be a namespace: write a name without /", text);
    return text;
}

static void read_file(struct config_world *world, const char *path, struct config_place place);

static void read_includes(struct config_world *world, const char *file,
                          const struct config_node *pattern)
{
    const char *text = config_node_text(pattern);

    if (text == NULL)
        return;
    if (world->reader.in_memory) {
        config_problem_error(world->reader.problems, pattern->place,
                             "a text in memory includes no files");
        return;
    }
    g_autofree char *directory = g_path_get_dirname(file);
    bool here = g_path_is_absolute(text) || strcmp(directory, ".") == 0;
    g_autofree char *full = here ? g_strdup(text) : g_build_filename(directory, text, NULL);
    glob_t found = {0};

    if (glob(full, GLOB_ERR, NULL, &found) != 0 || found.gl_pathc == 0)
        config_problem_error(world->reader.problems, pattern->place,
                             "no file matches \"%s\": mend the pattern, or leave it out", text);
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_file(world, found.gl_pathv[i], pattern->place);
    globfree(&found);
}

static void read_all_includes(struct config_world *world, const struct config_source *source)
{
    const struct config_node *include = config_node_get(source->root, "include");

    if (include == NULL)
        return;
    if (include->kind == CONFIG_NODE_SCALAR)
        read_includes(world, source->file, include);
    for (unsigned i = 0; include->kind == CONFIG_NODE_LIST && i < include->count; i++)
        read_includes(world, source->file, include->items[i]);
}

static bool seen(const struct config_world *world, const char *path)
{
    g_autofree char *full = g_canonicalize_filename(path, NULL);

    for (unsigned i = 0; i < world->files->len; i++) {
        g_autofree char *other = g_canonicalize_filename(world->files->pdata[i], NULL);

        if (strcmp(full, other) == 0)
            return true;
    }
    return false;
}

// A setting's references are filled in where it stands; from memory alone
// nothing of the machine is read.
static void expand_setting(struct config_node *node, void *user)
{
    struct config_world *world = user;
    g_autofree char *text = config_read_setting(&world->reader, node);

    if (text != NULL)
        node->text = arena_text(world->arena, text, strlen(text));
    else
        node->kind = CONFIG_NODE_BROKEN;
}

void config_world_read_text(struct config_world *world, const char *name, const char *text,
                            size_t length)
{
    struct config_node *root =
        config_file_parse(world->arena, name, text, length, world->reader.problems);

    if (root == NULL)
        return;
    if (root->kind == CONFIG_NODE_NULL)
        root = config_node_new(world->arena, CONFIG_NODE_MAP, root->place);
    config_shape_check(root, CONFIG_MAP_ROOT, world->reader.problems,
                       world->reader.in_memory ? NULL : expand_setting, world);
    if (root->kind != CONFIG_NODE_MAP)
        return;
    struct config_source *source = g_new0(struct config_source, 1);

    source->file = g_intern_string(name);
    source->root = root;
    source->name_space = read_namespace(world, root);
    g_ptr_array_add(world->sources, source);
    g_checksum_update(world->digest, (const guchar *)text, (gssize)length);
    define_all(world, source);
    read_all_includes(world, source);
}

static void read_file(struct config_world *world, const char *path, struct config_place place)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    if (seen(world, path))
        return;
    g_ptr_array_add(world->files, (gpointer)(uintptr_t)g_intern_string(path));
    if (g_file_get_contents(path, &text, &length, &error))
        config_world_read_text(world, path, text, length);
    else if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        config_problem_error(world->reader.problems, place, "there is no file %s", path);
    else if (g_file_test(path, G_FILE_TEST_IS_DIR))
        config_problem_error(world->reader.problems, place, "%s is a folder: name a file in it",
                             path);
    else
        config_problem_error(world->reader.problems, place, "%s", error->message);
}

void config_world_read(struct config_world *world, const char *path)
{
    struct config_place start = {g_intern_string(path), 0, 0};

    read_file(world, path, start);
}

struct config_definition *config_world_find(const struct config_world *world, enum config_kind kind,
                                            const char *name_space, const char *name)
{
    struct config_definition *found = NULL;

    if (name_space[0] != '\0') {
        g_autofree char *local = g_strdup_printf("%s/%s", name_space, name);

        found = g_hash_table_lookup(world->names[kind], local);
    }
    return found != NULL ? found : g_hash_table_lookup(world->names[kind], name);
}

struct config_definition *config_world_require(struct config_world *world, enum config_kind kind,
                                               const char *name_space,
                                               const struct config_node *node)
{
    const char *name = config_node_text(node);
    struct config_definition *found =
        name != NULL ? config_world_find(world, kind, name_space, name) : NULL;

    if (found != NULL || name == NULL)
        return found;
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    for (unsigned i = 0; i < world->definitions[kind]->len; i++) {
        const struct config_definition *each = world->definitions[kind]->pdata[i];
        size_t space = strlen(name_space);
        bool local = space > 0 && strcmp(each->name_space, name_space) == 0;

        g_ptr_array_add(words, local ? each->id + space + 1 : each->id);
    }
    const char *guess = config_problem_guess(name, words);

    if (guess != NULL)
        config_problem_error(world->reader.problems, node->place,
                             "there is no %s \"%s\": did you mean \"%s\"?", kind_words[kind], name,
                             guess);
    else
        config_problem_error(world->reader.problems, node->place,
                             "there is no %s \"%s\": define it under \"%s\"", kind_words[kind],
                             name, kind_keys[kind]);
    return NULL;
}

static void refuse_pack(struct config_world *world, const struct config_node *node)
{
    g_autoptr(GPtrArray) names = pack_source_names(world->folder);

    if (g_ptr_array_find_with_equal_func(names, node->text, g_str_equal, NULL))
        return; // complained of where it was first used
    const char *guess = config_problem_guess(node->text, names);
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < names->len; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", (const char *)names->pdata[i]);
    if (guess != NULL)
        config_problem_error(world->reader.problems, node->place,
                             "there is no pack \"%s\": did you mean \"%s\"?", node->text, guess);
    else
        config_problem_error(world->reader.problems, node->place,
                             "there is no pack \"%s\": there are %s", node->text, list->str);
}

const struct pack *config_world_pack(struct config_world *world, const struct config_node *node)
{
    const char *name = config_node_text(node);

    if (name == NULL)
        return NULL;
    struct pack *pack = g_hash_table_lookup(world->packs, name);
    unsigned before = world->reader.problems->len;

    if (pack != NULL)
        return pack;
    pack = pack_read(world->arena, name, world->folder, world->reader.problems);
    if (pack == NULL) {
        if (world->reader.problems->len == before)
            refuse_pack(world, node);
        return NULL;
    }
    g_checksum_update(world->digest, (const guchar *)pack->text, (gssize)strlen(pack->text));
    g_hash_table_insert(world->packs, pack->name, pack);
    return pack;
}

struct config_definition *config_world_pack_flow(struct config_world *world,
                                                 const struct pack *pack, const char *name)
{
    const struct pack_flow *flow = pack_find_flow(pack, name);
    struct config_definition *definition =
        flow != NULL ? g_hash_table_lookup(world->uses, flow) : NULL;

    if (flow == NULL || definition != NULL)
        return definition;
    definition = g_new0(struct config_definition, 1);
    definition->id = g_strdup_printf("%s/%s", pack->name, name);
    definition->name_space = "";
    definition->node = flow->node;
    definition->place = flow->place;
    definition->pack = pack;
    g_hash_table_insert(world->uses, (gpointer)(uintptr_t)flow, definition);
    return definition;
}

void config_chain_add(struct config_chain *chain, const struct config_node *map)
{
    if (map != NULL && map->kind == CONFIG_NODE_MAP && chain->count < G_N_ELEMENTS(chain->maps))
        chain->maps[chain->count++] = map;
}

void config_chain_add_defaults(const struct config_world *world, struct config_chain *chain,
                               const char *name_space, const char *key)
{
    if (name_space[0] != '\0')
        config_chain_add(chain,
                         config_node_get(g_hash_table_lookup(world->defaults, name_space), key));
    config_chain_add(chain, config_node_get(g_hash_table_lookup(world->defaults, ""), key));
}

static const struct config_entry *chain_entry(const struct config_chain *chain, const char *key)
{
    const struct config_entry *entry = NULL;

    for (unsigned i = 0; i < chain->count && entry == NULL; i++)
        entry = config_node_entry(chain->maps[i], key);
    return entry;
}

const struct config_node *config_chain_get(const struct config_chain *chain, const char *key)
{
    const struct config_entry *entry = chain_entry(chain, key);

    return entry != NULL ? entry->value : NULL;
}

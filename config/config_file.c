// SPDX-License-Identifier: MIT
// From the bytes of a file to its tree: libfyaml gives the events, this builds
// the nodes. Errors are collected; only a syntax error ends the reading.
#include "config_file.h"

#include "config_problem.h"
#include "config_traps.h"

#include <errno.h>
#include <libfyaml.h>

#include <string.h>

enum {
    DEPTH_MAX = 64,          // maps and lists within each other
    EXPANSION_BASE = 100000, // values that aliases may stand for: this many,
    EXPANSION_PER_NODE = 20, // and so many more for each value of the file
    HASH_FROM = 12,          // maps of more keys find duplicates by a hash table
};

struct anchor {
    struct config_node *node;
    bool open; // its value is still being read
};

struct yaml {
    struct arena *arena;
    struct fy_parser *parser;
    struct fy_event *event; // the present one, NULL at the end or after an error
    const char *file;
    const char *text;
    size_t length;
    GHashTable *anchors; // name -> struct anchor
    GPtrArray *problems;
    size_t nodes, expanded;
    unsigned depth;
    bool given_up; // the file cannot be read on
};

// A map while it is read.
struct map {
    GArray *entries;   // of struct config_entry
    GHashTable *index; // key -> its place in `entries`, from 1; NULL while there are few
    GArray *merges;    // the entries with the key <<; NULL for none
};

static struct config_node *read_value(struct yaml *yaml, struct config_place fallback);

static void drop_output(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

static void advance(struct yaml *yaml)
{
    if (yaml->event != NULL)
        fy_parser_event_free(yaml->parser, yaml->event);
    yaml->event = yaml->given_up ? NULL : fy_parser_parse(yaml->parser);
}

static enum fy_event_type next_type(const struct yaml *yaml)
{
    return yaml->event != NULL ? yaml->event->type : FYET_NONE;
}

// Where the present event begins; `fallback` for an empty value, which has no
// mark. Quoted texts and aliases are marked behind their first character.
static struct config_place event_place(const struct yaml *yaml, struct config_place fallback)
{
    const struct fy_mark *mark = fy_event_start_mark(yaml->event);

    if (mark == NULL || (yaml->event->type == FYET_SCALAR && yaml->event->scalar.value == NULL))
        return fallback;
    struct config_place place = {yaml->file, mark->line + 1, mark->column + 1};
    enum fy_node_style style = fy_event_get_node_style(yaml->event);

    if (mark->column > 0 &&
        (style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED || style == FYNS_ALIAS))
        place.column--;
    return place;
}

static size_t event_end(const struct yaml *yaml)
{
    const struct fy_mark *mark = fy_event_end_mark(yaml->event);

    return mark != NULL ? mark->input_pos : yaml->length;
}

static void give_up(struct yaml *yaml, struct config_place place, const char *message)
{
    config_problem_error(yaml->problems, place, "%s", message);
    yaml->given_up = true;
}

static void refuse_tag(struct yaml *yaml, struct config_place place)
{
    if (fy_event_get_tag_token(yaml->event) != NULL)
        config_problem_error(yaml->problems, place,
                             "tags (!…) mean nothing here: leave the tag out, or put a text that "
                             "begins with ! in single quotes");
}

// Registers the anchor of the present event, if it has one, for `node`.
static struct anchor *note_anchor(struct yaml *yaml, struct config_node *node)
{
    struct fy_token *token = fy_event_get_anchor_token(yaml->event);
    size_t length = 0;
    const char *name = token != NULL ? fy_token_get_text(token, &length) : NULL;

    if (name == NULL)
        return NULL;
    struct anchor *anchor = arena_take(yaml->arena, sizeof *anchor);

    anchor->node = node;
    anchor->open = true;
    g_hash_table_replace(yaml->anchors, arena_text(yaml->arena, name, length), anchor);
    return anchor;
}

static enum config_node_style scalar_style(const struct fy_event *event)
{
    switch (fy_event_get_node_style((struct fy_event *)(uintptr_t)event)) {
    case FYNS_SINGLE_QUOTED:
    case FYNS_DOUBLE_QUOTED:
        return CONFIG_NODE_QUOTED;
    case FYNS_LITERAL:
    case FYNS_FOLDED:
        return CONFIG_NODE_BLOCK;
    default:
        return CONFIG_NODE_PLAIN;
    }
}

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"~", "null", "Null", "NULL", NULL};

    return g_strv_contains(words, text);
}

static struct config_node *read_scalar(struct yaml *yaml, struct config_place fallback)
{
    struct config_place place = event_place(yaml, fallback);
    struct config_node *node = config_node_new(yaml->arena, CONFIG_NODE_NULL, place);
    struct anchor *anchor = note_anchor(yaml, node);
    struct fy_token *token = yaml->event->scalar.value;
    size_t length = 0;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : NULL;

    refuse_tag(yaml, place);
    if (anchor != NULL)
        anchor->open = false;
    if (text == NULL)
        return node;
    node->style = (unsigned char)scalar_style(yaml->event);
    if (memchr(text, '\0', length) != NULL)
        config_problem_error(yaml->problems, place, "a text cannot hold the character NUL");
    node->text = arena_text(yaml->arena, text, length);
    if (node->style != CONFIG_NODE_PLAIN || !is_null_word(node->text))
        node->kind = CONFIG_NODE_SCALAR;
    if (node->style == CONFIG_NODE_PLAIN &&
        config_traps_cut_by_comment(node->text, yaml->text, yaml->length, event_end(yaml)))
        config_problem_error(yaml->problems, place,
                             "YAML takes what follows \" #\" for a comment: put the URL in single "
                             "quotes, or write \"# \" where a comment is meant");
    return node;
}

static struct config_node *read_alias(struct yaml *yaml, struct config_place fallback)
{
    struct config_place place = event_place(yaml, fallback);
    size_t length = 0;
    const char *text = fy_token_get_text(yaml->event->alias.anchor, &length);
    g_autofree char *name = g_strndup(text != NULL ? text : "", length);
    struct anchor *anchor = g_hash_table_lookup(yaml->anchors, name);

    if (anchor == NULL) {
        config_problem_error(yaml->problems, place,
                             "there is no anchor &%s before this: define it, or put a text that "
                             "begins with * in single quotes",
                             name);
        return config_node_new(yaml->arena, CONFIG_NODE_BROKEN, place);
    }
    if (anchor->open) {
        config_problem_error(yaml->problems, place, "the anchor &%s would hold itself", name);
        return config_node_new(yaml->arena, CONFIG_NODE_BROKEN, place);
    }
    yaml->expanded += anchor->node->expanded;
    if (yaml->expanded > EXPANSION_BASE + EXPANSION_PER_NODE * yaml->nodes)
        give_up(yaml, place,
                "the anchors of this file stand for too many values: write less by "
                "anchors, more by templates");
    return anchor->node;
}

static struct config_node *read_list(struct yaml *yaml, struct config_place fallback)
{
    struct config_place place = event_place(yaml, fallback);
    struct config_node *node = config_node_new(yaml->arena, CONFIG_NODE_LIST, place);
    struct anchor *anchor = note_anchor(yaml, node);
    g_autoptr(GPtrArray) items = g_ptr_array_new();

    refuse_tag(yaml, place);
    advance(yaml);
    while (yaml->event != NULL && next_type(yaml) != FYET_SEQUENCE_END) {
        struct config_node *item = read_value(yaml, place);

        if (item == NULL)
            return NULL;
        node->expanded += item->expanded;
        g_ptr_array_add(items, item);
    }
    node->count = items->len;
    node->items = arena_take(yaml->arena, items->len * sizeof *node->items);
    if (items->len > 0)
        memcpy(node->items, items->pdata, items->len * sizeof *node->items);
    if (anchor != NULL)
        anchor->open = false;
    return node;
}

static const struct config_entry *entry_at(const struct map *map, unsigned i)
{
    return &g_array_index(map->entries, struct config_entry, i);
}

static const struct config_entry *find_entry(const struct map *map, const char *key)
{
    if (map->index != NULL) {
        unsigned found = GPOINTER_TO_UINT(g_hash_table_lookup(map->index, key));

        return found > 0 ? entry_at(map, found - 1) : NULL;
    }
    for (unsigned i = 0; i < map->entries->len; i++) {
        if (strcmp(entry_at(map, i)->key, key) == 0)
            return entry_at(map, i);
    }
    return NULL;
}

// Most maps are small: there are very many, and a table for each would cost more than the rest.
static void index_last(struct map *map)
{
    unsigned count = map->entries->len, from = count - 1;

    if (count < HASH_FROM)
        return;
    if (map->index == NULL) {
        map->index = g_hash_table_new(g_str_hash, g_str_equal);
        from = 0;
    }
    for (unsigned i = from; i < count; i++)
        g_hash_table_insert(map->index, (gpointer)(uintptr_t)entry_at(map, i)->key,
                            GUINT_TO_POINTER(i + 1));
}

// Adds an entry unless its key is there already: an error, with both places,
// for one that the file writes twice.
static void add_entry(struct yaml *yaml, struct map *map, const struct config_entry *entry,
                      bool merged)
{
    const struct config_entry *first = find_entry(map, entry->key);

    if (first == NULL) {
        g_array_append_val(map->entries, *entry);
        index_last(map);
    } else if (!merged) {
        config_problem_error(yaml->problems, entry->place,
                             "the key \"%s\" stands here twice, first at line %d, column %d: leave "
                             "one out",
                             entry->key, first->place.line, first->place.column);
    }
}

// Adds what `<<` names: a map or a list of maps. What the map has itself stays.
static void merge(struct yaml *yaml, struct map *map, const struct config_entry *from)
{
    const struct config_node *node = from->value;

    if (node->kind == CONFIG_NODE_BROKEN)
        return;
    if (node->kind == CONFIG_NODE_LIST) {
        for (unsigned i = 0; i < node->count; i++) {
            struct config_entry item = {from->key, from->place, node->items[i]};

            if (item.value->kind == CONFIG_NODE_LIST)
                config_problem_error(yaml->problems, from->place,
                                     "<< takes a map, or a list of maps, that an anchor names");
            else
                merge(yaml, map, &item);
        }
        return;
    }
    if (node->kind != CONFIG_NODE_MAP) {
        config_problem_error(yaml->problems, from->place,
                             "<< takes a map, or a list of maps, that an anchor names");
        return;
    }
    for (unsigned i = 0; i < node->count; i++)
        add_entry(yaml, map, &node->entries[i], true);
}

static void add_merge(struct map *map, const struct config_entry *entry)
{
    if (map->merges == NULL)
        map->merges = g_array_new(FALSE, FALSE, sizeof *entry);
    g_array_append_val(map->merges, *entry);
}

// A key that is a map or a list: an unquoted template, most often. Skips the key
// and its value.
static void refuse_key(struct yaml *yaml, struct config_place outer)
{
    const struct fy_mark *mark = fy_event_start_mark(yaml->event);
    size_t offset = mark != NULL && mark->input_pos > 0 ? mark->input_pos - 1 : 0;
    g_autofree char *template = config_traps_template(yaml->text, yaml->length, offset);

    if (next_type(yaml) == FYET_MAPPING_START && template != NULL)
        config_problem_error(yaml->problems, outer,
                             "YAML takes the braces of %s for a map: quote the template, '%s'",
                             template, template);
    else
        config_problem_error(yaml->problems, event_place(yaml, outer),
                             "a key has to be a text: put it in single quotes");
    // What stands within has been said.
    unsigned said = yaml->problems->len;

    if (read_value(yaml, outer) != NULL)
        read_value(yaml, outer);
    if (!yaml->given_up)
        g_ptr_array_set_size(yaml->problems, (int)said);
}

static bool read_key(struct yaml *yaml, struct config_place outer, struct config_entry *entry,
                     size_t *end)
{
    if (next_type(yaml) != FYET_SCALAR) {
        refuse_key(yaml, outer);
        return false;
    }
    size_t length = 0;
    struct fy_token *token = yaml->event->scalar.value;
    const char *text = token != NULL ? fy_token_get_text(token, &length) : NULL;

    entry->place = event_place(yaml, outer);
    entry->key = arena_text(yaml->arena, text != NULL ? text : "", length);
    refuse_tag(yaml, entry->place);
    *end = event_end(yaml);
    advance(yaml);
    return true;
}

// In braces, {name} is a key without a value: a forgotten colon.
static bool lacks_colon(struct yaml *yaml, const struct config_entry *entry, size_t end)
{
    if (next_type(yaml) != FYET_SCALAR || yaml->event->scalar.value != NULL ||
        !config_traps_no_colon(yaml->text, yaml->length, end))
        return false;
    const char *space = strchr(entry->key, ' ');
    int first = space != NULL ? (int)(space - entry->key) : (int)strlen(entry->key);

    config_problem_error(yaml->problems, entry->place,
                         "there is no colon behind a key in these braces: write {%.*s: %s}, or "
                         "put a text with a comma in single quotes",
                         first, entry->key, space != NULL ? space + 1 : "value");
    return true;
}

// `checked` of the node says, for read_map, that a key was complained of.
static void read_entries(struct yaml *yaml, struct config_node *node, struct map *map, bool braces)
{
    while (!yaml->given_up && yaml->event != NULL && next_type(yaml) != FYET_MAPPING_END) {
        struct config_entry entry = {0};
        size_t end = 0;

        if (!read_key(yaml, node->place, &entry, &end)) {
            node->checked = 1;
            continue;
        }
        if (yaml->event == NULL)
            return;
        bool complained = braces && lacks_colon(yaml, &entry, end);

        entry.value = read_value(yaml, entry.place);
        if (entry.value == NULL)
            return;
        node->checked |= complained;
        if (complained)
            continue;
        node->expanded += entry.value->expanded;
        if (strcmp(entry.key, "<<") == 0)
            add_merge(map, &entry);
        else
            add_entry(yaml, map, &entry, false);
    }
    for (unsigned i = 0; map->merges != NULL && i < map->merges->len; i++)
        merge(yaml, map, &g_array_index(map->merges, struct config_entry, i));
}

static void clear_map(struct map *map)
{
    g_array_unref(map->entries);
    g_clear_pointer(&map->index, g_hash_table_unref);
    g_clear_pointer(&map->merges, g_array_unref);
}

static struct config_node *read_map(struct yaml *yaml, struct config_place fallback)
{
    struct config_place place = event_place(yaml, fallback);
    struct config_node *node = config_node_new(yaml->arena, CONFIG_NODE_MAP, place);
    struct anchor *anchor = note_anchor(yaml, node);
    bool braces = fy_event_get_node_style(yaml->event) == FYNS_FLOW;
    struct map map = {.entries =
                          g_array_sized_new(FALSE, FALSE, sizeof(struct config_entry), HASH_FROM)};

    refuse_tag(yaml, place);
    advance(yaml);
    read_entries(yaml, node, &map, braces);
    node->count = map.entries->len;
    node->entries = arena_take(yaml->arena, node->count * sizeof *node->entries);
    if (node->count > 0)
        memcpy(node->entries, map.entries->data, node->count * sizeof *node->entries);
    clear_map(&map);
    if (anchor != NULL)
        anchor->open = false;
    if (node->checked != 0 && node->count == 0)
        node->kind = CONFIG_NODE_BROKEN;
    node->checked = 0;
    return node;
}

// Reads the value at the present event and goes past it; NULL where the file
// ends or cannot be read on.
static struct config_node *read_value(struct yaml *yaml, struct config_place fallback)
{
    struct config_node *node = NULL;

    if (yaml->event == NULL)
        return NULL;
    yaml->nodes++;
    if (++yaml->depth > DEPTH_MAX) {
        give_up(yaml, event_place(yaml, fallback),
                "maps and lists stand more than 64 deep here: "
                "nest them less");
        return NULL;
    }
    switch (next_type(yaml)) {
    case FYET_SCALAR:
        node = read_scalar(yaml, fallback);
        break;
    case FYET_ALIAS:
        node = read_alias(yaml, fallback);
        break;
    case FYET_SEQUENCE_START:
        node = read_list(yaml, fallback);
        break;
    case FYET_MAPPING_START:
        node = read_map(yaml, fallback);
        break;
    default:
        break;
    }
    yaml->depth--;
    advance(yaml);
    return node;
}

// The file's one document; a second one is refused, not ignored.
static struct config_node *read_document(struct yaml *yaml)
{
    struct config_place start = {yaml->file, 1, 1};
    struct config_node *root = NULL;

    for (advance(yaml); yaml->event != NULL;) {
        if (next_type(yaml) != FYET_DOCUMENT_START) {
            advance(yaml);
            continue;
        }
        struct config_place place = event_place(yaml, start);

        if (root != NULL) {
            give_up(yaml, place,
                    "a second document begins here: put it in a file of its own, and "
                    "name that in include");
            break;
        }
        advance(yaml);
        root = read_value(yaml, start);
    }
    return root != NULL ? root : config_node_new(yaml->arena, CONFIG_NODE_MAP, start);
}

static bool complained_of(const struct yaml *yaml, int line)
{
    for (unsigned i = 0; i < yaml->problems->len; i++) {
        const struct config_problem *problem = yaml->problems->pdata[i];

        if (problem->place.file == yaml->file && problem->place.line == line)
            return true;
    }
    return false;
}

static void report_syntax(struct yaml *yaml, struct fy_diag *diag)
{
    struct fy_diag_error *error;
    void *iterator = NULL;
    bool any = false;

    while ((error = fy_diag_errors_iterate(diag, &iterator)) != NULL) {
        struct config_place place = {yaml->file, MAX(error->line, 1), MAX(error->column, 1)};
        g_autofree char *words =
            config_traps_explain(yaml->text, yaml->length, place.line, place.column, error->msg);

        any = true;
        if (!complained_of(yaml, place.line)) // a trap is what the parser stumbled over
            config_problem_error(yaml->problems, place, "%s", words);
    }
    if (!any)
        config_problem_error(yaml->problems, (struct config_place){yaml->file, 1, 1},
                             "this file cannot be read as YAML");
}

// The parser does not tell want of memory from a text that is no YAML: an undo that is
// owed would be given up for it.
static void end_without_memory(bool lacks)
{
    if (lacks)
        g_error("out of memory for YAML");
}

static struct config_node *parse(struct yaml *yaml, struct fy_diag *diag)
{
    struct fy_parse_cfg settings = {
        .flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct config_node *root = NULL;

    errno = 0;
    yaml->parser = fy_parser_create(&settings);
    end_without_memory(yaml->parser == NULL);
    if (fy_parser_set_string(yaml->parser, yaml->text, yaml->length) != 0) {
        config_problem_error(yaml->problems, (struct config_place){yaml->file, 1, 1},
                             "this file cannot be read as YAML");
        yaml->given_up = true;
    } else {
        root = read_document(yaml);
        if (fy_parser_get_stream_error(yaml->parser) && !yaml->given_up) {
            report_syntax(yaml, diag);
            yaml->given_up = true;
        }
    }
    if (yaml->event != NULL)
        fy_parser_event_free(yaml->parser, yaml->event);
    fy_parser_destroy(yaml->parser);
    end_without_memory(errno == ENOMEM);
    return yaml->given_up ? NULL : root;
}

// What the parser would not tell of: it ends at a byte 0 as if the file did, and can hang on a
// directive.
static bool is_refused(const struct yaml *yaml)
{
    int zero = config_traps_zero(yaml->text, yaml->length);
    int directive = config_traps_directive(yaml->text, yaml->length);

    if (zero > 0)
        config_problem_error(yaml->problems, (struct config_place){yaml->file, zero, 1},
                             "this line holds a byte 0, as UTF-16 does: save the file as UTF-8");
    else if (directive > 0)
        config_problem_error(yaml->problems, (struct config_place){yaml->file, directive, 1},
                             "a line that begins with %% is a directive, which means nothing here: "
                             "leave it out, or indent it");
    return zero > 0 || directive > 0;
}

struct config_node *config_file_parse(struct arena *arena, const char *file, const char *text,
                                      size_t length, GPtrArray *problems)
{
    g_autoptr(GHashTable) anchors = g_hash_table_new(g_str_hash, g_str_equal);
    struct yaml yaml = {
        .arena = arena,
        .file = g_intern_string(file),
        .text = text,
        .length = length,
        .anchors = anchors,
        .problems = problems,
    };
    struct fy_diag_cfg settings;

    if (is_refused(&yaml))
        return NULL;
    fy_diag_cfg_default(&settings);
    settings.fp = NULL;
    settings.output_fn = drop_output;
    settings.colorize = false;
    struct fy_diag *diag = fy_diag_create(&settings);

    end_without_memory(diag == NULL);
    fy_diag_set_collect_errors(diag, true);
    struct config_node *root = length > 0 ? parse(&yaml, diag)
                                          : config_node_new(arena, CONFIG_NODE_MAP,
                                                            (struct config_place){yaml.file, 1, 1});

    fy_diag_destroy(diag);
    return root;
}

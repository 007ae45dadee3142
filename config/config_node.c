// SPDX-License-Identifier: MIT
// The tree that config_file makes of a file and that config_shape and the
// readers walk: its memory, its look-ups, and its way to JSON.
#include "config_node.h"

#include "../base/json.h"

#include <string.h>

// Large blocks go back to the system when the arena is freed.
enum { BLOCK_SIZE = 512 * 1024 };

struct arena *config_arena_new(void)
{
    return arena_new(BLOCK_SIZE);
}

struct config_node *config_node_new(struct arena *arena, enum config_node_kind kind,
                                    struct config_place place)
{
    struct config_node *node = arena_take(arena, sizeof *node);

    node->kind = (unsigned char)kind;
    node->place = place;
    node->expanded = 1;
    return node;
}

struct config_entry *config_node_entry(const struct config_node *node, const char *key)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return NULL;
    for (unsigned i = 0; i < node->count; i++) {
        const char *each = node->entries[i].key;

        if (each[0] == key[0] && strcmp(each, key) == 0)
            return &node->entries[i];
    }
    return NULL;
}

struct config_node *config_node_get(const struct config_node *node, const char *key)
{
    const struct config_entry *entry = config_node_entry(node, key);

    return entry != NULL ? entry->value : NULL;
}

const char *config_node_text(const struct config_node *node)
{
    return node != NULL && node->kind == CONFIG_NODE_SCALAR ? node->text : NULL;
}

const char *config_node_describe(const struct config_node *node)
{
    switch (node->kind) {
    case CONFIG_NODE_NULL:
        return "nothing";
    case CONFIG_NODE_LIST:
        return "a list";
    case CONFIG_NODE_MAP:
        return "a map";
    default:
        return "a text";
    }
}

// Most numbers are: they need no closer look.
static bool is_plain_number(const char *text)
{
    return (text[0] != '0' || text[1] == '\0') && text[strspn(text, "0123456789")] == '\0';
}

// What YAML 1.1 and 1.2 readers between them take for a number in a way that
// JSON does not write: leading zeros or +, hexadecimal, octal, binary, a bare
// point, _ between digits, and digits around an E, as article codes have them.
bool config_text_is_number_like(const char *text)
{
    static GRegex *pattern;

    if (text[0] == '\0' || strchr("+-.0123456789", text[0]) == NULL || is_plain_number(text))
        return false;
    if (g_once_init_enter(&pattern)) {
        GRegex *made = g_regex_new(
            "^(?:[+-]?0x[0-9a-f]+|[+-]?0o[0-7]+|[+-]?0b[01]+|[+-]?\\.(?:inf|nan)|[0-9]+e[0-9]+"
            "|[+-]?[0-9][0-9_]*(?:\\.[0-9_]*)?(?:e[+-]?[0-9]+)?|[+-]?\\.[0-9]+(?:e[+-]?[0-9]+)?)$",
            G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL);
        g_once_init_leave(&pattern, made);
    }
    if (!g_regex_match(pattern, text, 0, NULL))
        return false;
    if (!json_is_number(text))
        return true;
    const char *exponent = strpbrk(text, "eE");

    return exponent != NULL && strchr(text, '.') == NULL && g_ascii_isdigit(exponent[1]) &&
           text[0] != '-';
}

static guint mix(guint hash, guint value)
{
    return hash * 33 + value;
}

guint config_node_hash(gconstpointer data)
{
    const struct config_node *node = data;
    guint hash = mix(node->kind, node->count);

    if (node->kind == CONFIG_NODE_SCALAR)
        hash = mix(mix(hash, node->style), g_str_hash(node->text));
    for (unsigned i = 0; node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        hash = mix(hash, config_node_hash(node->items[i]));
    for (unsigned i = 0; node->kind == CONFIG_NODE_MAP && i < node->count; i++)
        hash = mix(mix(hash, g_str_hash(node->entries[i].key)),
                   config_node_hash(node->entries[i].value));
    return hash;
}

static bool entries_equal(const struct config_entry *left, const struct config_entry *right)
{
    return strcmp(left->key, right->key) == 0 && config_node_equals(left->value, right->value);
}

gboolean config_node_equals(gconstpointer left, gconstpointer right)
{
    const struct config_node *one = left, *other = right;

    if (one == other)
        return true;
    if (one->kind != other->kind || one->count != other->count)
        return false;
    if (one->kind == CONFIG_NODE_SCALAR)
        return one->style == other->style && strcmp(one->text, other->text) == 0;
    bool equal = true;

    for (unsigned i = 0; one->kind == CONFIG_NODE_LIST && equal && i < one->count; i++)
        equal = config_node_equals(one->items[i], other->items[i]);
    for (unsigned i = 0; one->kind == CONFIG_NODE_MAP && equal && i < one->count; i++)
        equal = entries_equal(&one->entries[i], &other->entries[i]);
    return equal;
}

static cJSON *scalar_to_json(const struct config_node *node)
{
    static const char *const truths[] = {"true", "True", "TRUE", NULL};
    static const char *const lies[] = {"false", "False", "FALSE", NULL};

    if (node->style != CONFIG_NODE_PLAIN)
        return cJSON_CreateString(node->text);
    if (g_strv_contains(truths, node->text))
        return cJSON_CreateTrue();
    if (g_strv_contains(lies, node->text))
        return cJSON_CreateFalse();
    if (json_is_number(node->text))
        return json_new_number(node->text);
    return cJSON_CreateString(node->text);
}

cJSON *config_node_to_json(const struct config_node *node)
{
    cJSON *json;

    switch (node->kind) {
    case CONFIG_NODE_SCALAR:
        return scalar_to_json(node);
    case CONFIG_NODE_LIST:
        json = cJSON_CreateArray();
        for (unsigned i = 0; i < node->count; i++)
            cJSON_AddItemToArray(json, config_node_to_json(node->items[i]));
        return json;
    case CONFIG_NODE_MAP:
        json = cJSON_CreateObject();
        for (unsigned i = 0; i < node->count; i++)
            cJSON_AddItemToObject(json, node->entries[i].key,
                                  config_node_to_json(node->entries[i].value));
        return json;
    default:
        return cJSON_CreateNull();
    }
}

// SPDX-License-Identifier: MIT
// What stands in a configuration file, as a tree with the place of each key and
// value. Nodes live in an arena and are freed with it; an alias shares the node
// of its anchor, so a value merged from an anchor has the anchor's place.
#ifndef CONFIG_CONFIG_NODE_H
#define CONFIG_CONFIG_NODE_H

#include "../base/arena.h"
#include "call.h"

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum config_node_kind {
    CONFIG_NODE_NULL,
    CONFIG_NODE_SCALAR,
    CONFIG_NODE_LIST,
    CONFIG_NODE_MAP,
    CONFIG_NODE_BROKEN, // what stands there has been complained of
};

enum config_node_style { CONFIG_NODE_PLAIN, CONFIG_NODE_QUOTED, CONFIG_NODE_BLOCK };

struct config_entry {
    const char *key;
    struct config_place place; // of the key
    struct config_node *value;
};

struct config_node {
    unsigned char kind;    // enum config_node_kind
    unsigned char style;   // enum config_node_style, of a scalar
    unsigned char checked; // config_shape: 1 + the map that it was found to fit
    unsigned count;        // items or entries
    size_t expanded;       // values that it stands for, aliases written out
    struct config_place place;
    union {
        const char *text;             // scalar
        struct config_node **items;   // list
        struct config_entry *entries; // map, in the order of the file
    };
};

// The memory of nodes and their texts.
struct arena *config_arena_new(void);

// An empty node of `kind` at `place`.
struct config_node *config_node_new(struct arena *arena, enum config_node_kind kind,
                                    struct config_place place);

// The entry or value of `key` in a map; NULL where it has none, or `node` (NULL
// is allowed) is no map.
struct config_entry *config_node_entry(const struct config_node *node, const char *key);
struct config_node *config_node_get(const struct config_node *node, const char *key);

// The text of a scalar, or NULL.
const char *config_node_text(const struct config_node *node);

// What the node is, in words: "a list".
const char *config_node_describe(const struct config_node *node);

// True for text that other YAML readers take for a number and change, such as
// 000123, 0x1F, 1E10 or +5: it has to be quoted.
bool config_text_is_number_like(const char *text);

// For tables of nodes by what they say, wherever that stands; the text of a null is nothing.
guint config_node_hash(gconstpointer data);
gboolean config_node_equals(gconstpointer left, gconstpointer right);

// The node as JSON: an unquoted scalar is a number where JSON writes one so, and
// true, false or null; all else is a string. The caller frees it.
cJSON *config_node_to_json(const struct config_node *node);

#endif

// SPDX-License-Identifier: MIT
// Holds a tree against the table of keys: unknown keys, wrong types, missing
// ones, words and amounts that are none. The readers rely on it.
#ifndef CONFIG_CONFIG_SHAPE_H
#define CONFIG_CONFIG_SHAPE_H

#include "config_keys.h"
#include "config_node.h"

// Puts the values of ${…} references into the text of a scalar, before it is
// checked; says itself what is wrong.
typedef void (*config_shape_expand)(struct config_node *node, void *user);

// Checks `node` as a map of this kind and appends problems (of struct
// config_problem). Nodes that fit are marked, so that shared ones are walked once. Scalars
// that are no templates are expanded first (NULL: they are not).
void config_shape_check(struct config_node *node, enum config_map map, GPtrArray *problems,
                        config_shape_expand expand, void *user);

// Checks `node` as the value of this key.
void config_shape_check_key(struct config_node *node, const struct config_key *key,
                            GPtrArray *problems);

#endif

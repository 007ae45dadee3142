// SPDX-License-Identifier: MIT
// What the two readers of sweeps share: config_read_sweeps, which says where each
// sweep's search and its other keys stand, and config_read_sweep, which reads them.
#ifndef CONFIG_CONFIG_READ_SWEEP_H
#define CONFIG_CONFIG_READ_SWEEP_H

#include "config_read.h"
#include "config_world.h"

// Where a sweep stands. Borrowed.
struct config_reading {
    const char *id, *name_space;
    struct config_place place;
    struct config_definition *system; // which has been read
    const struct config_node *own;    // the user's keys, or NULL
    const struct config_node *search; // the map with the search: `own`, or the pack's
    bool in_pack;                     // the latter
};

// Reads it into the configuration.
void config_read_one_sweep(struct config_world *world, const struct config_reading *of);

// A copy of `node` in which {{mark}} is `mark`, as its place wants it.
struct config_node *config_fill_mark(struct arena *arena, const struct config_node *node,
                                     const char *mark);

#endif

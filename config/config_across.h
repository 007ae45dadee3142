// SPDX-License-Identifier: MIT
// Which system a call goes to: the flow's, or the one that its `system` names.
// Within it, the names that its own `with` and login give are known, and those of
// the flow's other systems are not. For the files config_read*.c alone.
#ifndef CONFIG_CONFIG_ACROSS_H
#define CONFIG_CONFIG_ACROSS_H

#include "config_world.h"

// The systems of the steps that are read.
struct config_across {
    struct config_world *world;
    struct config_definition *system;     // that calls go to at this point
    struct config_scope *scope;           // the flow's names, whose parent is that system's
    const char *name_space;               // in which `system` is looked up
    const struct config_node *parameters; // of the template, or NULL
    const struct config_node *given;      // what the flow gives them, or NULL
    const char *given_space;              // in which those name systems
    GPtrArray *used;                      // of struct config_definition, each once
    unsigned known;                       // names that the flow has before its steps
};

// Begins with the flow's own system. `scope` knows the flow's names.
void config_across_init(struct config_across *across, struct config_world *world,
                        struct config_definition *system, struct config_scope *scope);
void config_across_clear(struct config_across *across);

// The id of the system that `node` (a call) names, NULL where it names none. The
// caller frees it.
char *config_across_id(struct config_reader *reader, const struct config_node *node);

// From here to config_across_leave what is read goes to the system that `node`
// names, if it does. Returns what to leave with.
struct config_definition *config_across_enter(struct config_reader *reader,
                                              const struct config_node *node);
void config_across_leave(struct config_reader *reader, struct config_definition *former);

// Complains of names of the flow that are values of one of its systems, too.
void config_across_check_names(struct config_reader *reader);

// Appends which systems the template's parameters name: steps that are read with
// others differ.
void config_across_write_key(const struct config_across *across, GString *key);

#endif

// SPDX-License-Identifier: MIT
// All files together: what each defines, by kind and name, before it is read.
// Names are looked up in the file's namespace first, then among the global ones.
#ifndef CONFIG_CONFIG_WORLD_H
#define CONFIG_CONFIG_WORLD_H

#include "config_reader.h"
#include "pack.h"

enum config_kind {
    CONFIG_KIND_CONTACT,
    CONFIG_KIND_SYSTEM,
    CONFIG_KIND_TEMPLATE,
    CONFIG_KIND_FLOW,
    CONFIG_KIND_SWEEP,
    CONFIG_KIND_COUNT
};

// One contact, system, template, flow or sweep as it was written.
struct config_definition {
    char *id;               // namespace/name, or name
    const char *name_space; // "" for the global one
    const struct config_node *node;
    struct config_place place;
    bool used; // of a template: by a flow
    // of a system, once read
    struct config_system *system; // borrowed
    struct config_scope *scope;   // the names that its flows know from it
    GPtrArray *needs;             // references that its calls miss
    const struct pack *pack;      // or NULL; of a pack's flow: the pack that it is of
    bool pack_missing;            // one is named, and there is none: that has been said
    GHashTable *pack_flows;       // names of the pack's flows that are used on it, or NULL
};

// Steps as compiled, and the references that they miss.
struct config_steps {
    GPtrArray *steps; // of struct step
    GPtrArray *needs; // of struct template_reference
};

// By what flows share steps: nodes, with what their names stand for.
struct config_steps_key {
    const struct config_definition *system;
    const char *names; // of the flow, for its steps
    const char *file;  // interned
    const struct config_node *node;
};

// One file.
struct config_source {
    const char *file, *name_space;
    struct config_node *root;
};

struct config_world {
    struct config_reader reader;
    struct arena *arena;
    GPtrArray *sources;                        // of struct config_source, in order
    GPtrArray *files;                          // of const char *, in order
    GHashTable *names[CONFIG_KIND_COUNT];      // id -> struct config_definition
    GPtrArray *definitions[CONFIG_KIND_COUNT]; // in order; these own them
    GHashTable *defaults;                      // namespace -> the node of `defaults`
    const struct config_node *agent, *mail;
    char *folder;      // of the configuration: packs may lie beside it; NULL: none is read
    GHashTable *packs; // name -> struct pack
    GHashTable *uses;  // struct pack_flow * -> struct config_definition, of those used
    // struct config_steps_key -> struct config_steps, compiled once for many flows: those that
    // are read from one node, and those that say the same in one file.
    GHashTable *steps_of_node, *steps_of_content;
    GPtrArray *compiled; // owns them
    GChecksum *digest;
};

// An empty world that reads into `config`.
void config_world_init(struct config_world *world, struct config *config,
                       enum config_missing missing, GPtrArray *problems);
void config_world_clear(struct config_world *world);

// Reads one text.
void config_world_read_text(struct config_world *world, const char *name, const char *text,
                            size_t length);

// Reads the file and all that it includes, and notes what they define.
void config_world_read(struct config_world *world, const char *path);

// What `name` means in `name_space`; NULL where nothing of the kind is called so.
struct config_definition *config_world_find(const struct config_world *world, enum config_kind kind,
                                            const char *name_space, const char *name);

// Likewise for the text of `node`; says what is wrong where there is none.
struct config_definition *config_world_require(struct config_world *world, enum config_kind kind,
                                               const char *name_space,
                                               const struct config_node *node);

// The pack that the text of `node` names, read once; says what is wrong where there
// is none.
const struct pack *config_world_pack(struct config_world *world, const struct config_node *node);

// The pack's flow of this name as a template, or NULL.
struct config_definition *config_world_pack_flow(struct config_world *world,
                                                 const struct pack *pack, const char *name);

// The maps that fill `node` in, nearest first: itself, the template or the pack's
// part, the defaults of its namespace, the global ones. NULLs are left out.
struct config_chain {
    const struct config_node *maps[4];
    unsigned count;
};
void config_chain_add(struct config_chain *chain, const struct config_node *map);
void config_chain_add_defaults(const struct config_world *world, struct config_chain *chain,
                               const char *name_space, const char *key);

// The nearest entry or value of a key, or NULL.
const struct config_node *config_chain_get(const struct config_chain *chain, const char *key);

// `every` or `cron` of the nearest map that has either; `what` ("a flow") is for people.
void config_read_schedule(struct config_world *world, const struct config_chain *chain,
                          const char *what, int64_t *every_ms, char **cron);

// Whom `notify` names: roles, and contacts.
struct config_notify {
    const struct config_system *system; // whose roles they are
    const GPtrArray *steps;             // of struct step, whose systems may give roles; or NULL
    GPtrArray *contacts;                // of char *: ids, appended
    GPtrArray *roles;                   // of char *: the roles, appended; or NULL
};

// Reads `notify`, with contacts looked up in that namespace; `node` may be NULL.
void config_read_notify(struct config_world *world, const char *name_space,
                        const struct config_node *node, const struct config_notify *notify);

// The template, or the flow of the system's pack, that the flow's `use` names; says
// what is wrong where there is none.
struct config_definition *config_find_use(struct config_world *world,
                                          const struct config_definition *flow,
                                          const struct config_node *use);

// What a parameter of a pack is worth: `given` (NULL: its own value) as its type
// wants it; `system` names the system for people. NULL, complained of, where it is
// wrong. A secret one is noted as such.
struct template *config_read_parameter(struct config_world *world,
                                       const struct pack_parameter *parameter,
                                       const struct config_node *given, const char *system);

// True where a system that says `own` itself, and gives its pack `with` (NULL for
// nothing), goes by the parameter in what it leaves to the pack.
bool config_needs_parameter(const struct pack *pack, const struct pack_parameter *parameter,
                            const struct config_node *own, const struct config_node *with);

// Says which parameters the flow's steps, those of the pack's flow `use`, go by that
// neither it nor the system gives.
void config_require_parameters(struct config_world *world, const struct config_definition *flow,
                               const struct config_definition *use,
                               const struct config_system *system);

// The first parameter of the pack that `node`, a part of it, goes by and that the names of
// `scope`, its system's, do not hold; NULL where there is none.
const struct pack_parameter *config_find_missing(const struct pack *pack,
                                                 const struct config_node *node,
                                                 struct config_scope *scope);

// The calls that a pack refuses, for a system; NULL for none.
GPtrArray *config_read_never(const struct pack *pack);

// Reads all contacts, systems, flows and sweeps into the configuration.
void config_read_contacts(struct config_world *world);
void config_read_systems(struct config_world *world);
void config_read_flows(struct config_world *world);
void config_read_sweeps(struct config_world *world);

#endif

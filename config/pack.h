// SPDX-License-Identifier: MIT
// What is known of one kind of system, as its file gives it: parameters, what
// its systems leave out, flows, and calls that are never made. Read-only.
#ifndef CONFIG_PACK_H
#define CONFIG_PACK_H

#include "config_node.h"
#include "pack_lexicon.h"

enum pack_type {
    PACK_TEXT,
    PACK_URL,
    PACK_SECRET,
    PACK_NUMBER,
    PACK_INTEGER,
    PACK_BOOLEAN,
    PACK_LIST,
    PACK_MAP,
    PACK_ONE_OF,
};

struct pack_parameter {
    const char *name;
    enum pack_type type;
    GPtrArray *words;                   // of char *: of one_of; else NULL
    const struct config_node *fallback; // NULL: it has no value of its own
    const struct config_node *example;  // NULL for none
    const char *says;
    bool fixed;  // what the system itself goes by: a flow may not change it
    bool needed; // each system has to give it, not only those whose flows use it
    struct config_place place;
};

struct pack_flow {
    const char *name;
    const struct config_node *node; // as a template's
    struct config_place place;
};

struct pack_never {
    const char *call, *body; // NULL for any
    const char *says;
};

struct pack_sweep {
    const struct config_entry *entry; // its name and what stands there
    GPtrArray *flows;                 // of char *: names of the flows whose records it finds
};

// Its nodes live in the arena that it was read into, its texts in them.
struct pack {
    char *name;
    const char *file, *title, *says; // says: NULL for nothing
    bool built_in;
    char *text;                        // the file's
    GPtrArray *parameters;             // of struct pack_parameter, in the order of the file
    const struct config_node *system;  // NULL for none
    GPtrArray *flows;                  // of struct pack_flow
    GPtrArray *never;                  // of struct pack_never
    const struct config_node *version; // the call that tells it, or NULL
    GPtrArray *sweeps;                 // of struct pack_sweep
    GPtrArray *unverified;             // of char *
    struct pack_lexicon *lexicon;      // what its answers mean; never NULL
};

// Reads the pack of this name (`folder` as of pack_source_find) and checks all of
// it but what only a system can tell. Problems, with places in the pack's file, are
// appended; NULL, without one, where there is no such pack, and NULL with one where
// it cannot be read at all.
struct pack *pack_read(struct arena *arena, const char *name, const char *folder,
                       GPtrArray *problems);

// The parameter, the flow or the sweep of this name, or NULL; borrowed.
const struct pack_parameter *pack_find_parameter(const struct pack *pack, const char *name);
const struct pack_flow *pack_find_flow(const struct pack *pack, const char *name);
const struct pack_sweep *pack_find_sweep(const struct pack *pack, const char *name);

// True where a text within `node` uses {{name}}, filtered or not.
bool pack_uses(const struct config_node *node, const char *name);

// The flows of the pack that go by the parameter, "order, payment"; NULL for none. The
// caller frees it.
char *pack_list_users(const struct pack *pack, const struct pack_parameter *parameter);

// What a pack in the program knows of answers alone, which is read faster; nothing is checked.
// NULL where there is no such pack, or it has no lexicon. The caller gives it back.
struct pack_lexicon *pack_read_lexicon(const char *name);

// Says what is wrong where the value does not fit the parameter's type.
void pack_check_value(const struct pack *pack, const struct pack_parameter *parameter,
                      const struct config_node *value, GPtrArray *problems);

// Says that there is no parameter of this name, and which was probably meant.
void pack_refuse_parameter(const struct pack *pack, const struct config_entry *entry,
                           GPtrArray *problems);

// The type in words: "text", "one of test, production". The caller frees it.
char *pack_describe_type(const struct pack_parameter *parameter);

// Frees it; NULL is allowed.
void pack_free(struct pack *pack);

typedef struct pack pack_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pack_t, pack_free)

#endif

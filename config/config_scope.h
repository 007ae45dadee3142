// SPDX-License-Identifier: MIT
// The names that a template may use at one point of a flow, in the order in
// which they become known. `with`, `vars`, `capture` and `set` share one space.
#ifndef CONFIG_CONFIG_SCOPE_H
#define CONFIG_CONFIG_SCOPE_H

#include "call.h"

#include <glib.h>
#include <stdbool.h>

struct config_name {
    struct config_place place;
    bool secret;
    unsigned number; // in the order of becoming known
};

struct config_scope {
    const struct config_scope *parent; // borrowed; or NULL
    unsigned parent_visible;           // its first so many names are known here
    GHashTable *names;                 // char * -> struct config_name
    bool own_names_again;              // names of the parent may be given anew: a lookup's
    bool no_secrets;                   // of an undo: a run's secrets are refused
    bool no_run;                       // of a sweep: what each run has is not known here
    unsigned own_from;                 // of an undo: names from this one on are its step's own,
    bool used_own;                     // and one of those was used
};

// A scope that knows what `parent` (NULL for none) knows now.
struct config_scope *config_scope_new(const struct config_scope *parent);

// From now on it knows what `parent` knows now, in place of its former parent.
void config_scope_rebase(struct config_scope *scope, const struct config_scope *parent);

// How many names it has itself.
unsigned config_scope_count(const struct config_scope *scope);

// Makes a name known; an error is appended where it is none, is given by the
// program, or is known already.
void config_scope_add(struct config_scope *scope, const char *name, struct config_place place,
                      bool secret, GPtrArray *problems);

// Makes login.NAME known, a secret.
void config_scope_add_login(struct config_scope *scope, const char *name,
                            struct config_place place);

// What is known of a name, or NULL; `scope` notes that it was used.
const struct config_name *config_scope_find(struct config_scope *scope, const char *name);

// True where the name is a system's: its `with` and its login give it again at any time.
bool config_scope_is_of_system(const struct config_scope *scope, const char *name,
                               const struct config_name *found);

// True for names that each run has: run.id, mark, now, …; and for those of them that are
// the run's own.
bool config_scope_is_given(const char *name);
bool config_scope_is_of_run(const char *name);

// The known name that `name` was probably meant to be; the caller frees it.
char *config_scope_guess(const struct config_scope *scope, const char *name);

// Frees it; NULL is allowed.
void config_scope_free(struct config_scope *scope);

typedef struct config_scope config_scope_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(config_scope_t, config_scope_free)

#endif

// SPDX-License-Identifier: MIT
// Keeps the names that are known while a flow is read, so that a template with a
// name that is not is found by `validate`, not at night.
#include "config_scope.h"

#include "config_problem.h"

#include <string.h>

static const char *const given[] = {"run.id", "run.started", "run.due", "mark",
                                    "now",    "uuid",        "random",  NULL};

struct config_scope *config_scope_new(const struct config_scope *parent)
{
    struct config_scope *scope = g_new0(struct config_scope, 1);

    scope->parent = parent;
    scope->parent_visible = parent != NULL ? config_scope_count(parent) : 0;
    scope->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    scope->own_from = G_MAXUINT;
    scope->no_run = parent != NULL && parent->no_run;
    return scope;
}

void config_scope_rebase(struct config_scope *scope, const struct config_scope *parent)
{
    scope->parent = parent;
    scope->parent_visible = parent != NULL ? config_scope_count(parent) : 0;
}

unsigned config_scope_count(const struct config_scope *scope)
{
    return g_hash_table_size(scope->names);
}

bool config_scope_is_given(const char *name)
{
    return g_strv_contains(given, name);
}

bool config_scope_is_of_run(const char *name)
{
    return strcmp(name, "mark") == 0 || g_str_has_prefix(name, "run.");
}

static const struct config_name *find_in(const struct config_scope *scope, const char *name,
                                         unsigned visible)
{
    const struct config_name *found = g_hash_table_lookup(scope->names, name);

    if (found != NULL && found->number < visible)
        return found;
    return scope->parent != NULL ? find_in(scope->parent, name, scope->parent_visible) : NULL;
}

static void insert(struct config_scope *scope, char *name, struct config_place place, bool secret)
{
    struct config_name *entry = g_new0(struct config_name, 1);

    entry->place = place;
    entry->secret = secret;
    entry->number = config_scope_count(scope);
    g_hash_table_insert(scope->names, name, entry);
}

static bool is_name(const char *name)
{
    if (!g_ascii_isalpha(name[0]) && name[0] != '_')
        return false;
    for (const char *at = name; *at != '\0'; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '-')
            return false;
    }
    return true;
}

void config_scope_add(struct config_scope *scope, const char *name, struct config_place place,
                      bool secret, GPtrArray *problems)
{
    const struct config_name *found = find_in(scope, name, G_MAXUINT);

    if (!is_name(name)) {
        config_problem_error(problems, place,
                             "\"%s\" cannot be a name: use letters, digits, _ and -, a letter "
                             "first",
                             name);
    } else if (config_scope_is_given(name)) {
        config_problem_error(problems, place,
                             "\"%s\" is a name that every run has: choose another one", name);
    } else if (found != NULL && g_hash_table_lookup(scope->names, name) == NULL &&
               scope->own_names_again) {
        insert(scope, g_strdup(name), place, secret || found->secret);
    } else if (found != NULL) {
        config_problem_error(problems, place,
                             "the name \"%s\" is taken already, at %s:%d:%d: choose another one",
                             name, found->place.file, found->place.line, found->place.column);
    } else {
        insert(scope, g_strdup(name), place, secret);
    }
}

void config_scope_add_login(struct config_scope *scope, const char *name, struct config_place place)
{
    char *full = g_strconcat("login.", name, NULL);

    if (g_hash_table_contains(scope->names, full))
        g_free(full);
    else
        insert(scope, full, place, true);
}

const struct config_name *config_scope_find(struct config_scope *scope, const char *name)
{
    const struct config_name *found = find_in(scope, name, G_MAXUINT);

    if (found != NULL && scope->parent != NULL && found->number >= scope->own_from &&
        g_hash_table_lookup(scope->parent->names, name) == found)
        scope->used_own = true;
    return found;
}

bool config_scope_is_of_system(const struct config_scope *scope, const char *name,
                               const struct config_name *found)
{
    while (scope->parent != NULL)
        scope = scope->parent;
    return g_hash_table_lookup(scope->names, name) == found;
}

static void collect(const struct config_scope *scope, unsigned visible, GPtrArray *names)
{
    GHashTableIter iterator;
    void *name, *entry;

    g_hash_table_iter_init(&iterator, scope->names);
    while (g_hash_table_iter_next(&iterator, &name, &entry)) {
        if (((struct config_name *)entry)->number < visible)
            g_ptr_array_add(names, name);
    }
    if (scope->parent != NULL)
        collect(scope->parent, scope->parent_visible, names);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

char *config_scope_guess(const struct config_scope *scope, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    collect(scope, G_MAXUINT, names);
    for (unsigned i = 0; given[i] != NULL; i++)
        g_ptr_array_add(names, (gpointer)(uintptr_t)given[i]);
    g_ptr_array_sort(names, compare_names); // hash order is not the same everywhere
    return g_strdup(config_problem_guess(name, names));
}

void config_scope_free(struct config_scope *scope)
{
    if (scope == NULL)
        return;
    g_hash_table_unref(scope->names);
    g_free(scope);
}

// SPDX-License-Identifier: MIT
// A name on the command line that nothing has: says which one was probably meant, or which there
// are. Comes after the configuration was read, before each cmd_* that takes a name.
#include "command.h"

#include "../config/config_problem.h"

#include <string.h>

// Enough for a person to see which names there are.
enum { NAMES_SHOWN = 20 };

int command_no_such(const char *command, const char *what, const char *name, const GPtrArray *names)
{
    const char *guess = config_problem_guess(name, names);
    g_autoptr(GString) known = g_string_new(names->len > 0 ? NULL : "none");
    if (guess != NULL) {
        return command_fail(command, "there is no %s %s: did you mean %s?", what, name, guess);
    }
    for (guint i = 0; i < names->len && i < NAMES_SHOWN; i++) {
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", (const char *)names->pdata[i]);
    }
    return command_fail(command, "there is no %s %s (there are: %s%s)", what, name, known->str,
                        names->len > NAMES_SHOWN ? ", …" : "");
}

static void add_flows(const struct config *config, GPtrArray *names)
{
    for (guint i = 0; i < config->flows->len; i++) {
        g_ptr_array_add(names, ((struct config_flow *)config->flows->pdata[i])->id);
    }
}

static void add_sweeps(const struct config *config, GPtrArray *names)
{
    for (guint i = 0; i < config->sweeps->len; i++) {
        g_ptr_array_add(names, ((struct config_sweep *)config->sweeps->pdata[i])->id);
    }
}

static void add_keys(GHashTable *table, GPtrArray *names)
{
    GList *keys = table != NULL ? g_hash_table_get_keys(table) : NULL;
    keys = g_list_sort(keys, (GCompareFunc)strcmp);
    for (const GList *key = keys; key != NULL; key = key->next) {
        g_ptr_array_add(names, key->data);
    }
    g_list_free(keys);
}

static void add_systems(const struct config *config, GPtrArray *names)
{
    add_keys(config->systems, names);
}

static void add_contacts(const struct config *config, GPtrArray *names)
{
    add_keys(config->contacts, names);
}

static const struct {
    enum command_kind kind;
    const char *what;
    void (*add)(const struct config *config, GPtrArray *names);
} kinds[] = {
    {COMMAND_FLOW, "flow", add_flows},
    {COMMAND_SWEEP, "sweep", add_sweeps},
    {COMMAND_SYSTEM, "system", add_systems},
    {COMMAND_CONTACT, "contact", add_contacts},
};

bool command_find_name(const char *command, const struct config *config, unsigned wanted,
                       const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) what = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (wanted & kinds[i].kind) {
            g_string_append_printf(what, "%s%s", what->len > 0 ? " or " : "", kinds[i].what);
            kinds[i].add(config, names);
        }
    }
    for (guint i = 0; i < names->len; i++) {
        if (strcmp(names->pdata[i], name) == 0) {
            return true;
        }
    }
    (void)command_no_such(command, what->str, name, names);
    return false;
}

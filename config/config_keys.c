// SPDX-License-Identifier: MIT
// Makes arrays of config_keys.def, one for each map, when first asked.
#include "config_keys.h"

#include <stdint.h>
#include <string.h>

enum { NEEDED = true, MAY = false };

static const struct config_map_info maps[] = {
#define MAP(name, title, sentence) {#name, title, sentence},
#define KEY(name, type, argument, need, fallback, sentence)
#define INHERIT(name)
#include "config_keys.def"
#undef MAP
#undef KEY
#undef INHERIT
};

// One row for each line of the table; a MAP line has neither name nor heir.
static const struct row {
    bool opens;
    struct config_key key;
} rows[] = {
#define MAP(name, title, sentence) {.opens = true},
#define KEY(name, type, argument, need, fallback, sentence)                                        \
    {false, {name, CONFIG_TYPE_##type, argument, need, fallback, sentence, 0}},
#define INHERIT(name) {false, {.inherits = CONFIG_MAP_##name}},
#include "config_keys.def"
#undef MAP
#undef KEY
#undef INHERIT
};

static struct {
    GPtrArray *keys, *names;
    GHashTable *index;
} tables[CONFIG_MAP_COUNT];

static GHashTable *by_name; // name of a map -> its number, from 1

static void collect(enum config_map map, GPtrArray *keys)
{
    int at = -1;

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].opens)
            at++;
        else if (at == (int)map && rows[i].key.name == NULL)
            collect(rows[i].key.inherits, keys);
        else if (at == (int)map)
            g_ptr_array_add(keys, (gpointer)(uintptr_t)&rows[i].key);
    }
}

static void prepare(void)
{
    static gsize ready;

    if (!g_once_init_enter(&ready))
        return;
    by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned map = 0; map < CONFIG_MAP_COUNT; map++) {
        g_hash_table_insert(by_name, (gpointer)(uintptr_t)maps[map].name,
                            GUINT_TO_POINTER(map + 1));
        tables[map].keys = g_ptr_array_new();
        tables[map].names = g_ptr_array_new();
        tables[map].index = g_hash_table_new(g_str_hash, g_str_equal);
        collect(map, tables[map].keys);
        for (unsigned i = 0; i < tables[map].keys->len; i++) {
            const struct config_key *key = tables[map].keys->pdata[i];

            g_ptr_array_add(tables[map].names, (gpointer)(uintptr_t)key->name);
            g_hash_table_insert(tables[map].index, (gpointer)(uintptr_t)key->name,
                                (gpointer)(uintptr_t)key);
        }
    }
    g_once_init_leave(&ready, 1);
}

const struct config_map_info *config_map_info(enum config_map map)
{
    return &maps[map];
}

enum config_map config_map_by_name(const char *name)
{
    prepare();
    unsigned found = GPOINTER_TO_UINT(g_hash_table_lookup(by_name, name));

    return found > 0 ? (enum config_map)(found - 1) : CONFIG_MAP_COUNT;
}

const GPtrArray *config_map_keys(enum config_map map)
{
    prepare();
    return tables[map].keys;
}

const struct config_key *config_map_key(enum config_map map, const char *name)
{
    prepare();
    return g_hash_table_lookup(tables[map].index, name);
}

const GPtrArray *config_map_names(enum config_map map)
{
    prepare();
    return tables[map].names;
}

bool config_map_is_filled_in(enum config_map map)
{
    return map == CONFIG_MAP_SYSTEM || map == CONFIG_MAP_SYSTEM_DEFAULTS ||
           map == CONFIG_MAP_FLOW || map == CONFIG_MAP_FLOW_DEFAULTS ||
           map == CONFIG_MAP_TEMPLATE || map == CONFIG_MAP_SWEEP ||
           map == CONFIG_MAP_SWEEP_DEFAULTS || map == CONFIG_MAP_PACK_SYSTEM;
}

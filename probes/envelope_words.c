// SPDX-License-Identifier: MIT
// Which rows of a table of words an object can concern at all, in one look at its
// members: nearly every answer is good and fits none, and each is asked. For the
// readers of envelopes.
#include "envelope_part.h"

#include <string.h>

enum { NAMES_MAX = 4000, NAME_MAX_BYTES = 32 };

GHashTable *envelope_words_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void envelope_words_add(GHashTable *words, const char *name, size_t length, unsigned row)
{
    g_autofree char *key = g_strndup(name, length);
    uint64_t *rows = g_hash_table_lookup(words, key);
    g_assert(length < NAME_MAX_BYTES && row < ENVELOPE_ROWS_MAX);
    if (!rows) {
        rows = g_new0(uint64_t, 1);
        g_hash_table_insert(words, g_steal_pointer(&key), rows);
    }
    *rows |= UINT64_C(1) << row;
}

uint64_t envelope_words_find(GHashTable *words, const cJSON *object)
{
    uint64_t found = 0;
    int left = NAMES_MAX;
    const cJSON *child = cJSON_IsObject(object) ? object->child : NULL;
    for (; child; child = child->next) {
        char name[NAME_MAX_BYTES];
        if (--left < 0)
            return UINT64_MAX;
        if (!envelope_plain_name(child->string, name, sizeof name))
            continue;
        const uint64_t *rows = g_hash_table_lookup(words, name);
        found |= rows ? *rows : 0;
    }
    return found;
}

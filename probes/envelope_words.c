// SPDX-License-Identifier: MIT
// Which rows of a table of words an object can concern at all, in one look at its
// members: nearly every answer is good and fits none, and each is asked. For the
// readers of envelopes.
#include "envelope_part.h"

#include <string.h>

enum { NAMES_MAX = 4000, NAME_MAX_BYTES = 32 };

struct envelope_words {
    uint32_t lengths[256]; // by the first byte: the lengths of the names that begin with it
    GHashTable *rows;      // name -> uint64_t, the rows as bits
};

struct envelope_words *envelope_words_new(void)
{
    struct envelope_words *words = g_new0(struct envelope_words, 1);
    words->rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return words;
}

void envelope_words_add(struct envelope_words *words, const char *name, size_t length, unsigned row)
{
    g_autofree char *key = g_strndup(name, length);
    uint64_t *rows = g_hash_table_lookup(words->rows, key);
    g_assert(length + 1 < NAME_MAX_BYTES && row < ENVELOPE_ROWS_MAX);
    if (!rows) {
        rows = g_new0(uint64_t, 1);
        g_hash_table_insert(words->rows, g_steal_pointer(&key), rows);
    }
    words->lengths[(unsigned char)*name] |= UINT32_C(1) << length;
    *rows |= UINT64_C(1) << row;
}

static uint64_t rows_of(const struct envelope_words *words, const char *key)
{
    char name[NAME_MAX_BYTES];
    size_t length = envelope_plain_name(key, name, sizeof name);
    if (!(words->lengths[(unsigned char)*name] >> length & 1))
        return 0;
    const uint64_t *rows = g_hash_table_lookup(words->rows, name);
    return rows ? *rows : 0;
}

uint64_t envelope_words_find(const struct envelope_words *words, const cJSON *object)
{
    uint64_t found = 0;
    int left = NAMES_MAX;
    const cJSON *child = cJSON_IsObject(object) ? object->child : NULL;
    for (; child; child = child->next) {
        if (--left < 0)
            return UINT64_MAX;
        found |= rows_of(words, child->string);
    }
    return found;
}

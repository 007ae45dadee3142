// SPDX-License-Identifier: MIT
// Which rows of a table of words an object can concern at all, in one look at the
// names of its members: nearly every answer is good and fits none, and each is asked.
// For the readers of envelopes.
#include "envelope_part.h"

enum { SLOTS = 512 }; // several times the words of a table

// By hash, the next free slot taken: two words of one hash are one, which asks too much, never
// too little.
struct envelope_words {
    uint32_t hashes[SLOTS]; // 0: free
    uint64_t rows[SLOTS];
    unsigned count;
};

struct envelope_words *envelope_words_new(void)
{
    return g_new0(struct envelope_words, 1);
}

// The place of a hash, or the free one where it would be.
static unsigned find_slot(const struct envelope_words *words, uint32_t hash)
{
    unsigned slot = hash % SLOTS;
    while (words->hashes[slot] != 0 && words->hashes[slot] != hash)
        slot = (slot + 1) % SLOTS;
    return slot;
}

void envelope_words_add(struct envelope_words *words, const char *name, size_t length, unsigned row)
{
    g_autofree char *key = g_strndup(name, length);
    uint32_t hash = envelope_name_hash(key);
    unsigned slot = find_slot(words, hash);
    words->count += words->hashes[slot] == 0;
    g_assert(words->count < SLOTS / 2 && row < ENVELOPE_ROWS_MAX);
    words->hashes[slot] = hash;
    words->rows[slot] |= UINT64_C(1) << row;
}

void envelope_names_read(struct envelope_names *names, const cJSON *object)
{
    const cJSON *child = cJSON_IsObject(object) ? object->child : NULL;
    names->count = 0;
    for (; child && names->count < ENVELOPE_NAMES_MAX; child = child->next)
        names->hashes[names->count++] = envelope_name_hash(child->string);
    names->more = child != NULL;
}

uint64_t envelope_words_find(const struct envelope_words *words, const struct envelope_names *names)
{
    uint64_t found = names->more ? UINT64_MAX : 0;
    for (unsigned i = 0; i < names->count; i++)
        found |= words->rows[find_slot(words, names->hashes[i])];
    return found;
}

// SPDX-License-Identifier: MIT
// A table of undos by their text, of limited size. Used by flow_pay; flow_engine has it.
#include "undo_kept.h"

// As many as flows of a usual configuration have; of more, all are read anew.
enum { UNDOS_AT_MOST = 256 };

struct undo_kept {
    GHashTable *undos; // text -> struct undo_read
};

static void clear(void *data)
{
    struct undo_read *read = data;
    undo_free(read->undo);
    lookup_free(read->lookup);
}

void undo_kept_release(struct undo_read *read)
{
    if (read)
        g_rc_box_release_full(read, clear);
}

static void release(void *read)
{
    undo_kept_release(read);
}

struct undo_kept *undo_kept_new(void)
{
    struct undo_kept *kept = g_new(struct undo_kept, 1);
    kept->undos = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release);
    return kept;
}

struct undo_read *undo_kept_take(struct undo_kept *kept, const char *source, GError **error)
{
    struct undo_read *found = g_hash_table_lookup(kept->undos, source);
    if (found)
        return g_rc_box_acquire(found);
    struct lookup *lookup = NULL;
    struct undo *undo = undo_parse(source, &lookup, error);
    if (!undo)
        return NULL;
    struct undo_read *read = g_rc_box_new(struct undo_read);
    *read = (struct undo_read){undo, lookup};
    if (g_hash_table_size(kept->undos) == UNDOS_AT_MOST)
        g_hash_table_remove_all(kept->undos);
    g_hash_table_insert(kept->undos, g_strdup(source), g_rc_box_acquire(read));
    return read;
}

void undo_kept_free(struct undo_kept *kept)
{
    if (!kept)
        return;
    g_hash_table_unref(kept->undos);
    g_free(kept);
}

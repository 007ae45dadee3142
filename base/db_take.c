// SPDX-License-Identifier: MIT
// Whole answers of queries: one number, one text, a list. Above db.c, by its rows alone.
#include "db.h"

bool db_take_integer(struct db_rows *taken, int64_t otherwise, int64_t *value, GError **error)
{
    g_autoptr(db_rows_t) rows = taken;
    bool there = db_rows_next(rows, error) && db_rows_text(rows, 0) != NULL;
    *value = there ? db_rows_integer(rows, 0) : otherwise;
    return !db_rows_failed(rows);
}

bool db_take_any(struct db_rows *taken, bool *any, GError **error)
{
    g_autoptr(db_rows_t) rows = taken;
    bool there = db_rows_next(rows, error);
    if (db_rows_failed(rows)) {
        return false;
    }
    *any = there;
    return true;
}

char *db_take_text(struct db_rows *taken, GError **error)
{
    g_autoptr(db_rows_t) rows = taken;
    return db_rows_next(rows, error) ? g_strdup(db_rows_text(rows, 0)) : NULL;
}

GPtrArray *db_take_texts(struct db_rows *taken, GError **error)
{
    g_autoptr(db_rows_t) rows = taken;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    while (db_rows_next(rows, error)) {
        g_ptr_array_add(texts, g_strdup(db_rows_text(rows, 0)));
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&texts);
}

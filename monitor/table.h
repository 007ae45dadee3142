// SPDX-License-Identifier: MIT
// Texts in columns for a terminal. Widths are of what is seen; control characters
// in texts from outside become blanks.
#ifndef MONITOR_TABLE_H
#define MONITOR_TABLE_H

#include <glib.h>

struct table;

// A table with these headings, ended by NULL.
struct table *table_new(const char *heading, ...) G_GNUC_NULL_TERMINATED;

// Adds a row: as many texts as there are headings; NULL is shown as "-".
void table_add(struct table *table, const char *first, ...);

// The table, each line ended; trailing blanks left out. `colour` (may be NULL) gives a
// cell its colour: the cell's text comes coloured back. The caller frees the text.
char *table_format(const struct table *table, char *(*colour)(const char *text, int column));

// Text from outside as one line without control characters; the caller frees it.
char *table_clean(const char *text);

// Frees it; NULL is allowed.
void table_free(struct table *table);

typedef struct table table_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(table_t, table_free)

#endif

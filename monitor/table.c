// SPDX-License-Identifier: MIT
// Columns of text for people. Pure: rows in, text out.
#include "table.h"

#include <stdbool.h>
#include <string.h>

enum { COLUMNS_AT_MOST = 12, GAP = 2 };

struct table {
    int columns;
    GPtrArray *cells; // of char *, row after row; the headings first
};

char *table_clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *line = g_string_new(NULL);
    for (const char *at = valid; *at != '\0'; at += g_utf8_skip[(guchar)*at]) {
        gunichar character = g_utf8_get_char(at);
        bool hidden = g_unichar_iscntrl(character) || g_unichar_type(character) == G_UNICODE_FORMAT;
        g_string_append_unichar(line, hidden ? ' ' : character);
    }
    return g_string_free(line, FALSE);
}

static void add_cell(struct table *table, const char *text)
{
    g_ptr_array_add(table->cells,
                    text != NULL && text[0] != '\0' ? table_clean(text) : g_strdup("-"));
}

struct table *table_new(const char *heading, ...)
{
    struct table *table = g_new0(struct table, 1);
    va_list headings;
    table->cells = g_ptr_array_new_with_free_func(g_free);
    va_start(headings, heading);
    for (const char *text = heading; text != NULL && table->columns < COLUMNS_AT_MOST;
         text = va_arg(headings, const char *)) {
        add_cell(table, text);
        table->columns++;
    }
    va_end(headings);
    return table;
}

void table_add(struct table *table, const char *first, ...)
{
    va_list texts;
    va_start(texts, first);
    add_cell(table, first);
    for (int i = 1; i < table->columns; i++) {
        add_cell(table, va_arg(texts, const char *));
    }
    va_end(texts);
}

static int width_of(const char *text)
{
    int width = 0;
    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(guchar)*at]) {
        gunichar character = g_utf8_get_char(at);
        width += g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
    }
    return width;
}

static void measure(const struct table *table, int widths[COLUMNS_AT_MOST])
{
    for (guint i = 0; i < table->cells->len; i++) {
        int column = (int)i % table->columns;
        widths[column] = MAX(widths[column], width_of(table->cells->pdata[i]));
    }
}

char *table_format(const struct table *table, char *(*colour)(const char *text, int column))
{
    int widths[COLUMNS_AT_MOST] = {0};
    GString *text = g_string_new(NULL);
    measure(table, widths);
    for (guint i = 0; i < table->cells->len; i++) {
        int column = (int)i % table->columns;
        const char *cell = table->cells->pdata[i];
        bool heading = (int)i < table->columns;
        g_autofree char *shown = colour != NULL && !heading ? colour(cell, column) : g_strdup(cell);
        g_string_append(text, shown);
        if (column == table->columns - 1) {
            g_string_append_c(text, '\n');
        } else {
            g_string_append_printf(text, "%*s", widths[column] - width_of(cell) + GAP, "");
        }
    }
    return g_string_free(text, FALSE);
}

void table_free(struct table *table)
{
    if (table == NULL) {
        return;
    }
    g_ptr_array_unref(table->cells);
    g_free(table);
}

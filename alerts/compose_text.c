// SPDX-License-Identifier: MIT
// Writes a view as plain text: what a person reads in a terminal, on a watch, or
// in a mail program without HTML. Comes after view_notice, before compose_mail.
#include "compose_text.h"

#include <string.h>

enum { WIDTH = 76, LABEL_MAX = 24 };

static glong columns(const char *text)
{
    return text != NULL ? g_utf8_strlen(text, -1) : 0;
}

static void append_repeated(GString *text, const char *what, glong count)
{
    for (glong i = 0; i < count; i++)
        g_string_append(text, what);
}

// Words of `value` from column `indent` on; following lines are indented likewise.
static void append_wrapped(GString *text, const char *value, glong indent)
{
    g_auto(GStrv) parts = g_strsplit(value, " ", -1);
    glong column = indent;

    for (char **part = parts; *part != NULL; part++) {
        glong width = columns(*part);
        if (column > indent && column + 1 + width > WIDTH) {
            g_string_append_c(text, '\n');
            append_repeated(text, " ", indent);
            column = indent;
        } else if (column > indent) {
            g_string_append_c(text, ' ');
            column++;
        }
        g_string_append(text, *part);
        column += width;
    }
    g_string_append_c(text, '\n');
}

static glong widest_label(const GPtrArray *rows)
{
    glong widest = 0;

    for (guint i = 0; i < rows->len; i++) {
        const struct view_row *row = g_ptr_array_index(rows, i);
        widest = MAX(widest, columns(row->label));
    }
    return MIN(widest, LABEL_MAX);
}

static void append_row(GString *text, const struct view_row *row, glong label_width)
{
    g_autofree char *value =
        row->note != NULL ? g_strdup_printf("%s (%s)", row->value, row->note) : NULL;

    g_string_append(text, row->label);
    append_repeated(text, " ", label_width - columns(row->label) + 2);
    if (columns(row->label) > label_width)
        g_string_append(text, "  ");
    if (row->literal)
        g_string_append_printf(text, "%s\n", value != NULL ? value : row->value);
    else
        append_wrapped(text, value != NULL ? value : row->value, label_width + 2);
}

static void append_rows(GString *text, const GPtrArray *rows)
{
    glong width = widest_label(rows);

    for (guint i = 0; i < rows->len; i++)
        append_row(text, g_ptr_array_index(rows, i), width);
}

static void append_steps(GString *text, const GPtrArray *rows)
{
    static const char *const marks[] = {
        [VIEW_PLAIN] = "-", [VIEW_BAD] = "✗", [VIEW_WARN] = "!", [VIEW_GOOD] = "✓"};

    for (guint i = 0; i < rows->len; i++) {
        const struct view_row *row = g_ptr_array_index(rows, i);
        g_string_append_printf(text, "%s %s", marks[row->tone], row->value);
        if (row->note != NULL && *row->note != '\0')
            g_string_append_printf(text, "  (%s)", row->note);
        g_string_append_c(text, '\n');
    }
}

static void append_paragraphs(GString *text, const char *paragraphs)
{
    g_auto(GStrv) lines = g_strsplit(paragraphs, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        append_wrapped(text, *line, 0);
}

static void append_block(GString *text, const struct view_block *block)
{
    if (block->title != NULL)
        g_string_append_printf(text, "\n-- %s --\n", block->title);
    if (block->kind == VIEW_ROWS)
        append_rows(text, block->rows);
    else if (block->kind == VIEW_STEPS)
        append_steps(text, block->rows);
    else if (block->kind == VIEW_CODE)
        g_string_append_printf(text, "%s\n", block->text);
    else
        append_paragraphs(text, block->text);
}

char *compose_text(const struct view *view)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "[%s]\n", view->badge);
    append_wrapped(text, view->headline, 0);
    append_repeated(text, "=", MIN(columns(view->headline), WIDTH));
    g_string_append_c(text, '\n');
    if (view->summary != NULL)
        append_wrapped(text, view->summary, 0);
    if (view->summary != NULL && view->key->len > 0)
        g_string_append_c(text, '\n');
    append_rows(text, view->key);
    for (guint i = 0; i < view->blocks->len; i++)
        append_block(text, g_ptr_array_index(view->blocks, i));
    g_string_append(text, "\n-- \n"); // the mark of a signature: replies leave it out
    append_wrapped(text, view->footer, 0);
    return g_string_free(text, FALSE);
}

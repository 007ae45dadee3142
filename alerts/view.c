// SPDX-License-Identifier: MIT
// The body of a mail as blocks: its memory, and the door through which every
// text is cleaned. Filled by view_notice.c and view_technical.c, written by
// compose_text.c and compose_html.c.
#include "view.h"
#include "safe_text.h"

enum { LABEL_CHARS = 80, VALUE_CHARS = 1200 };

static void row_free(void *data)
{
    struct view_row *row = data;

    g_free(row->label);
    g_free(row->value);
    g_free(row->note);
    g_free(row);
}

static void block_free(void *data)
{
    struct view_block *block = data;

    g_free(block->title);
    g_free(block->text);
    if (block->rows != NULL)
        g_ptr_array_unref(block->rows);
    g_free(block);
}

struct view *view_new(const struct words *words, const char *language)
{
    struct view *view = g_new0(struct view, 1);

    view->words = words;
    view->language = words_has_language(language) ? language : "en";
    view->key = view_rows_new();
    view->blocks = g_ptr_array_new_with_free_func(block_free);
    return view;
}

GPtrArray *view_rows_new(void)
{
    return g_ptr_array_new_with_free_func(row_free);
}

struct view_row *view_rows_add(GPtrArray *rows, const char *label, const char *value)
{
    struct view_row *row;
    char *clean = safe_text_line(value, VALUE_CHARS);

    if (*clean == '\0') {
        g_free(clean);
        return NULL;
    }
    row = g_new0(struct view_row, 1);
    row->label = safe_text_line(label, LABEL_CHARS);
    row->value = clean;
    g_ptr_array_add(rows, row);
    return row;
}

struct view_row *view_rows_add_literal(GPtrArray *rows, const char *label, const char *value)
{
    struct view_row *row = view_rows_add(rows, label, value);

    if (row != NULL)
        row->literal = TRUE;
    return row;
}

void view_rows_add_time(GPtrArray *rows, const struct words *words, const char *label,
                        const char *rfc3339, const char *zone_name)
{
    g_autofree char *utc = NULL;
    g_autofree char *local = words_time(words, rfc3339, zone_name, &utc);
    struct view_row *row = view_rows_add(rows, label, local);

    if (row != NULL)
        row->note = g_steal_pointer(&utc);
}

static struct view_block *add_block(struct view *view, enum view_kind kind, const char *title)
{
    struct view_block *block = g_new0(struct view_block, 1);

    block->kind = kind;
    block->title = g_strdup(title);
    g_ptr_array_add(view->blocks, block);
    return block;
}

void view_add_rows(struct view *view, enum view_kind kind, const char *title, GPtrArray *rows)
{
    if (rows->len == 0)
        g_ptr_array_unref(rows);
    else
        add_block(view, kind, title)->rows = rows;
}

static void add_literal(struct view *view, enum view_kind kind, const char *title, const char *text,
                        gsize max_bytes)
{
    gboolean cut = FALSE;
    char *clean = safe_text_block(text, max_bytes, &cut);
    g_autofree char *marked = NULL;

    g_strstrip(clean);
    if (*clean == '\0') {
        g_free(clean);
        return;
    }
    if (cut) {
        marked =
            g_strdup_printf("%s …\n[%s]", clean, words_get(view->words, "cut here: there is more"));
        g_free(clean);
        clean = g_steal_pointer(&marked);
    }
    add_block(view, kind, title)->text = clean;
}

void view_add_text(struct view *view, const char *title, const char *text)
{
    add_literal(view, VIEW_TEXT, title, text, 16 * 1024);
}

void view_add_code(struct view *view, const char *title, const char *text, gsize max_bytes)
{
    add_literal(view, VIEW_CODE, title, text, max_bytes);
}

void view_free(struct view *view)
{
    if (view == NULL)
        return;
    g_free(view->badge);
    g_free(view->headline);
    g_free(view->summary);
    g_free(view->footer);
    g_ptr_array_unref(view->key);
    g_ptr_array_unref(view->blocks);
    g_free(view);
}

// SPDX-License-Identifier: MIT
// A mail's body before it is text or HTML: a headline, the answers that a busy
// person wants first, and blocks in order. Every text in it is clean
// (safe_text), none is escaped yet.
#ifndef ALERTS_VIEW_H
#define ALERTS_VIEW_H

#include "words.h"

enum view_tone { VIEW_PLAIN, VIEW_BAD, VIEW_WARN, VIEW_GOOD };

enum view_kind {
    VIEW_TEXT,  // `text` is a paragraph
    VIEW_ROWS,  // label and value
    VIEW_CODE,  // `text` is literal
    VIEW_STEPS, // value, note, tone
};

struct view_row {
    char *label; // of VIEW_ROWS
    char *value;
    char *note;       // what stands behind it in grey, or NULL
    gboolean literal; // shown in a fixed-width font, never wrapped
    enum view_tone tone;
};

struct view_block {
    enum view_kind kind;
    char *title; // or NULL
    char *text;
    GPtrArray *rows; // of struct view_row
};

struct view {
    const struct words *words;
    const char *language;
    enum view_tone tone;
    char *badge;       // "P1 · ORDERS FAIL"
    char *headline;    // what happened
    char *summary;     // one sentence under it, or NULL
    GPtrArray *key;    // of struct view_row: the first answers
    GPtrArray *blocks; // of struct view_block
    char *footer;
};

// An empty body in a language. view_notice fills it; the caller frees it.
struct view *view_new(const struct words *words, const char *language);
void view_free(struct view *view);

// For those who fill a view. A row without a value (NULL or empty) is left out; texts are cleaned.
GPtrArray *view_rows_new(void);
struct view_row *view_rows_add(GPtrArray *rows, const char *label, const char *value);

// Likewise for a value that stays as it is, such as a URL or an ERP's message.
struct view_row *view_rows_add_literal(GPtrArray *rows, const char *label, const char *value);

// A moment in the reader's zone, with the same in UTC as its note; left out where it is none.
void view_rows_add_time(GPtrArray *rows, const struct words *words, const char *label,
                        const char *rfc3339, const char *zone_name);

// Appends blocks; one without content is left out. `rows` is taken.
void view_add_rows(struct view *view, enum view_kind kind, const char *title, GPtrArray *rows);
void view_add_text(struct view *view, const char *title, const char *text);
void view_add_code(struct view *view, const char *title, const char *text, gsize max_bytes);

typedef struct view view_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(view_t, view_free)

#endif

// SPDX-License-Identifier: MIT
// Many patterns over one text. A text is looked through once for what it holds; a
// pattern is run, and even compiled, only where the runs of letters that it needs are
// there. What is found is what regex_match finds.
#ifndef BASE_PATTERNS_H
#define BASE_PATTERNS_H

#include "regex.h"

struct patterns;
struct patterns_text;

// An empty list of patterns, all caseless; `flags` may add REGEX_WHOLE.
struct patterns *patterns_new(enum regex_flags flags);

// Appends one, which stands at the next index; NULL: fits nothing. Whoever takes patterns from
// outside has tried them before: of one that does not compile, a branch may still fit.
void patterns_add(struct patterns *patterns, const char *pattern);

// What `text` (borrowed until patterns_text_free) holds; NULL is no text, which nothing
// fits.
struct patterns_text *patterns_text_new(const char *text, size_t length);
void patterns_text_free(struct patterns_text *text);

// True where the pattern at `index` matches, within the limits of regex_match. May be
// called by several threads at once.
bool patterns_fit(const struct patterns *patterns, guint index, const struct patterns_text *text);

// Frees the list; NULL is allowed.
void patterns_free(struct patterns *patterns);

typedef struct patterns patterns_t;
typedef struct patterns_text patterns_text_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(patterns_t, patterns_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(patterns_text_t, patterns_text_free)

#endif

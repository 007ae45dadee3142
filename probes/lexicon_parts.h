// SPDX-License-Identifier: MIT
// What the parts of the lexicon share. Only lexicon*.c include it.
#ifndef PROBES_LEXICON_PARTS_H
#define PROBES_LEXICON_PARTS_H

#include "../base/patterns.h"

#include <stdbool.h>

// A text made ready for many patterns, as much of it as is looked at; NULL for NULL. The caller
// frees it.
struct patterns_text *lexicon_text(const char *text);

// Appends one pattern made of many, for a text as a whole: marks around it do not count.
void lexicon_add_whole(struct patterns *patterns, const char *const *each, size_t count);

// True for a stack trace, and for one or for words of failure.
bool lexicon_is_trace(const struct patterns_text *text);
bool lexicon_speaks_of_failure(const struct patterns_text *text);

#endif

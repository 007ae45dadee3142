// SPDX-License-Identifier: MIT
// What a text has to hold so that a pattern can match it at all: literal runs, read
// out of the pattern with caution. Pure.
#ifndef BASE_PATTERN_NEED_H
#define BASE_PATTERN_NEED_H

#include <glib.h>
#include <stdbool.h>

// The shortest run that is worth asking for.
enum { PATTERN_NEED_LEAST = 3 };

// The needs of a PCRE2 pattern without options but caseless, of GPtrArray of char *: of
// each, the text has to hold at least one run. Runs are ASCII, in lower case, and at
// least PATTERN_NEED_LEAST bytes long. Empty where nothing can be told, which is always
// so for what is not understood. The caller frees the array, which owns all.
GPtrArray *pattern_need(const char *pattern);

// The patterns of which one has to match where this one does, of char *: its branches, or itself
// where it has none or is not understood. The caller frees the array, which owns them.
GPtrArray *pattern_branches(const char *pattern);

#endif

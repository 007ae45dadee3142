// SPDX-License-Identifier: MIT
// Regular expressions (PCRE2 with JIT), bounded: match, heap and depth limits,
// so that a pattern or a body cannot stop the loop.
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <glib.h>
#include <stdbool.h>

struct regex;

#define REGEX_ERROR regex_error_quark()
GQuark regex_error_quark(void);
enum regex_error { REGEX_ERROR_SYNTAX, REGEX_ERROR_LIMIT };

// REGEX_ONCE: for a match or two, so that it is not worth making machine code of it.
enum regex_flags { REGEX_PLAIN = 0, REGEX_CASELESS = 1, REGEX_WHOLE = 2, REGEX_ONCE = 4 };

// Compiles a pattern (UTF-8, invalid bytes in subjects are stepped over). NULL
// and `error` with the offset where it is wrong.
struct regex *regex_compile(const char *pattern, enum regex_flags flags, GError **error);

// Finds the first match from `offset`. True and, where `groups` is not NULL, a
// GPtrArray of the texts of group 0, 1, … (NULL for a group that took no part;
// the caller frees it). False and no error: no match. False and REGEX_ERROR_LIMIT:
// it could not be decided within the limits.
bool regex_match(const struct regex *regex, const char *subject, size_t length, size_t offset,
                 GPtrArray **groups, GError **error);

// The texts (char *) of all matches, at most `most`: of group 1 where the pattern has
// one (matches without it are left out), else of the whole match. The caller
// frees the array, which owns them. NULL and REGEX_ERROR_LIMIT as above.
GPtrArray *regex_find_all(const struct regex *regex, const char *subject, size_t length,
                          unsigned most, GError **error);

// The text with `instead` in place of each match that is not empty; as it is where that
// cannot be decided. The caller frees it.
char *regex_replace(const struct regex *regex, const char *subject, const char *instead);

// Frees a compiled pattern; NULL is allowed.
void regex_free(struct regex *regex);

typedef struct regex regex_compiled_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(regex_compiled_t, regex_free)

#endif

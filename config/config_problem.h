// SPDX-License-Identifier: MIT
// Problems found while a configuration is read: collected, put in order, and
// the guess at what a mistyped word was to be.
#ifndef CONFIG_CONFIG_PROBLEM_H
#define CONFIG_CONFIG_PROBLEM_H

#include "config.h"

// Appends an error or a warning; the sentence says what is wrong, and what to
// write instead.
void config_problem_error(GPtrArray *problems, struct config_place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void config_problem_warn(GPtrArray *problems, struct config_place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

// Orders problems by file (as first met in `files`, of const char *), line and
// column, and drops repeated ones.
void config_problems_sort(GPtrArray *problems, const GPtrArray *files);

// True where one of them is an error.
bool config_problems_fatal(const GPtrArray *problems);

// The word of `words` (of const char *) that `word` was probably meant to be,
// or NULL; borrowed.
const char *config_problem_guess(const char *word, const GPtrArray *words);

#endif

// SPDX-License-Identifier: MIT
// Words of ours for YAML's own traps: what YAML took the text for, and what to
// write instead.
#ifndef CONFIG_CONFIG_TRAPS_H
#define CONFIG_CONFIG_TRAPS_H

#include "config_node.h"

// What the parser's `message` at this place (from 1) of `text` means for the
// writer: a sentence that the caller frees.
char *config_traps_explain(const char *text, size_t length, int line, int column,
                           const char *message);

// The template that begins at the first {{ at or after `offset` of the same line,
// with its braces; NULL where there is none. The caller frees it.
char *config_traps_template(const char *text, size_t length, size_t offset);

// True where an unquoted URL or path that ends at `offset` is followed by " #"
// and text right behind it: a fragment that YAML takes for a comment.
bool config_traps_cut_by_comment(const char *value, const char *text, size_t length, size_t offset);

// The line of the first byte 0, at which the parser ends as if the file did (a text in UTF-16 is
// full of them); 0 where there is none.
int config_traps_zero(const char *text, size_t length);

// The line of a directive (%YAML and its like), which the parser can hang on; 0
// where there is none.
int config_traps_directive(const char *text, size_t length);

// True where the key that ends at `offset` is not followed by a colon.
bool config_traps_no_colon(const char *text, size_t length, size_t offset);

#endif

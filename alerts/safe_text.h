// SPDX-License-Identifier: MIT
// Texts from outside, made fit to be shown in a mail: valid UTF-8 without
// control characters and without marks that turn the direction of a line.
#ifndef ALERTS_SAFE_TEXT_H
#define ALERTS_SAFE_TEXT_H

#include <glib.h>

// One line: line ends and runs of blanks become one blank, and what is longer than `max_chars`
// characters is cut with an ellipsis. Never NULL; the caller frees it.
char *safe_text_line(const char *text, glong max_chars);

// Several lines, ended by LF, cut after about `max_bytes` bytes at a character. Control
// characters but LF and TAB become U+FFFD. `cut` (may be NULL) says whether something is missing.
// Never NULL; the caller frees it.
char *safe_text_block(const char *text, gsize max_bytes, gboolean *cut);

// Appends `text` with & < > " ' as entities.
void safe_text_append_html(GString *html, const char *text);

#endif

// SPDX-License-Identifier: MIT
// XPaths with holes: the values that fill them come from responses too, and may
// not change what the XPath means. XPath has no escapes, so each quoted text
// with a hole is written anew as a whole. Pure.
#ifndef CONFIG_XPATH_TEXT_H
#define CONFIG_XPATH_TEXT_H

#include "../base/value.h"

#include <glib.h>

// The value of a text with holes (a hole alone keeps its type), which the caller
// frees; NULL and `error` where there is none.
typedef struct value *(*xpath_text_evaluate)(const char *text, void *user, GError **error);

// The XPath with its holes filled: within a quoted text they become a part of it,
// elsewhere a number or a quoted text of their own. NULL and `error` as `evaluate`.
// The caller frees it.
char *xpath_text_fill(const char *xpath, xpath_text_evaluate evaluate, void *user, GError **error);

#endif

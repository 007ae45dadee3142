// SPDX-License-Identifier: MIT
// Holes in patterns and JSONPaths: the values that fill them come from
// responses too, and may not change what the pattern or path means. Pure.
#ifndef PROBES_QUOTING_H
#define PROBES_QUOTING_H

#include "../config/template.h"

enum quoting_place {
    QUOTING_JSONPATH, // within a quoted text of a JSONPath
    QUOTING_REGEX,    // literally, within a pattern
};

// A template context whose text values are quoted for their place.
struct quoting {
    struct template_context context; // what templates are rendered with
    const struct template_context *inner;
    enum quoting_place place;
    GPtrArray *made; // of struct value
};

// Lives on the caller's stack; `inner` is borrowed, clear frees what was made.
void quoting_init(struct quoting *quoting, const struct template_context *inner,
                  enum quoting_place place);
void quoting_clear(struct quoting *quoting);

// The text with its holes filled by quoted values; NULL and `error` as
// template_render. The caller frees it.
char *quoting_fill(const char *text, const struct template_context *context,
                   enum quoting_place place, GError **error);

// The XPath with its holes filled: a hole within a quoted text becomes a part of
// that text, one elsewhere a number or a quoted text of its own. NULL and `error`
// as above. The caller frees it.
char *quoting_fill_xpath(const char *xpath, const struct template_context *context, GError **error);

#endif

// SPDX-License-Identifier: MIT
// For the files of redact alone: what is to be masked is gathered as spans of
// the text that came in, found in it or in decoded views of it; at the end all
// spans are masked at once, so that secrets may overlap or hold each other.
#ifndef BASE_REDACT_PARTS_H
#define BASE_REDACT_PARTS_H

#include "redact.h"

#include <stddef.h>
#include <stdint.h>

// One stretch of the source, [start, end). `quoted`: JSON needs quotes around
// the mask, because a number stood there.
struct redact_span {
    size_t start, end;
    bool quoted;
};

// A text as it stands in the source (no parent), or decoded from another view.
struct redact_view {
    const char *text;
    size_t length;
    const struct redact_view *parent; // whose bytes [from, …) were decoded
    size_t from;
    GArray *escapes; // of struct redact_escape, where parent
    char *owned;
};

// What a decoder reads at an escape: how much it takes, what it makes of it.
struct redact_escape {
    size_t view, source; // where it stands in the view and in the parent
    uint8_t made, taken;
};

enum redact_decoder {
    REDACT_DECODER_JSON,   // \u00e9 \/ \n
    REDACT_DECODER_URL,    // %C3%a9
    REDACT_DECODER_FORM,   // likewise, and + for a space
    REDACT_DECODER_ENTITY, // &amp; &#38; &#x26;
    REDACT_DECODERS
};

// The view of a whole text.
struct redact_view redact_view_of(const char *text, size_t length);

// Decodes [from, to) of `parent` into `view`; false where there is nothing to
// decode in it. The view is to be cleared.
bool redact_view_decode(struct redact_view *view, const struct redact_view *parent, size_t from,
                        size_t to, enum redact_decoder decoder);
void redact_view_clear(struct redact_view *view);

// Adds [start, end) of `view` to `spans`, in the terms of the source.
void redact_view_mark(const struct redact_view *view, size_t start, size_t end, bool quoted,
                      GArray *spans);

// Known secrets in all their forms. Shared between sets once it is full.
struct redact_layer;
struct redact_layer *redact_layer_new(void);
struct redact_layer *redact_layer_ref(struct redact_layer *layer);
void redact_layer_unref(struct redact_layer *layer);
bool redact_layer_is_shared(struct redact_layer *layer);
bool redact_layer_has(const struct redact_layer *layer, const char *secret);
void redact_layer_add(struct redact_layer *layer, const char *secret);

// True where a secret of the layer has a space: forms write it as +.
bool redact_layer_has_space(const struct redact_layer *layer);

// Marks every place of `view` where a form of a secret stands.
void redact_layer_find(const struct redact_layer *layer, const struct redact_view *view,
                       GArray *spans);

// Marks what looks like a secret whatever stands around it: JWT, keys of
// payment providers, private keys, userinfo in URLs.
void redact_mark_shapes(const struct redact_view *view, GArray *spans);

// Marks values by their names: of JSON, of XML, of name=value pairs behind ?
// and & (`form`: also at the beginning).
void redact_mark_json(const struct redact_view *view, int nesting, GArray *spans);
void redact_mark_xml(const struct redact_view *view, GArray *spans);
void redact_mark_query(const struct redact_view *view, bool form, GArray *spans);

// As redact_is_secret_name, of a name that does not end with a zero byte.
bool redact_is_secret_word(const char *name, size_t length);

#endif

// SPDX-License-Identifier: MIT
// Escaping of bytes for the places where they are written: URLs, forms, JSON
// strings, XML. Each function appends to `out`; `length` bytes are read.
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

// Percent-encodes all but letters, digits, -._~ and the characters of `keep`.
void encode_percent(GString *out, const char *text, size_t length, const char *keep);

// The same for a form's name or value: a space becomes +.
void encode_form(GString *out, const char *text, size_t length);

// The inside of a JSON string, without its quotes.
void encode_json(GString *out, const char *text, size_t length);

// XML and HTML text or attribute value: & < > " ' as entities.
void encode_xml(GString *out, const char *text, size_t length);

// What may stand in a query's name or value beside letters, digits and -._~:
// all that RFC 3986 allows there but & + = ; and the like, which have a meaning.
#define ENCODE_QUERY_KEEP "$()*,:@/!'"

#endif

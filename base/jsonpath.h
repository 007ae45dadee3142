// SPDX-License-Identifier: MIT
// JSONPath, RFC 9535 in full: compiled once, selected often. Pure. It stands in
// base because the configuration checks what the probes select with.
#ifndef BASE_JSONPATH_H
#define BASE_JSONPATH_H

#include <cjson/cJSON.h>
#include <glib.h>

struct jsonpath;

#define JSONPATH_ERROR jsonpath_error_quark()
GQuark jsonpath_error_quark(void);
enum jsonpath_error { JSONPATH_ERROR_SYNTAX, JSONPATH_ERROR_TYPE };

// Compiles a query; NULL and `error`, which says what is wrong and at which
// character, where it is not well-formed and valid.
struct jsonpath *jsonpath_compile(const char *query, GError **error);

// The nodes that the query selects in `document`, in the order of the RFC:
// borrowed from `document`. The caller frees the array. Work is bounded: a
// query that visits more than 10 million nodes stops and selects nothing.
GPtrArray *jsonpath_select(const struct jsonpath *path, const cJSON *document);

// Frees a compiled query; NULL is allowed.
void jsonpath_free(struct jsonpath *path);

typedef struct jsonpath jsonpath_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(jsonpath_t, jsonpath_free)

#endif

// SPDX-License-Identifier: MIT
// Takes secrets out of whatever is stored, logged, mailed or shown: by
// structure first (headers, JSON members, query and form fields whose names say
// that they are secret), then every known secret in each form that it takes:
// raw, JSON-escaped, URL-encoded, entities, hex, base64 at all alignments.
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>

// What stands in place of a secret.
#define REDACT_MASK "***"

// The known secrets of a process; one for each configuration, and a run adds
// those that it captured. Not shared between threads without a copy.
struct redact;

// An empty set.
struct redact *redact_new(void);

// A set that also knows all that `parent` knows now.
struct redact *redact_copy(const struct redact *parent);

// Adds a secret; one shorter than 6 bytes is only masked where a name gives it
// away. Returns false for such a short one.
bool redact_add(struct redact *redact, const char *secret);

// `text` without secrets, whatever its kind; `length` bytes, -1 for a C string.
// The caller frees it.
char *redact_text(const struct redact *redact, const char *text, gssize length);

// A header value without secrets: Authorization, Cookie and their like are
// masked whole. The caller frees it.
char *redact_header(const struct redact *redact, const char *name, const char *value);

// A URL without userinfo and without secret query values. The caller frees it.
char *redact_url(const struct redact *redact, const char *url);

// A body without secrets: JSON and forms by structure, then as text. Decoded
// content, not yet cut. The caller frees it.
char *redact_body(const struct redact *redact, const char *content_type, const char *body,
                  gssize length);

// Masks secrets in a JSON tree, in place.
void redact_json(const struct redact *redact, cJSON *tree);

// True where a header, member or field of this name is secret by its nature.
bool redact_is_secret_name(const char *name);

// Frees the set; NULL is allowed.
void redact_free(struct redact *redact);

typedef struct redact redact_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(redact_t, redact_free)

#endif

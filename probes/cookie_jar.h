// SPDX-License-Identifier: MIT
// Cookies as RFC 6265 has them, as far as a client of APIs needs them: one jar
// for each run and system. The list of public suffixes is not known; instead a
// cookie whose domain has the shape of one ("com", "co.uk") is refused. Pure: the
// caller gives the time.
#ifndef PROBES_COOKIE_JAR_H
#define PROBES_COOKIE_JAR_H

#include "../base/clock.h"

#include <cjson/cJSON.h>
#include <glib.h>

struct cookie_jar;

// An empty jar.
struct cookie_jar *cookie_jar_new(void);

// Keeps what the Set-Cookie lines of `headers` (of struct transfer_header) say,
// of a response that came from `url`. One that has expired is taken out.
void cookie_jar_store(struct cookie_jar *jar, const char *url, const GPtrArray *headers,
                      struct clock_wall now);

// The value of the Cookie header for a call of `url`, "a=b; c=d", or NULL where
// no cookie goes there. The caller frees it.
char *cookie_jar_header(const struct cookie_jar *jar, const char *url, struct clock_wall now);

// Adds to `cookies`, "a=b; c=d", those of `more` of whose name there is none yet: of two, a
// server would take either.
void cookie_jar_merge(GString *cookies, const char *more);

// The value of the cookie `name`, the one set last, or NULL; borrowed until the
// jar changes.
const char *cookie_jar_find(const struct cookie_jar *jar, const char *name);

// The jar as a JSON array, and back: added to `jar`. The caller frees the array.
cJSON *cookie_jar_to_json(const struct cookie_jar *jar);
void cookie_jar_add_json(struct cookie_jar *jar, const cJSON *array);

// Frees the jar, with its values wiped; NULL is allowed.
void cookie_jar_free(struct cookie_jar *jar);

typedef struct cookie_jar cookie_jar_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cookie_jar_t, cookie_jar_free)

#endif

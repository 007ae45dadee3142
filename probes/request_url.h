// SPDX-License-Identifier: MIT
// URLs of requests: for request_build.c. What others need is in request.h.
#ifndef PROBES_REQUEST_URL_H
#define PROBES_REQUEST_URL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

// `path` behind `base` with one slash between; an empty one is the base itself.
// A query of the base goes to the end. The caller frees it.
char *request_url_join(const char *base, const char *path);

// `url`, which it takes, with what may not stand in a URL encoded; %XX and the host
// stay as they are. The caller frees it.
char *request_url_fit(char *url);

// False and `error` where it is no http(s) URL with one clear host.
bool request_url_check(const char *url, GError **error);

// Adds "a=b&c=d", already encoded, behind what query there is; a fragment is
// dropped.
void request_url_add_query(GString *url, const char *query, size_t length);

#endif

// SPDX-License-Identifier: MIT
// Calls that a pack refuses to make: posting, shipping, taking money. Asked of calls as
// they are written, by the readers of the configuration, and of requests as they are about
// to be sent, by probes/request_build and call_redirect. Pure.
#ifndef CONFIG_NEVER_H
#define CONFIG_NEVER_H

#include <glib.h>

struct call;

// One rule; a call that fits all that it names is refused.
struct never_rule {
    char *call; // method and path in lower case, `*` for anything; NULL for any
    char *body; // a text in the body; NULL for any
    char *says; // why
};

// What is asked of: the path as it is sent, behind the host, with its query; a body may be
// NULL.
struct never_request {
    const char *method, *path;
    const char *body;
    gsize length;
};

// A list of rules that owns them, and one more rule of it; NULL texts are allowed.
GPtrArray *never_rules_new(void);
void never_rules_add(GPtrArray *rules, const char *call, const char *body, const char *says);

// The first rule that refuses the request, or NULL; `rules` may be NULL.
const struct never_rule *never_find(const GPtrArray *rules, const struct never_request *request);

// Likewise for a call as it is written, its holes as they are.
const struct never_rule *never_find_call(const GPtrArray *rules, const struct call *call);

#endif

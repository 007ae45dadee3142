// SPDX-License-Identifier: MIT
// What follows from an answer that leads elsewhere: whether it is followed, and with
// which request. Internal to call_run; nothing is sent here.
#ifndef PROBES_CALL_REDIRECT_H
#define PROBES_CALL_REDIRECT_H

#include "../config/config.h"
#include "exchange.h"
#include "values.h"

// One call with what was sent of it.
struct call_redirect {
    const struct config_system *system;
    struct values *values;
    const struct redact *redact;
    const char *key_header;     // of a key that only repetitions carry, or NULL
    const GPtrArray *exchanges; // of struct exchange
    guint first;                // of them: the one that no redirect led to
    int follow;                 // redirects at most
    bool login;                 // its body is a secret, however it is written
};

// The request that the last exchange's answer leads to, without cookies, credentials on the
// system's own origin alone; NULL where it leads nowhere. `problem` receives why a redirect is
// not followed, as a sentence for people, else NULL; the caller frees it. `elsewhere` receives
// whether it is to another host than the system's own.
struct transfer_request *call_redirect_next(const struct call_redirect *redirect, bool *elsewhere,
                                            char **problem);

// True where the request carries what the system knows us by: it is at the system's own origin,
// and so was the first.
bool call_redirect_is_ours(const struct call_redirect *redirect, bool elsewhere);

// True where a POST became a GET on the way to `request`.
bool call_redirect_became_get(const struct call_redirect *redirect,
                              const struct transfer_request *request);

// True where the same was asked for before, with the same cookies: it goes in a circle.
bool call_redirect_is_circle(const struct call_redirect *redirect,
                             const struct transfer_request *request);

#endif

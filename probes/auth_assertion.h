// SPDX-License-Identifier: MIT
// The signed statement by which a client proves who it is (RFC 7523 section 3):
// for auth_token.c. Reads the key's file at each use, so that a new key needs no restart.
#ifndef PROBES_AUTH_ASSERTION_H
#define PROBES_AUTH_ASSERTION_H

#include "values.h"

// A statement for the token server of `session`, good for five minutes; the caller frees it.
// NULL and a sentence where the key cannot be read or used.
char *auth_assertion_make(const struct config_session *session, struct values *values,
                          struct clock_wall now, GError **error);

#endif

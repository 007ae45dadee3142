// SPDX-License-Identifier: MIT
// The session of a system (auth: session): one login at a time for all flows,
// renewed before it ends, asked for again once after it expired.
#ifndef PROBES_AUTH_SESSION_H
#define PROBES_AUTH_SESSION_H

#include "flow_engine.h"

struct auth_session;

// The session of a system whose auth has one; `session` is borrowed from the
// configuration.
struct auth_session *auth_session_new(struct flow_engine *engine,
                                      const struct config_system *system,
                                      const struct config_session *session);

// Calls `done` once there is a session, or none can be had; at once or later.
void auth_session_ensure(struct auth_session *session, void (*done)(bool ok, void *context),
                         void *context);

// Takes a waiter back: its `done` is not called any more.
void auth_session_withdraw(struct auth_session *session, void *context);

// The login that failed last, as a step result of its own (the exchanges are shared).
struct step_result *auth_session_failure(const struct auth_session *session);

// Adds the session's headers to `request` and its cookies to `cookies`.
bool auth_session_apply(struct auth_session *session, struct transfer_request *request,
                        GString *cookies, GError **error);

// True where the answer says that the session has ended; it then is no longer used.
bool auth_session_is_expired(struct auth_session *session,
                             const struct transfer_response *response);

// The captures of the login as login.NAME, all secret.
void auth_session_add_values(const struct auth_session *session, struct values *values);

// Ends it with its logout call, then calls `done`.
void auth_session_logout(struct auth_session *session, void (*done)(void *context), void *context);

// Frees it; nothing may be in flight. NULL is allowed.
void auth_session_free(struct auth_session *session);

#endif

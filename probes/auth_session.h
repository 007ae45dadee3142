// SPDX-License-Identifier: MIT
// What a system wants before a call (auth: oauth2, session, csrf): one login at a time for all
// flows, renewed before it ends, asked for again once after it expired.
#ifndef PROBES_AUTH_SESSION_H
#define PROBES_AUTH_SESSION_H

#include "call_run.h"

// Gives `input`, whose call and system are set, the session of its system, made when first
// asked for; nothing where the system has none.
void auth_session_attach(struct call_run_input *input);

// Ends all sessions of the engine with their logout calls, then calls `done`.
void auth_session_logout_all(struct flow_engine *engine, void (*done)(void *context),
                             void *context);

// Forgets the sessions of the systems of `config`, which no run uses any more, without a logout.
// Calls `done` once `config` may be freed: at once, or when what is under way has ended.
void auth_session_forget(struct flow_engine *engine, const struct config *config,
                         void (*done)(void *context), void *context);

#endif

// SPDX-License-Identifier: MIT
// The access token of a system (auth: oauth2): whether one that is kept will do,
// what is sent to ask for one, and what is kept of the answer, before it is used.
// Used by auth_link, which makes the call.
#ifndef PROBES_AUTH_TOKEN_H
#define PROBES_AUTH_TOKEN_H

#include "flow_engine.h"
#include "verdict.h"

struct auth_token;

// A token of `system`; all is borrowed.
struct auth_token *auth_token_new(struct flow_engine *engine, const struct config_system *system,
                                  const struct config_session *session);

enum auth_token_state {
    AUTH_TOKEN_READY, // `values` hold the access token
    AUTH_TOKEN_ASK,   // `values` hold what the call needs: make it (once more)
    AUTH_TOKEN_FAILED // there is none; `problem` says why where the monitor is at fault
};
typedef void (*auth_token_done)(enum auth_token_state state, const char *problem, void *context);

// Looks for a token that will do, else makes ready to ask for one. `values` (borrowed until the
// token is answered) get names. Calls `done` once, at once or later.
void auth_token_prepare(struct auth_token *token, struct values *values, auth_token_done done,
                        void *context);

// Takes the answer to the call that was asked for, NULL where it was not sent; `verdict` is
// what it means, and is changed where the answer is of no use. Calls `done` likewise.
void auth_token_answer(struct auth_token *token, const struct transfer_response *response,
                       struct verdict *verdict, auth_token_done done, void *context);

// Ends a wait of auth_token_prepare for another process: it fails soon.
void auth_token_hurry(struct auth_token *token);

// True while the token that came last need not be renewed.
bool auth_token_is_fresh(const struct auth_token *token, struct clock_mono now);

// The system refuses the token that came last.
void auth_token_refuse(struct auth_token *token);

// The access token, or NULL; borrowed until the next one.
const char *auth_token_text(const struct auth_token *token);

// True where the answer to its call must not be lost.
bool auth_token_is_precious(const struct auth_token *token);

// True where a refresh token came that could not be kept yet; and one more try to keep it, before
// the end. Calls `done` later.
bool auth_token_is_unsaved(const struct auth_token *token);
void auth_token_rescue(struct auth_token *token, auth_token_done done, void *context);

// Frees it, which must be idle; NULL is allowed.
void auth_token_free(struct auth_token *token);

#endif

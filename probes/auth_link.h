// SPDX-License-Identifier: MIT
// One of the things that a system wants before a call: a session, an access token or a CSRF
// token. Made once for all flows, renewed before it ends. For auth_session.c, which puts
// several of them in a row.
#ifndef PROBES_AUTH_LINK_H
#define PROBES_AUTH_LINK_H

#include "call_run.h"

struct auth_link;

// What a link needs of the row that it stands in; all is borrowed.
struct auth_link_input {
    struct flow_engine *engine;
    const struct config_system *system;
    const struct config_auth *auth;
    const struct call_session *hooks; // of the row
    void *before;                     // its self for the links before this one; NULL: none
    void *upto;                       // the same with this one
    uint64_t *count;                  // of logins in this row: each gets its number
    void (*idle)(void *row);          // after auth_link_abandon: nothing is under way any more
    void (*forgot)(void *row);        // some of what auth_link_redact says was dropped
    void *row;
};

// A link that nothing was asked for yet.
struct auth_link *auth_link_new(const struct auth_link_input *input);

// True while it can be used for a call that begins now, which is noted as a use.
bool auth_link_is_usable(struct auth_link *link);

// Calls `done` once there is one, or none can be had; at once or later. A login that failed a
// moment ago answers for others, but for no flow twice: a run that confirms tries anew.
void auth_link_ensure(struct auth_link *link, const struct call_session_asker *asker,
                      void (*done)(bool ok, void *context), void *context);

// Takes a waiter back: its `done` is not called any more.
void auth_link_withdraw(struct auth_link *link, void *context);

// Adds its headers to a request; its cookies for `url` to those that are there, "a=b; c=d".
bool auth_link_apply(struct auth_link *link, struct transfer_request *request, GError **error);
void auth_link_add_cookies(const struct auth_link *link, const char *url, GString *cookies);

// True where the answer to a request of the stamp (call_run.h) says that it has ended; it is then
// dropped, unless it was renewed since.
bool auth_link_is_expired(struct auth_link *link, const struct transfer_response *response,
                          uint64_t stamp, bool replayed);

// It stands on one that has ended.
void auth_link_drop(struct auth_link *link);

// What failed last, as a step result of its own.
struct step_result *auth_link_failure(const struct auth_link *link);

// The login under way, which somebody can wait for no longer, as one that had no answer in time.
struct step_result *auth_link_overdue(const struct auth_link *link);

// Its captures as login.NAME, all secret.
void auth_link_add_values(const struct auth_link *link, struct values *values);

// Adds what is secret of it, and of those before it that runs in flight may have used.
void auth_link_redact(const struct auth_link *link, struct redact *redact);

// Ends it with its logout call, then calls `done`. What is under way is ended, but for what must
// not be lost.
void auth_link_end(struct auth_link *link, void (*done)(void *context), void *context);

// Ends what is under way, likewise, and asks for nothing more; `idle` follows where it was busy.
void auth_link_abandon(struct auth_link *link);
bool auth_link_is_busy(const struct auth_link *link);

// Frees it, which must not be busy.
void auth_link_free(struct auth_link *link);

#endif

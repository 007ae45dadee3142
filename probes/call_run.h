// SPDX-License-Identifier: MIT
// Performs one call of the configuration to its end: session, slot, request,
// redirects, cookies, one replay where the session had expired. What the answer
// means is for the caller (call_judge); only a long answer is judged before it is told.
#ifndef PROBES_CALL_RUN_H
#define PROBES_CALL_RUN_H

#include "call_outcome.h"
#include "cookie_jar.h"
#include "flow_engine.h"

struct call_run;

// Who wants a session: a run of a flow; both may be NULL.
struct call_session_asker {
    const char *flow, *run;
};

// What a call asks of what its system wants before it (probes/auth_session): a session, an
// access token, a CSRF token, or several of them.
struct call_session {
    // Calls `done` once all of it is there, or cannot be had; at once or later. The texts of
    // `asker` outlive that.
    void (*ensure)(void *self, const struct call_session_asker *asker,
                   void (*done)(bool ok, void *context), void *context);
    // Takes a waiter back: its `done` is not called any more.
    void (*withdraw)(void *self, void *context);
    // Adds the session's headers to `request` and its cookies to `cookies`; `stamp` says later
    // which session it was.
    bool (*apply)(void *self, struct transfer_request *request, GString *cookies, uint64_t *stamp,
                  GError **error);
    // True where the answer to a request of that stamp says that the session has ended; it is
    // then no longer used. `replayed`: the request had been repeated with a fresh one.
    bool (*is_expired)(void *self, const struct transfer_response *response, uint64_t stamp,
                       bool replayed);
    // What failed, right after `ensure` said so, as a step result of its own.
    struct step_result *(*failure)(const void *self);
    // The login that a waiter's time ended before, likewise; before it is withdrawn.
    struct step_result *(*overdue)(const void *self, const void *context);
    // The captures of the login as login.NAME, all secret.
    void (*add_values)(const void *self, struct values *values);
};

struct call_run_input {
    struct flow_engine *engine;
    const struct call *call;
    const struct config_system *system;
    struct values *values;              // borrowed
    struct cookie_jar *jar;             // borrowed; NULL for none
    const struct call_session *session; // NULL where the system has none, or for the login
    void *session_self;
    const char *run;            // on whose behalf: its id; NULL: a login, or a logout
    const char *flow;           // its flow; NULL for an undo
    const char *key_header;     // the header that carries `key`, or NULL
    const char *key;            // of idempotency
    bool first;                 // goes before others in the system's queue: undos
    bool last;                  // goes after them: sweeps
    bool kept;                  // not cut off at a stop: its answer must not be lost
    bool ignored;               // nobody judges its answer
    int64_t timeout_ms;         // of each request
    struct clock_mono deadline; // of the whole; us 0 for none
    // Called before each request that is not a redirect's, may be NULL: answers with
    // call_run_go, at once or later.
    void (*before_send)(struct call_run *run, const struct transfer_request *request,
                        void *context);
    void (*done)(struct call_outcome *outcome, void *context);
    void *context;
};

// Starts the call. `*handle` is the running call until `done` is called, then
// NULL; `done` may be called before this returns.
void call_run_start(const struct call_run_input *input, struct call_run **handle);

// Answers before_send; `problem` (copied) refuses: nothing is sent.
void call_run_go(struct call_run *run, const char *problem);

// Ends a call that waits, or one in flight, for the deadline or for a stop.
void call_run_cancel(struct call_run *run, bool deadline_passed);

// Calls `visit` with each request that is sent and not yet answered, in any order.
void call_run_foreach_waiting(const struct flow_engine *engine,
                              void (*visit)(const struct exchange *exchange, void *context),
                              void *context);

#endif

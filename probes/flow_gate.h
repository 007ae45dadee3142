// SPDX-License-Identifier: MIT
// The gate before each call: a system that refused us is left alone for a while, and after
// that one run tells whether it takes us again. Shared by all runs of a process.
#ifndef PROBES_FLOW_GATE_H
#define PROBES_FLOW_GATE_H

#include "../config/config.h"
#include "backoff.h"

struct flow_gate;

// Where the states are kept beyond this process. `save` does not wait; a NULL state is one
// that is over.
struct flow_gate_keeper {
    void (*save)(void *self, const char *system, const struct backoff *state);
    void *self;
};

// Who asks. Borrowed texts.
struct flow_gate_asker {
    const struct config_system *system;
    const char *timezone; // for people
    const char *run;      // id
    const char *flow;     // of a step; NULL for an undo, which confirms nothing
};

// A call's end, as far as the gate is concerned.
struct flow_gate_answer {
    const struct flow_gate_asker *asker;
    struct clock_wall sent;
    bool taken;             // it was let in
    bool refused;           // cause auth, permission or rate_limit
    bool forbidden;         // permission: what the run made it may still remove
    int64_t retry_after_ms; // what the answer asks for
    const char *why;        // of a refusal: no text from outside
    int confirming;         // runs that would confirm the flow's failure
};

// A gate that knows of no refusal; `keeper` is copied.
struct flow_gate *flow_gate_new(void);
void flow_gate_keep(struct flow_gate *gate, const struct flow_gate_keeper *keeper);
void flow_gate_free(struct flow_gate *gate);

// From now on everybody may pass: somebody has mended something and wants to know.
void flow_gate_open(struct flow_gate *gate);

// Asks for leave to call. `answer` comes at once, or when the run that tries the system first
// has told; `context` is that of flow_gate_withdraw, after which it does not come.
typedef void (*flow_gate_leave)(bool granted, void *context);
void flow_gate_ask(struct flow_gate *gate, const struct flow_gate_asker *asker,
                   flow_gate_leave answer, void *context);
void flow_gate_withdraw(struct flow_gate *gate, const char *system, const void *context);

// Why this call may not be sent, as a sentence, or NULL; the caller frees it. `until` (may be
// NULL) receives how long that lasts.
char *flow_gate_refusal(struct flow_gate *gate, const struct flow_gate_asker *asker,
                        struct clock_wall *until);

// What came of a call; and that a run is over, its undos too.
void flow_gate_hear(struct flow_gate *gate, const struct flow_gate_answer *answer);
void flow_gate_end_run(struct flow_gate *gate, const char *run);

// What another process has kept: `states` (char * -> struct backoff) in place of what is
// known here.
void flow_gate_learn(struct flow_gate *gate, GHashTable *states);

#endif

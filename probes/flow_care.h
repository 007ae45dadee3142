// SPDX-License-Identifier: MIT
// What an answer means for those who come after: a refusal has the gate leave its system
// alone, a success opens it.
#ifndef PROBES_FLOW_CARE_H
#define PROBES_FLOW_CARE_H

#include "call_run.h"
#include "flow_engine.h"
#include "exchange.h"
#include "verdict.h"

struct flow_care_call {
    const struct config_system *system;
    const char *run;                // id
    const struct config_flow *flow; // NULL for an undo
    const char *step;               // its name, for people
    const struct verdict *verdict;
    const struct exchange *exchange; // that was judged; NULL where nothing was sent
};

// Tells the gate of a step, a login or an undo that was judged; one that was not sent says
// nothing.
void flow_care_hear(struct flow_engine *engine, const struct flow_care_call *call);

// Likewise of a call that belongs to no flow (a sweep's, a version's), or of the login before it
// that failed. That the call itself may not be made is no reason to leave the system alone: flows
// may do more.
void flow_care_hear_apart(struct flow_engine *engine, const struct flow_care_call *call,
                          const struct call_outcome *outcome);

#endif

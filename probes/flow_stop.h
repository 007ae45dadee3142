// SPDX-License-Identifier: MIT
// The orderly end of a process that runs flows.
#ifndef PROBES_FLOW_STOP_H
#define PROBES_FLOW_STOP_H

#include "flow_engine.h"

struct flow_stop;

// No new step is started any more; calls in flight and undos have `grace_ms`.
// Then runs end as cut off, and what is not undone stays owed. Free the handle
// before the loop ends.
struct flow_stop *flow_stop_begin(struct flow_engine *engine, int64_t grace_ms);

// Ends the grace's timer; its memory goes with the next turn of the loop. NULL
// is allowed.
void flow_stop_free(struct flow_stop *stop);

#endif

// SPDX-License-Identifier: MIT
// The versions of systems as the agent asks them: each once a day, at its start, so that an
// upgrade that nobody announced is known.
#ifndef MONITOR_VERSIONS_H
#define MONITOR_VERSIONS_H

#include "agent_flows.h"

struct versions;

// What they need of the agent; borrowed.
struct versions_context {
    struct runtime *runtime;
    struct agent_flows *flows;   // whose configuration they go by
    void (*idle)(void *context); // after versions_stop: none is asked any more
    void *context;
};

// Nothing is asked yet. `asked` (version_rows_asked, or NULL; taken) is when each system was
// asked last.
struct versions *versions_new(const struct versions_context *context, GHashTable *asked);

// Asks one system that is due, if there is one. To be called each second, which spreads them.
void versions_tick(struct versions *versions);

// No system is asked any more; how many are being asked.
void versions_stop(struct versions *versions);
unsigned versions_running(const struct versions *versions);

// Frees all of it; none may be asked. NULL is allowed.
void versions_free(struct versions *versions);

#endif

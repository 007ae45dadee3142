// SPDX-License-Identifier: MIT
// Systems that are left alone (probes/backoff), as the store keeps them: a restart, a second
// process and `check` from cron know of them, too.
#ifndef MONITOR_LEFT_ALONE_H
#define MONITOR_LEFT_ALONE_H

#include "../probes/flow_gate.h"
#include "writer.h"

// All of them: system (char *) -> struct backoff. NULL and `error` where it fails.
GHashTable *left_alone_load(struct db *db, GError **error);

// Keeps a system's state; NULL removes it.
bool left_alone_save(struct db *db, const char *system, const struct backoff *state,
                     GError **error);

// The keeper of `gate`, over `writer`; both have to outlive it.
struct left_alone;
struct left_alone *left_alone_new(struct writer *writer, struct flow_gate *gate);

// Tells the gate what other processes have kept. To be called now and then.
void left_alone_learn(struct left_alone *keeper, struct db *db);
void left_alone_free(struct left_alone *keeper);

#endif

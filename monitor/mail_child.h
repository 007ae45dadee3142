// SPDX-License-Identifier: MIT
// The child that delivers: `erpwatch deliver`, started when something is due,
// ended at its deadline. A mail server that hangs costs one attempt, never the
// agent.
#ifndef MONITOR_MAIL_CHILD_H
#define MONITOR_MAIL_CHILD_H

#include "../base/clock.h"

#include <stdbool.h>
#include <uv.h>

struct mail_child;

// `config_path` is given to the child by -c, and the store by --store: the file may name another
// one by then. `ended` is called on the loop each time a child has ended.
struct mail_child *mail_child_new(uv_loop_t *loop, const char *config_path, const char *store,
                                  void (*ended)(void *context), void *context);

// Starts a child, unless one is at work: then another follows it. After one that could not do its
// work, none is started for a while.
void mail_child_start(struct mail_child *child);

// What kept the last one from its work may be mended: the next start is not put off.
void mail_child_wake(struct mail_child *child);

// True while a child is at work.
bool mail_child_is_busy(const struct mail_child *child);

// True where the last one could not do its work, and the store is known to be damaged.
bool mail_child_met_damage(const struct mail_child *child);

// Frees it; a child at work is left to its own: what it has not delivered stays
// in the outbox. NULL is allowed.
void mail_child_free(struct mail_child *child);

#endif

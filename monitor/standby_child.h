// SPDX-License-Identifier: MIT
// One notice on its way through `deliver --stdin`.
#ifndef MONITOR_STANDBY_CHILD_H
#define MONITOR_STANDBY_CHILD_H

#include "../base/json.h"

#include <uv.h>

struct standby_child;

// Called once, on the loop, when the child has ended; `report` is NULL where it gave none.
// Borrowed.
typedef void (*standby_child_done)(const cJSON *report, void *context);

// Gives `facts` (taken) to a child, which has five minutes for it. NULL, said in the log, where
// none can be started; `done` is not called then.
struct standby_child *standby_child_start(uv_loop_t *loop, const char *config_path, char *facts,
                                          standby_child_done done, void *context);

// The child goes on without us, once it has the whole notice; `done` is not called any more.
void standby_child_let_go(struct standby_child *child);

#endif

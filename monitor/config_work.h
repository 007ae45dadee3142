// SPDX-License-Identifier: MIT
// A configuration of very many flows takes seconds to read, and as long as a run to free: both
// are done beside the loop, on which flows go on being started.
#ifndef MONITOR_CONFIG_WORK_H
#define MONITOR_CONFIG_WORK_H

#include "../config/config.h"

#include <uv.h>

// A reading that is on its way.
struct config_work;

// What was read, which is handed over; NULL where it is wrong, which was said.
typedef void (*config_work_done)(struct config *config, void *context);

// Reads the configuration at `path`. `done` is called on the loop, which this does not keep
// running, by one of its next turns: the reading is over then, and freed.
struct config_work *config_work_read(uv_loop_t *loop, const char *path, config_work_done done,
                                     void *context);

// Ends the waiting for it: `done` is not called, and what is read is freed.
void config_work_drop(struct config_work *work);

// Frees a configuration that nobody uses any more.
void config_work_free(struct config *config);

#endif

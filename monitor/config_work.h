// SPDX-License-Identifier: MIT
// A configuration of very many flows takes seconds to read, and as long as a run to free: both
// are done beside the loop, on which flows go on being started.
#ifndef MONITOR_CONFIG_WORK_H
#define MONITOR_CONFIG_WORK_H

#include "../config/config.h"

#include <uv.h>

// What was read, which is handed over; NULL where it is wrong, which was said.
typedef void (*config_work_done)(struct config *config, void *context);

// Reads the configuration at `path`, borrowed until `done`, which is called on the loop.
void config_work_read(uv_loop_t *loop, const char *path, config_work_done done, void *context);

// Frees a configuration that nobody uses any more.
void config_work_free(uv_loop_t *loop, struct config *config);

#endif

// SPDX-License-Identifier: MIT
// Starts `erpwatch deliver` as a child process: this program itself, with the
// same configuration. Mail clients block, so no other process sends mail.
#ifndef MONITOR_DELIVER_PROCESS_H
#define MONITOR_DELIVER_PROCESS_H

#include <uv.h>

// Starts it on `loop`; `option` (such as "--stdin", may be NULL) is added. `in` and
// `out` are the child's standard input and output (no data: none); its diagnostics
// go where ours do. 0, or libuv's error.
int deliver_process_start(uv_loop_t *loop, uv_process_t *process, const char *config_path,
                          const char *option, uv_stdio_container_t in, uv_stdio_container_t out,
                          uv_exit_cb exited);

#endif

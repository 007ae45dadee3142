// SPDX-License-Identifier: MIT
// The one way in which `erpwatch deliver` is started: by mail_child for what is in
// the outbox, by standby for a notice that could not be stored.
#include "deliver_process.h"

#include <glib.h>
#include <unistd.h>

int deliver_process_start(uv_loop_t *loop, uv_process_t *process, const char *config_path,
                          const char *option, uv_stdio_container_t in, uv_stdio_container_t out,
                          uv_exit_cb exited)
{
    g_autoptr(GStrvBuilder) arguments = g_strv_builder_new();
    g_strv_builder_add_many(arguments, "erpwatch", "deliver", "-c", config_path, option, NULL);
    g_auto(GStrv) list = g_strv_builder_end(arguments);
    uv_stdio_container_t streams[] = {in, out, {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO}};
    const uv_process_options_t options = {
        .exit_cb = exited,
        .file = "/proc/self/exe",
        .args = list,
        .stdio = streams,
        .stdio_count = G_N_ELEMENTS(streams),
    };
    return uv_spawn(loop, process, &options);
}

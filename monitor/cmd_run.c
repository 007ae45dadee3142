// SPDX-License-Identifier: MIT
// erpwatch run: the agent.
#include "agent.h"
#include "command.h"

#include "../base/log.h"

int cmd_run(int argc, char **argv)
{
    char *config = NULL;
    gboolean verbose = FALSE;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&config),
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Log each run", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 0, 0);
    g_autofree char *path = config;
    if (code != COMMAND_PARSED)
        return code;
    if (verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    const char *file = command_config_path(path);
    return file ? agent_run(file) : COMMAND_UNKNOWN;
}

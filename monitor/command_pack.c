// SPDX-License-Identifier: MIT
// Reads a pack for a command, and says what is wrong with it.
#include "command.h"

#include "../config/config_problem.h"
#include "../config/pack.h"
#include "../config/pack_source.h"

#include <stdio.h>

static void refuse_name(const char *command, const char *name)
{
    g_autoptr(GPtrArray) names = pack_source_names(".");
    (void)command_no_such(command, "pack", name, names);
}

struct pack *command_read_pack(const char *command, struct arena *arena, const char *name)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(pack_t) pack = pack_read(arena, name, ".", problems);
    bool wrong = pack == NULL;

    if (pack == NULL && problems->len == 0)
        refuse_name(command, name);
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        g_autofree char *line = config_problem_format(problem);

        fprintf(stderr, "%s\n", line);
        wrong |= !problem->warning;
    }
    return wrong ? NULL : g_steal_pointer(&pack);
}

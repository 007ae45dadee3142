// SPDX-License-Identifier: MIT
// `validate`: reads the whole configuration, prints every problem in it, and
// with -v what of it is secret, and which sweeps there are.
#include "command.h"

#include "../base/duration.h"

#include <stdio.h>

static void print_problems(const GPtrArray *problems, unsigned *errors, unsigned *warnings)
{
    for (unsigned i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        g_autofree char *line = config_problem_format(problem);

        fprintf(stderr, "%s\n", line);
        *(problem->warning ? warnings : errors) += 1;
    }
}

static const char *plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

static void print_secrets(const struct config *config)
{
    for (unsigned i = 0; i < config->secret_names->len; i++)
        printf("secret: %s\n", (const char *)config->secret_names->pdata[i]);
}

// Those of packs are in no file of the user's.
static void print_sweeps(const struct config *config)
{
    for (unsigned i = 0; i < config->sweeps->len; i++) {
        const struct config_sweep *sweep = config->sweeps->pdata[i];
        g_autofree char *every = sweep->every_ms > 0 ? duration_format(sweep->every_ms) : NULL;
        const char *when = sweep->cron != NULL ? sweep->cron : "never by itself";

        printf("sweep: %s at %s, %s%s\n", sweep->id, sweep->system->id,
               every != NULL ? "every " : "", every != NULL ? every : when);
    }
}

static void print_summary(const struct config *config, unsigned warnings)
{
    unsigned systems = g_hash_table_size(config->systems), flows = config->flows->len;
    unsigned sweeps = config->sweeps->len;

    printf("OK: %u system%s, %u flow%s", systems, plural(systems), flows, plural(flows));
    if (sweeps > 0)
        printf(", %u sweep%s", sweeps, plural(sweeps));
    if (warnings > 0)
        printf(", %u warning%s", warnings, plural(warnings));
    printf("%s\n", flows == 0 ? ": there is no flow, so nothing is watched" : "");
}

int cmd_validate(int argc, char **argv)
{
    g_autofree char *path = NULL;
    gboolean verbose = FALSE;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "List what is secret, and the sweeps",
         NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int parsed = command_parse(&argc, &argv, entries, 0, 0);
    unsigned errors = 0, warnings = 0;

    if (parsed != COMMAND_PARSED)
        return parsed;
    const char *file = command_config_path(path);

    if (file == NULL)
        return COMMAND_UNKNOWN;
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config = config_load(file, CONFIG_MISSING_IS_ERROR, problems);

    print_problems(problems, &errors, &warnings);
    if (config == NULL) {
        fprintf(stderr, "%u error%s\n", errors, plural(errors));
        return COMMAND_UNKNOWN;
    }
    if (verbose) {
        print_secrets(config);
        print_sweeps(config);
    }
    print_summary(config, warnings);
    return COMMAND_OK;
}

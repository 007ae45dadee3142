// SPDX-License-Identifier: MIT
// Replays the event table of a store and compares: replay_events STORE CONFIGURATION... The
// configurations are all that its processes ever read. Says how many rows are the same, or what
// differs and exits 1; so it does where nobody was told of an opening.
#include "../../monitor/watch_apply.h"
#include "../unit/support_replay.h"

#include <stdio.h>

static const struct config *find_config(const char *mark, void *context)
{
    const GPtrArray *configs = context;
    for (guint i = 0; mark != NULL && i < configs->len; i++) {
        g_autofree char *own = watch_config_mark(configs->pdata[i]);
        if (strcmp(own, mark) == 0) {
            return configs->pdata[i];
        }
    }
    return NULL;
}

static void free_config(gpointer data)
{
    config_free(data);
}

static bool load(GPtrArray *configs, const char *path)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    struct config *config = config_load(path, CONFIG_MISSING_IS_NEED, problems);
    if (config == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        return false;
    }
    g_ptr_array_add(configs, config);
    return true;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"events",   "flows not well", "incidents",
                                        "members",  "decisions",      "mutes",
                                        "versions", "notices",        "recipients"};
    g_autoptr(GPtrArray) configs = g_ptr_array_new_with_free_func(free_config);
    g_autoptr(GError) error = NULL;
    int rows[G_N_ELEMENTS(replayed)] = {0};
    for (int i = 2; i < argc; i++) {
        if (!load(configs, argv[i])) {
            return 1;
        }
    }
    g_autoptr(db_t) source = argc > 1 ? store_open_reader(argv[1], &error) : NULL;
    if (source == NULL) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "name a store");
        return 1;
    }
    g_autofree char *difference = replay_differs(source, find_config, configs, rows);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        printf("%s%d %s", i > 0 ? ", " : "", rows[i], names[i]);
    }
    int64_t untold = -1;
    (void)db_take_integer(db_query(source, NULL, REPLAY_UNTOLD, ""), -1, &untold, NULL);
    printf("\n%s", difference != NULL ? difference : "");
    if (untold != 0) {
        printf("%d openings of which nobody was told\n", (int)untold);
    }
    return difference != NULL || untold != 0;
}

// SPDX-License-Identifier: MIT
// The operator's acts: `ack ID` and `mute SYSTEM|FLOW`. Each is an event in the
// store, like a run's result, also while the agent runs.
#include "command.h"

#include "../base/zone.h"
#include "self_report.h"
#include "store_trouble.h"
#include "watch.h"

#include <stdio.h>

// An act, as watch takes it.
typedef bool (*act)(struct db *db, const struct config *config, void *what, GError **error);

// Does it in one transaction on the store. False: said on stderr.
static bool do_act(const char *command, const struct config *config, act perform, void *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(store_t) store = store_open(config->agent.store, &error);
    struct db *db = store != NULL ? store_db(store) : NULL;
    if (db != NULL) {
        self_report_repair(store, config);
    }
    if (db != NULL && db_begin(db, &error)) {
        if (perform(db, config, what, &error)) {
            (void)db_commit(db, &error);
        } else {
            db_rollback(db);
        }
    }
    if (error != NULL) {
        store_trouble_fail(command, error);
    }
    return error == NULL;
}

struct acknowledgement {
    const char *id, *by, *note;
};

static bool acknowledge(struct db *db, const struct config *config, void *what, GError **error)
{
    const struct acknowledgement *given = what;
    return watch_acknowledge(db, config, given->id, given->by, given->note, clock_wall_now(),
                             error);
}

int cmd_ack(int argc, char **argv)
{
    g_autofree char *path = NULL, *by = NULL, *note = NULL;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"by", 0, 0, G_OPTION_ARG_STRING, &by, "Who (default: the user)", "NAME"},
        {"note", 0, 0, G_OPTION_ARG_STRING, &note, "What is being done", "TEXT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 1, 1);
    if (code != COMMAND_PARSED) {
        return code;
    }
    g_autoptr(config_t) config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    struct acknowledgement given = {argv[1], by != NULL ? by : g_get_user_name(), note};
    if (config == NULL || !do_act("ack", config, acknowledge, &given)) {
        return COMMAND_UNKNOWN;
    }
    printf("The incident %s is acknowledged by %s.\n", given.id, given.by);
    return COMMAND_OK;
}

struct silence {
    const char *target, *why;
    struct clock_wall now, until;
};

static bool silence(struct db *db, const struct config *config, void *what, GError **error)
{
    const struct silence *given = what;
    return watch_mute(db, config, given->target, given->until, given->why, given->now, error);
}

static void print_until(const struct silence *given, const struct config *config)
{
    g_autoptr(GTimeZone) zone = zone_find(config->agent.timezone);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(given->until.us / G_USEC_PER_SEC);
    g_autoptr(GDateTime) local = zone != NULL ? g_date_time_to_timezone(utc, zone) : NULL;
    g_autofree char *until = g_date_time_format(local != NULL ? local : utc, "%Y-%m-%d %H:%M:%S");
    printf("%s is muted until %s: runs go on, notices are held.\n", given->target, until);
}

int cmd_mute(int argc, char **argv)
{
    g_autofree char *path = NULL, *span = NULL, *why = NULL;
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&path),
        {"for", 0, 0, G_OPTION_ARG_STRING, &span, "How long: 30m, 2h, 1d", "DURATION"},
        {"why", 0, 0, G_OPTION_ARG_STRING, &why, "The reason, shown by status", "TEXT"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int64_t span_ms = 0;
    int code = command_parse(&argc, &argv, entries, 1, 1);
    if (code != COMMAND_PARSED) {
        return code;
    }
    if (span == NULL || why == NULL) {
        return command_fail("mute", "say for how long and why: --for 2h --why TEXT");
    }
    if (!command_read_duration("mute", "--for", span, &span_ms)) {
        return COMMAND_UNKNOWN;
    }
    g_autoptr(config_t) config = command_load_config(path, CONFIG_MISSING_IS_NEED);
    struct silence given = {.target = argv[1], .why = why, .now = clock_wall_now()};
    given.until.us = given.now.us + span_ms * 1000;
    if (config == NULL ||
        !command_find_name("mute", config, COMMAND_FLOW | COMMAND_SYSTEM, given.target) ||
        !do_act("mute", config, silence, &given)) {
        return COMMAND_UNKNOWN;
    }
    print_until(&given, config);
    return COMMAND_OK;
}

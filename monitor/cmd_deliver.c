// SPDX-License-Identifier: MIT
// erpwatch deliver: sends what is due in the outbox, once, or one notice from
// stdin while the store cannot be written. The agent starts it as a child; cron
// or a person may too.
#include "command.h"
#include "self_report.h"

#include "../alerts/deliver.h"
#include "store_trouble.h"

#include <stdio.h>

// A notice with its evidence is far smaller; what is larger is not one.
enum { STDIN_BYTES = 64 * 1024 * 1024 };

struct deliver_command {
    char *config, *store, *session, *total;
    gboolean from_stdin;
};

static bool read_durations(const struct deliver_command *command, struct deliver_options *options)
{
    return command_read_duration("deliver", "--timeout", command->session, &options->session_ms) &&
           command_read_duration("deliver", "--deadline", command->total, &options->total_ms);
}

// Given up is worse than waiting, waiting worse than nothing left.
static int exit_code(const struct deliver_tally *tally)
{
    if (tally->given_up > 0)
        return COMMAND_FAILED;
    return tally->waiting > 0 ? COMMAND_DEGRADED : COMMAND_OK;
}

static void print_tally(const struct deliver_tally *tally)
{
    if (tally->busy)
        puts("another deliver is at work on this store: nothing to do here");
    else
        printf("accepted %d, waiting %d, given up %d\n", tally->accepted, tally->waiting,
               tally->given_up);
}

static int deliver_store(const struct config *config, const struct deliver_options *options)
{
    struct deliver_tally tally = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(store_t) store = store_open(config->agent.store, &error);
    if (store != NULL)
        self_report_repair(store, config);
    if (store == NULL || !deliver_outbox(store_db(store), config, options, &tally, &error))
        return store_trouble_fail("deliver", error);
    print_tally(&tally);
    return exit_code(&tally);
}

static GString *read_stdin(void)
{
    GString *text = g_string_new(NULL);
    char buffer[65536];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, stdin)) > 0 && text->len < STDIN_BYTES)
        g_string_append_len(text, buffer, (gssize)length);
    return text;
}

static int deliver_stdin(const struct config *config, const struct deliver_options *options)
{
    struct deliver_tally tally = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = read_stdin();
    g_autoptr(cJSON) facts = json_parse(text->str, text->len, &error);
    g_autoptr(cJSON) result = facts ? deliver_facts(facts, config, options, &tally, &error) : NULL;
    if (result == NULL)
        return command_fail("deliver", "%s", error->message);
    g_autofree char *line = json_print(result, false);
    puts(line);
    return exit_code(&tally);
}

static int run(const struct deliver_command *command, struct deliver_options *options)
{
    if (!read_durations(command, options))
        return COMMAND_UNKNOWN;
    g_autoptr(config_t) config = command_load_config(command->config, CONFIG_MISSING_IS_NEED);
    if (config == NULL)
        return COMMAND_UNKNOWN;
    if (command->store != NULL) {
        g_free(config->agent.store);
        config->agent.store = g_strdup(command->store);
    }
    return command->from_stdin ? deliver_stdin(config, options) : deliver_store(config, options);
}

int cmd_deliver(int argc, char **argv)
{
    struct deliver_command command = {0};
    struct deliver_options options = {.session_ms = 120000, .total_ms = 240000, .out = stdout};
    const GOptionEntry entries[] = {
        COMMAND_CONFIG_ENTRY(&command.config),
        {"stdin", 0, 0, G_OPTION_ARG_NONE, &command.from_stdin,
         "Send one notice, its facts as JSON on stdin, without the store", NULL},
        {"store", 0, 0, G_OPTION_ARG_FILENAME, &command.store,
         "The store whose outbox it is (default: agent.store)", "FILE"},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &command.session,
         "How long one session may take (default 2m)", "TIME"},
        {"deadline", 0, 0, G_OPTION_ARG_STRING, &command.total,
         "After this time no further session begins (default 4m)", "TIME"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    int code = command_parse(&argc, &argv, entries, 0, 0);
    if (code == COMMAND_PARSED)
        code = run(&command, &options);
    g_free(command.config);
    g_free(command.store);
    g_free(command.session);
    g_free(command.total);
    return code;
}

// SPDX-License-Identifier: MIT
// What the commands share: reading options, loading the configuration, saying
// what is wrong. Comes after main, before each cmd_*.
#include "command.h"

#include "../base/duration.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct command_text {
    const char *name, *arguments, *sentence, *example;
};

static const struct command_text texts[] = {
#define COMMAND(name, function, arguments, sentence, example) {name, arguments, sentence, example},
#include "commands.def"
#undef COMMAND
    {NULL, NULL, NULL, NULL},
};

static const struct command_text *text_of(const char *name)
{
    const struct command_text *text = texts;
    while (text->name && strcmp(text->name, name) != 0)
        text++;
    return text;
}

int command_fail(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "erpwatch %s: %s\n", command, message);
    return COMMAND_UNKNOWN;
}

static int print_help(GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    fputs(help, stdout);
    return COMMAND_OK;
}

static bool reads_config(const GOptionEntry *entry)
{
    while (entry && entry->long_name && entry->short_name != 'c')
        entry++;
    return entry && entry->long_name;
}

// -c is understood by the commands that read no configuration as well, so that
// scripts can pass it on to any.
static gboolean ignore_config(const char *name, const char *value, gpointer data, GError **error)
{
    (void)name, (void)value, (void)data, (void)error;
    return TRUE;
}

static GOptionContext *options_of(const struct command_text *text, const GOptionEntry *entries,
                                  gboolean *help)
{
    const GOptionEntry own[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, help, "Show this help", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const GOptionEntry unread[] = {
        {"config", 'c', G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, (void *)ignore_config,
         "The configuration, which this command does not read", "FILE"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new(text->arguments);
    g_autofree char *example = g_strdup_printf("Example:\n  %s", text->example);
    g_option_context_set_summary(context, text->sentence);
    g_option_context_set_description(context, example);
    g_option_context_set_help_enabled(context, FALSE);
    if (entries)
        g_option_context_add_main_entries(context, entries, NULL);
    if (!reads_config(entries))
        g_option_context_add_main_entries(context, unread, NULL);
    g_option_context_add_main_entries(context, own, NULL);
    return context;
}

int command_parse(int *argc, char ***argv, const GOptionEntry *entries, int least, int most)
{
    const struct command_text *text = text_of((*argv)[0]);
    const char *command = text->name ? text->name : (*argv)[0];
    g_autofree char *program = g_strdup_printf("erpwatch %s", command);
    g_set_prgname(program);
    gboolean help = FALSE;
    g_autoptr(GOptionContext) context = options_of(text, entries, &help);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, argc, argv, &error))
        return command_fail(command, "%s (erpwatch %s --help says what there is)", error->message,
                            command);
    if (help)
        return print_help(context);
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        memmove(*argv + 1, *argv + 2, sizeof **argv * (size_t)(*argc - 2));
        (*argc)--;
    }
    int given = *argc - 1;
    if (given < least || (most >= 0 && given > most))
        return command_fail(command, "%s; usage: erpwatch %s [OPTION]...%s%s",
                            given < least ? "an argument is missing"
                                          : "there is an argument too many",
                            command, *text->arguments ? " " : "", text->arguments);
    return COMMAND_PARSED;
}

bool command_read_duration(const char *command, const char *option, const char *text,
                           int64_t *milliseconds)
{
    if (!text || (duration_parse(text, milliseconds) && *milliseconds > 0))
        return true;
    command_fail(command, "%s %s is no duration: write one like 30s, 5m or 2h", option, text);
    return false;
}

const struct config_flow *command_find_flow(const char *command, const struct config *config,
                                            const char *id)
{
    const struct config_flow *found = config_find_flow(config, id);
    if (!found)
        (void)command_find_name(command, config, COMMAND_FLOW, id);
    return found;
}

void command_say_stdin(const char *command)
{
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "erpwatch %s: reading from the terminal; Ctrl-D ends the text\n", command);
}

const char *command_config_path(const char *path)
{
    const char *found = path ? path : config_default_path();
    if (path || access(found, F_OK) == 0)
        return found;
    fprintf(stderr,
            "%s: there is no erpwatch.yaml here and no %s: erpwatch init writes one, and -c FILE "
            "names one that is elsewhere\n",
            g_get_prgname(), found);
    return NULL;
}

struct config *command_load_config(const char *path, enum config_missing missing)
{
    g_autoptr(GPtrArray) problems = config_problems_new();
    const char *file = command_config_path(path);
    struct config *config = file ? config_load(file, missing, problems) : NULL;
    for (guint i = 0; i < problems->len; i++) {
        const struct config_problem *problem = problems->pdata[i];
        if (problem->warning)
            continue;
        g_autofree char *line = config_problem_format(problem);
        fprintf(stderr, "%s\n", line);
    }
    return config;
}

bool command_on_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

char *command_coloured(enum command_colour colour, const char *text)
{
    if (!command_on_terminal() || g_getenv("NO_COLOR"))
        return g_strdup(text);
    return g_strdup_printf("\033[%dm%s\033[0m", (int)colour, text);
}

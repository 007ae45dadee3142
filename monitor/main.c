// SPDX-License-Identifier: MIT
// The program: finds the command in the table and hands over to it.
#include "command.h"

#include "../base/handover.h"
#include "../base/json.h"
#include "../base/log.h"
#include "../base/xml.h"
#include "../config/config_problem.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

struct command_entry {
    const char *name;
    int (*function)(int argc, char **argv);
    const char *sentence;
};

static const struct command_entry commands[] = {
#define COMMAND(name, function, arguments, sentence, example) {name, function, sentence},
#include "commands.def"
#undef COMMAND
    {NULL, NULL, NULL},
};

static int print_usage(FILE *stream, int code)
{
    fputs("erpwatch watches the business processes behind a webshop's ERP link.\n\n"
          "Usage: erpwatch COMMAND [OPTION]... [ARG]...\n\nCommands:\n",
          stream);
    for (const struct command_entry *entry = commands; entry->name; entry++)
        fprintf(stream, "  %-10s %s\n", entry->name, entry->sentence);
    fputs("\nEvery command has --help. Exit codes: 0 all well, 1 degraded, 2 failed,\n"
          "3 could not tell.\n",
          stream);
    return code;
}

static bool is_one_of(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

// Want of memory ends the program in one way, in all libraries that let us choose.
static void end_without_memory(void)
{
    log_end_on_fatal();
    json_init();
    uv_replace_allocator(g_malloc, g_realloc, g_malloc0_n, g_free);
}

// Each call in flight needs one; the usual limit is meant for programs that use select().
static void take_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int refuse_command(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct command_entry *entry = commands; entry->name; entry++)
        g_ptr_array_add(names, (gpointer)(uintptr_t)entry->name);
    const char *guess = config_problem_guess(name, names);
    if (name[0] == '-')
        fputs("erpwatch: the command comes first, its options after it (erpwatch --help lists the "
              "commands)\n",
              stderr);
    else
        fprintf(stderr, "erpwatch: there is no command %s%s%s%s (erpwatch --help lists them)\n",
                name, guess ? ": did you mean " : "", guess ? guess : "", guess ? "?" : "");
    return COMMAND_UNKNOWN;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2)
        return print_usage(stderr, COMMAND_UNKNOWN);
    if (is_one_of(argv[1], "--help", "-h"))
        return print_usage(stdout, COMMAND_OK);
    if (is_one_of(argv[1], "--version", "-V"))
        return printf("erpwatch %s\n", ERPWATCH_VERSION) < 0 ? COMMAND_UNKNOWN : COMMAND_OK;
    for (const struct command_entry *entry = commands; entry->name; entry++)
        if (strcmp(argv[1], entry->name) == 0)
            return entry->function(argc - 1, argv + 1);
    return refuse_command(argv[1]);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    end_without_memory();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit on the size of files is a full disk
    take_descriptors();
    xml_init();
    int code = run_command(argc, argv);
    // A thread that waits for a ticket server, or still reads a configuration, is within libraries
    // that an exit clears away.
    if (handover_count_threads() > 0) {
        fflush(NULL);
        _exit(code);
    }
    return code;
}

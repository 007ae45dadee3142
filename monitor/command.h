// SPDX-License-Identifier: MIT
// What the commands share: options, the configuration file, exit codes.
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include "../config/config.h"

#include <glib.h>
#include <stdbool.h>

// The monitoring plugins' codes (design.md section 3).
enum command_exit {
    COMMAND_OK = 0,
    COMMAND_DEGRADED = 1,
    COMMAND_FAILED = 2,
    COMMAND_UNKNOWN = 3,
    COMMAND_PARSED = -1, // of command_parse: go on
};

// Each command: arguments without the program's name, argv[0] is the command.
#define COMMAND(name, function, arguments, sentence, example) int function(int argc, char **argv);
#include "commands.def"
#undef COMMAND

// Reads a command's options: its own `entries` (may be NULL, ended by an empty
// one), and --help from commands.def. What is left of argv are the arguments,
// argv[1]…; their number has to be between `least` and `most` (-1: any).
// COMMAND_PARSED to go on, else the exit code.
int command_parse(int *argc, char ***argv, const GOptionEntry *entries, int least, int most);

// The entry for -c FILE, to be put into a command's entries.
#define COMMAND_CONFIG_ENTRY(variable)                                                             \
    {                                                                                              \
        "config", 'c', 0, G_OPTION_ARG_FILENAME, variable,                                         \
            "The configuration (./erpwatch.yaml, then /etc/erpwatch/erpwatch.yaml)", "FILE"        \
    }

// Reads the duration that an option was given into milliseconds; false, said on
// stderr, where it is none or 0. Without one (NULL) the number stays as it is.
bool command_read_duration(const char *command, const char *option, const char *text,
                           int64_t *milliseconds);

// What a name on the command line may stand for; a set of them is a sum.
enum command_kind {
    COMMAND_FLOW = 1,
    COMMAND_SWEEP = 2,
    COMMAND_SYSTEM = 4,
    COMMAND_CONTACT = 8
};

// True where one of these kinds has this name; else says on stderr which one was probably meant,
// or which there are.
bool command_find_name(const char *command, const struct config *config, unsigned wanted,
                       const char *name);

// Says the same of a name that `names` (of char *) has not, and returns COMMAND_UNKNOWN.
int command_no_such(const char *command, const char *what, const char *name,
                    const GPtrArray *names);

// The flow of this id; NULL, said on stderr as above, where there is none. Borrowed.
const struct config_flow *command_find_flow(const char *command, const struct config *config,
                                            const char *id);

// The file that is read where -c gave `path` (may be NULL); NULL, said on stderr,
// where none was given and there is none in the places looked at.
const char *command_config_path(const char *path);

// Says on stderr that input is awaited, where stdin is a terminal.
void command_say_stdin(const char *command);

// Reads the configuration (`path` as of command_config_path); prints its errors, not
// its warnings, to stderr. NULL where there is one: exit with COMMAND_UNKNOWN.
struct config *command_load_config(const char *path, enum config_missing missing);

// The pack of this name, read into `arena`; NULL, said on stderr, where there is none
// or it is wrong. The caller frees it.
struct arena;
struct pack;
struct pack *command_read_pack(const char *command, struct arena *arena, const char *name);

// Prints "erpwatch COMMAND: message" to stderr and returns COMMAND_UNKNOWN.
int command_fail(const char *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

// The text with a colour where stdout is a terminal and NO_COLOR is not set; as
// it is elsewhere. The caller frees it.
enum command_colour {
    COMMAND_RED = 31,
    COMMAND_GREEN = 32,
    COMMAND_YELLOW = 33,
    COMMAND_GREY = 90
};
char *command_coloured(enum command_colour colour, const char *text);

// True where stdout is a terminal.
bool command_on_terminal(void);

#endif

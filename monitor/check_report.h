// SPDX-License-Identifier: MIT
// What `check` prints of its runs: a table, JSON, JUnit or a monitoring plugin's
// output; and the exit code. Pure: results in, text out.
#ifndef MONITOR_CHECK_REPORT_H
#define MONITOR_CHECK_REPORT_H

#include "../probes/run_result.h"

#include <stdbool.h>

// The runs of one check, as JSON (run_result_to_json, with "exchanges" where they
// are to be shown).
struct check_report {
    struct clock_wall started;
    cJSON *flows;   // array, in the order of the configuration
    int exit_code;  // command_exit of all of them: 2 over 3 over 1 over 0
    bool coloured;  // for a terminal
    bool exchanges; // -v
};

// An empty report; check_report_clear frees what it holds.
void check_report_init(struct check_report *report, struct clock_wall started);
void check_report_clear(struct check_report *report);

// Adds a run; without secrets from here on.
void check_report_add(struct check_report *report, const struct run_result *result,
                      const struct redact *redact);

// The report in one of the formats; NULL for a name that is none. Frees: caller.
char *check_report_format(const struct check_report *report, const char *format);

#endif

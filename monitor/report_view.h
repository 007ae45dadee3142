// SPDX-License-Identifier: MIT
// What the commands that read the store share: opening it, the format option, times
// and colours on the terminal.
#ifndef MONITOR_REPORT_VIEW_H
#define MONITOR_REPORT_VIEW_H

#include "../base/db.h"
#include "../base/json.h"
#include "../config/config.h"

// What such a command works with.
struct report_view {
    struct config *config;
    struct db *db; // NULL where there is no store yet
    bool json;     // --format json
};

// Reads configuration, format ("table", "json" or NULL) and store. False: it was said on
// stderr why not. End it with report_view_clear either way.
bool report_view_open(struct report_view *view, const char *command, const char *path,
                      const char *format);
void report_view_clear(struct report_view *view);

// Prints a document as indented JSON.
void report_view_print_json(const cJSON *document);

// A time (RFC 3339 text of a document's member) in the agent's zone: "2026-11-21 10:30:05";
// NULL for none. The caller frees it.
char *report_view_time(const struct report_view *view, const cJSON *object, const char *key);

// A span of milliseconds as people read it: "812 ms", "4.2 s", "42 min", "3 h 5 min",
// "2 d 4 h". The caller frees it.
char *report_view_span(int64_t milliseconds);

// The texts of an array, with commas. The caller frees it.
char *report_view_join(const cJSON *array);

// A cell that is a state's word in its colour; others as they are. For table_format.
char *report_view_colour(const char *text, int column);

#endif

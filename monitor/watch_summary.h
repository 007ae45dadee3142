// SPDX-License-Identifier: MIT
// What is read off a run's JSON: the line that status and history show, the text by
// which a failure is known as seen before, the document without its evidence. Pure.
#ifndef MONITOR_WATCH_SUMMARY_H
#define MONITOR_WATCH_SUMMARY_H

#include "../base/json.h"

// "submit order: POST https://… answered 400 Code: message", at most 300 characters;
// NULL where there is nothing to say. The caller frees it.
char *watch_summary_line(const cJSON *result);

// A hash of what failed, in which ids, times and the numbers in the message do not matter;
// the caller frees it.
char *watch_summary_text(const cJSON *result);

// The document without the exchanges. The caller frees it.
char *watch_summary_strip(const cJSON *result);

#endif

// SPDX-License-Identifier: MIT
// What a person can do about a store that fails.
#ifndef MONITOR_STORE_TROUBLE_H
#define MONITOR_STORE_TROUBLE_H

#include "../base/db.h"

// What is wrong ("the disk is full"), and what to do about it, a sentence. Both are in the
// catalogues of words.
const char *store_trouble_what(enum db_error cause);
const char *store_trouble_mend(enum db_error cause);

// The error's sentence, and what to do where it is the store that fails. The caller frees it.
char *store_trouble_sentence(const GError *error);

// Prints "erpwatch COMMAND: sentence", as above, and returns COMMAND_UNKNOWN.
int store_trouble_fail(const char *command, const GError *error);

#endif

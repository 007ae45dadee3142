// SPDX-License-Identifier: MIT
// A pack for people, and the same for machines. For `packs`; init says calls and undos likewise.
#ifndef MONITOR_PACK_VIEW_H
#define MONITOR_PACK_VIEW_H

#include "../base/json.h"
#include "../config/pack.h"

// Prints all of it for a terminal, in the person's language where the pack has it.
void pack_view_print(const struct pack *pack);

// All of it as JSON; the caller frees it.
cJSON *pack_view_json(const struct pack *pack);

// What it does in a few words: the names of its flows. The caller frees it.
char *pack_view_summary(const struct pack *pack);

// "POST /orders" of a call; and how a step is taken back, in words, NULL where it has nothing to
// say. The caller frees them.
char *pack_view_call(const struct config_node *call);
char *pack_view_undo(const struct config_node *step);

#endif

// SPDX-License-Identifier: MIT
// What a pack knows of its system's answers: where they say what failed, and what
// that means.
#ifndef CONFIG_PACK_LEXICON_H
#define CONFIG_PACK_LEXICON_H

#include "config_node.h"

// Says what is wrong with the envelopes and the lexicon of a pack's file, besides what
// the table of keys tells.
void pack_lexicon_check(const struct config_node *root, GPtrArray *problems);

#endif

// SPDX-License-Identifier: MIT
// For pack_lexicon.c alone.
#ifndef CONFIG_PACK_LEXICON_CHECK_H
#define CONFIG_PACK_LEXICON_CHECK_H

#include "config_node.h"

// Says what is wrong with the envelopes and the lexicon of a pack's file, besides what
// the table of keys tells.
void pack_lexicon_check(const struct config_node *root, GPtrArray *problems);

#endif

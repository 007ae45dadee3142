// SPDX-License-Identifier: MIT
// Patterns over codes and messages that give a cryptic answer its cause, a
// plain explanation and an owner. Data: probes/lexicon.yaml or a pack, compiled
// once.
#ifndef PROBES_LEXICON_H
#define PROBES_LEXICON_H

#include "verdict.h"

struct lexicon;

// The common lexicon, built into the program. Compiled at the first call and
// shared; valid until the end of the program.
const struct lexicon *lexicon_common(void);

// Fills cause, explanation and act of a failed verdict from the first entry
// that fits code, message, status; leaves alone what is already known.
void lexicon_apply(const struct lexicon *lexicon, int status, struct verdict *verdict);

#endif

// SPDX-License-Identifier: MIT
// A text without what is different each time: the same failure says the same tomorrow.
// Pure.
#ifndef PROBES_STABLE_TEXT_H
#define PROBES_STABLE_TEXT_H

// The text with a mark in place of each id, time, address and number of a record; NULL for
// NULL. Numbers that stand alone stay: they may be the code of what failed. The caller frees it.
char *stable_text(const char *text);

#endif

// SPDX-License-Identifier: MIT
// Where the holes of a text are, for what has to know before it is a template. Pure.
#ifndef CONFIG_HOLES_H
#define CONFIG_HOLES_H

// Past the {{…}} or ${…} that begins at `at`; NULL where none does.
const char *holes_skip(const char *at);

// The text with `stand_in` in place of each hole. The caller frees it.
char *holes_replace(const char *text, const char *stand_in);

#endif

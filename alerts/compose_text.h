// SPDX-License-Identifier: MIT
// A mail's body as plain text.
#ifndef ALERTS_COMPOSE_TEXT_H
#define ALERTS_COMPOSE_TEXT_H

#include "view.h"

// The text, lines ended by LF; prose is wrapped at 76 columns, literal text is not. The caller
// frees it.
char *compose_text(const struct view *view);

#endif

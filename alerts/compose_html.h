// SPDX-License-Identifier: MIT
// A mail's body as HTML: one page without scripts, links or anything from
// elsewhere, readable in mail programs, wide and narrow, light and dark.
#ifndef ALERTS_COMPOSE_HTML_H
#define ALERTS_COMPOSE_HTML_H

#include "view.h"

// The page, UTF-8. The caller frees it.
char *compose_html(const struct view *view);

#endif

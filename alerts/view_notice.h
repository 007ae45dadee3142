// SPDX-License-Identifier: MIT
// The body of the mail that a notice asks for, by kind and by the reader's style.
#ifndef ALERTS_VIEW_NOTICE_H
#define ALERTS_VIEW_NOTICE_H

#include "tell.h"
#include "view.h"

// The caller frees it with view_free.
struct view *view_notice(const struct tell *tell);

#endif

// SPDX-License-Identifier: MIT
// The technical part of a mail: for those who have to mend the call.
#ifndef ALERTS_VIEW_TECHNICAL_H
#define ALERTS_VIEW_TECHNICAL_H

#include "tell.h"
#include "view.h"

// Appends all technical blocks, in the order of design.md section 7.
void view_add_technical(struct view *view, const struct tell *tell);

// Appends the list of the deciding run's steps alone.
void view_add_steps(struct view *view, const struct tell *tell);

// Appends the short form that stands at the end of a business mail.
void view_add_technical_short(struct view *view, const struct tell *tell);

#endif

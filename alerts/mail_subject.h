// SPDX-License-Identifier: MIT
// The subject that a notice's mail has: what a summary, or a mail about a mail,
// calls it. Pure.
#ifndef ALERTS_MAIL_SUBJECT_H
#define ALERTS_MAIL_SUBJECT_H

#include "../base/json.h"

// The subject as people read it. The caller frees it.
char *mail_subject(const cJSON *facts);

#endif

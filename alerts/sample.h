// SPDX-License-Identifier: MIT
// A sample alert for mail-test: what a contact would get, with a made-up failure.
#ifndef ALERTS_SAMPLE_H
#define ALERTS_SAMPLE_H

#include "notice.h"

// The notice of a made-up failure of the first flow that notifies the contact (of the first
// one, where none does), marked as a test. The caller frees it.
struct notice *sample_notice(const struct config *config, const struct config_contact *contact,
                             struct clock_wall now);

#endif

// SPDX-License-Identifier: MIT
// What differs between the failing answer and the last good one of the same
// step: kept as shape alone (failure-semantics 29).
#ifndef ALERTS_DIFFERENCE_H
#define ALERTS_DIFFERENCE_H

#include "../base/json.h"
#include "words.h"

// The cumulative timing_ms of the deciding step in the last good run, or NULL; borrowed.
const cJSON *difference_last_good_timing(const cJSON *facts);

// Lines such as "missing: $.number (string)"; NULL where there is nothing to compare or no
// difference. The caller frees it.
char *difference_text(const cJSON *facts, const struct words *words);

#endif

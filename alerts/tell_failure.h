// SPDX-License-Identifier: MIT
// How a failed step is told: its call, what came back, and what its class
// means, each in one phrase.
#ifndef ALERTS_TELL_FAILURE_H
#define ALERTS_TELL_FAILURE_H

#include "../base/json.h"
#include "words.h"

// "POST /salesOrders answered 400 Application_DialogException". The caller frees it.
char *tell_failure(const struct words *words, const cJSON *step);

// "POST /salesOrders", or the step's name where no call was made. The caller frees it.
char *tell_call(const cJSON *step);

// One sentence for the verdict's class and cause. The caller frees it.
char *tell_class_meaning(const struct words *words, const cJSON *verdict);

// The verdict's class, and its cause, for people: "error code", "permission". The caller frees it.
char *tell_class(const struct words *words, const cJSON *verdict);

#endif

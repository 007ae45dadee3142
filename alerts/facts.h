// SPDX-License-Identifier: MIT
// Reading a notice's facts document (its shape is told in notice.c), for those
// who write it into a mail. All results are borrowed from the document.
#ifndef ALERTS_FACTS_H
#define ALERTS_FACTS_H

#include "../base/json.h"

// The step that decides a run's result: the first failed one, else the first unknown, else the
// first slow one; NULL where there is none.
const cJSON *facts_decisive_step(const cJSON *result);

// The exchange of a step that is judged (its last one), or NULL.
const cJSON *facts_last_exchange(const cJSON *step);

// The member of a member, or NULL: facts_text(facts, "contact", "language").
const char *facts_text(const cJSON *object, const char *first, const char *second);

// The nth element of an array member, or NULL.
const cJSON *facts_item(const cJSON *object, const char *key, int index);

#endif

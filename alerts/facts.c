// SPDX-License-Identifier: MIT
// Readers of the facts document: what comes from notice.c, through the outbox,
// is read here and by the compose_ files. Nothing that is missing is an error.
#include "facts.h"

#include <string.h>

static const cJSON *step_in_state(const cJSON *steps, const char *state)
{
    const cJSON *step;

    cJSON_ArrayForEach(step, steps)
    {
        const char *word = json_text(step, "state");
        if (word != NULL && strcmp(word, state) == 0)
            return step;
    }
    return NULL;
}

const cJSON *facts_decisive_step(const cJSON *result)
{
    static const char *const states[] = {"failed", "unknown", "slow"};
    const cJSON *steps = json_member(result, "steps");
    const cJSON *step = NULL;

    for (size_t i = 0; step == NULL && i < G_N_ELEMENTS(states); i++)
        step = step_in_state(steps, states[i]);
    return step;
}

const cJSON *facts_last_exchange(const cJSON *step)
{
    const cJSON *exchanges = json_member(step, "exchanges");
    int count = cJSON_GetArraySize(exchanges);

    return count > 0 ? cJSON_GetArrayItem(exchanges, count - 1) : NULL;
}

const char *facts_text(const cJSON *object, const char *first, const char *second)
{
    return json_text(json_member(object, first), second);
}

const cJSON *facts_item(const cJSON *object, const char *key, int index)
{
    return cJSON_GetArrayItem(json_member(object, key), index);
}

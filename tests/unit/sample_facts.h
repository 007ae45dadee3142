// SPDX-License-Identifier: MIT
// The facts of tests/mails/opened.json, and ways to spoil them.
#ifndef TESTS_SAMPLE_FACTS_H
#define TESTS_SAMPLE_FACTS_H

#include "../../base/json.h"

#include <string.h>

static cJSON *sample_facts(void)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    cJSON *facts;

    assert_true(g_file_get_contents("tests/mails/opened.json", &text, &length, NULL));
    facts = json_parse(text, length, NULL);
    assert_non_null(facts);
    return facts;
}

static void sample_set(cJSON *object, const char *key, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddStringToObject(object, key, value);
}

static cJSON *sample_member_of(cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static cJSON *sample_step(cJSON *facts)
{
    cJSON *result = sample_member_of(facts, "result");

    return cJSON_GetArrayItem(sample_member_of(result, "steps"), 1);
}

// Members on which the program itself decides, which no response can reach.
static gboolean sample_is_ours(const char *key)
{
    static const char *const ours[] = {"notice", "kind",   "at",    "email",       "domain",
                                       "root",   "mode",   "style", "language",    "from",
                                       "state",  "opened", "ended", "environment", "evidence"};

    for (gsize i = 0; key != NULL && i < G_N_ELEMENTS(ours); i++) {
        if (strcmp(key, ours[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

// Puts `value` in place of every text of the facts but our own.
static void sample_spoil(cJSON *tree, const char *value)
{
    cJSON *child;

    cJSON_ArrayForEach(child, tree)
    {
        if (sample_is_ours(child->string))
            continue;
        if (cJSON_IsString(child))
            cJSON_SetValuestring(child, value);
        else
            sample_spoil(child, value);
    }
}

#endif

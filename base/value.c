// SPDX-License-Identifier: MIT
// A value of a flow: JSON, and whether it is secret. Made by captures and vars,
// used by templates and expectations.
#include "value.h"

#include "json.h"

struct value *value_new(cJSON *json, bool secret)
{
    struct value *value = g_new(struct value, 1);
    value->json = json;
    value->secret = secret;
    return value;
}

struct value *value_new_text(const char *text, bool secret)
{
    return value_new(cJSON_CreateString(text), secret);
}

void value_free(struct value *value)
{
    if (!value)
        return;
    cJSON_Delete(value->json);
    g_free(value);
}

char *value_to_text(const struct value *value)
{
    if (!value || !value->json)
        return g_strdup("");
    if (cJSON_IsString(value->json))
        return g_strdup(value->json->valuestring);
    return json_print(value->json, false);
}

bool value_is_empty(const struct value *value)
{
    if (!value || !value->json || cJSON_IsNull(value->json))
        return true;
    return cJSON_IsString(value->json) && value->json->valuestring[0] == '\0';
}

// SPDX-License-Identifier: MIT
// The names of one run. Captures, vars and the runner put values in; templates
// and expectations take them out; the ledger keeps all but the secrets. Pure.
#include "values.h"

#include "../base/json.h"
#include "../base/redact.h"
#include "../base/wipe.h"

#include <string.h>

struct named {
    struct value *value;
    char name[];
};

struct values {
    GPtrArray *named; // of struct named, in the order of setting: a run has few
    GHashTable *made; // a set of char *: what filters made of secrets; NULL for none
    const struct secret_store *secrets;
    char *timezone;
};

// A run makes few of them, unless its server wants it otherwise.
#define MADE_MAX 256

static void named_free(void *data)
{
    struct named *named = data;
    value_free(named->value);
    g_free(named);
}

struct values *values_new(const struct secret_store *secrets, const char *zone)
{
    struct values *values = g_new0(struct values, 1);
    values->named = g_ptr_array_new_with_free_func(named_free);
    values->secrets = secrets;
    values->timezone = g_strdup(zone);
    return values;
}

static struct named *find_named(const struct values *values, const char *name)
{
    for (guint i = 0; i < values->named->len; i++) {
        struct named *named = g_ptr_array_index(values->named, i);
        if (strcmp(named->name, name) == 0)
            return named;
    }
    return NULL;
}

void values_set(struct values *values, const char *name, struct value *value)
{
    struct named *named = find_named(values, name);
    if (!value) {
        g_ptr_array_remove(values->named, named);
        return;
    }
    if (!named) {
        size_t size = strlen(name) + 1;
        named = g_malloc(sizeof *named + size);
        named->value = NULL;
        memcpy(named->name, name, size);
        g_ptr_array_add(values->named, named);
    }
    value_free(named->value);
    named->value = value;
}

void values_set_text(struct values *values, const char *name, const char *text, bool secret)
{
    values_set(values, name, value_new_text(text, secret));
}

void values_forget_login(struct values *values)
{
    for (guint i = values->named->len; i-- > 0;) {
        const struct named *named = g_ptr_array_index(values->named, i);
        if (g_str_has_prefix(named->name, "login."))
            g_ptr_array_remove_index(values->named, i);
    }
}

const struct value *values_find(const struct values *values, const char *name)
{
    const struct named *named = find_named(values, name);
    return named ? named->value : NULL;
}

static const struct value *answer_value(const char *name, void *user)
{
    return values_find(user, name);
}

static const char *answer_reference(const struct template_reference *reference, void *user)
{
    const struct values *values = user;
    return values->secrets ? secret_store_find(values->secrets, reference) : reference->fallback;
}

static void note_made(const char *text, void *made_user)
{
    struct values *values = made_user;
    if (!values->made)
        values->made = g_hash_table_new_full(g_str_hash, g_str_equal, wipe_text, NULL);
    if (g_hash_table_size(values->made) < MADE_MAX)
        g_hash_table_add(values->made, g_strdup(text));
}

struct template_context values_context(struct values *values, struct clock_wall now)
{
    return (struct template_context){
        .value = answer_value,
        .reference = answer_reference,
        .user = values,
        .now = now,
        .timezone = values->timezone,
        .made = note_made,
        .made_user = values,
    };
}

cJSON *values_to_json(const struct values *values)
{
    cJSON *object = cJSON_CreateObject();
    for (guint i = 0; i < values->named->len; i++) {
        const struct named *named = g_ptr_array_index(values->named, i);
        if (!named->value->secret && named->value->json)
            cJSON_AddItemToObject(object, named->name, cJSON_Duplicate(named->value->json, true));
    }
    return object;
}

void values_add_json(struct values *values, const cJSON *object)
{
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, object)
    {
        cJSON *copy = cJSON_Duplicate(member, true);
        // A copy of a member has its key, which a value has not.
        cJSON_free(copy->string);
        copy->string = NULL;
        values_set(values, member->string, value_new(copy, false));
    }
}

bool values_have_secrets(const struct values *values)
{
    for (guint i = 0; i < values->named->len; i++) {
        const struct named *named = g_ptr_array_index(values->named, i);
        if (named->value->secret)
            return true;
    }
    return values->made != NULL;
}

// Every text and number in a secret value is a secret.
static void redact_leaves(const cJSON *node, struct redact *redact)
{
    char buffer[32];
    if (cJSON_IsString(node))
        redact_add(redact, node->valuestring);
    else if (cJSON_IsNumber(node))
        redact_add(redact, json_number_text(node, buffer));
    const cJSON *child = NULL;
    cJSON_ArrayForEach(child, node) redact_leaves(child, redact);
}

void values_redact(const struct values *values, struct redact *redact)
{
    for (guint i = 0; i < values->named->len; i++) {
        const struct named *named = g_ptr_array_index(values->named, i);
        if (named->value->secret)
            redact_leaves(named->value->json, redact);
    }
    GHashTableIter iterator;
    void *text = NULL;
    if (!values->made)
        return;
    g_hash_table_iter_init(&iterator, values->made);
    while (g_hash_table_iter_next(&iterator, &text, NULL))
        redact_add(redact, text);
}

struct values *values_copy(const struct values *values)
{
    if (!values)
        return NULL;
    struct values *copy = values_new(values->secrets, values->timezone);
    for (guint i = 0; i < values->named->len; i++) {
        const struct named *named = g_ptr_array_index(values->named, i);
        values_set(copy, named->name,
                   value_new(cJSON_Duplicate(named->value->json, true), named->value->secret));
    }
    GHashTableIter iterator;
    void *text = NULL;
    if (!values->made)
        return copy;
    g_hash_table_iter_init(&iterator, values->made);
    while (g_hash_table_iter_next(&iterator, &text, NULL))
        note_made(text, copy);
    return copy;
}

void values_free(struct values *values)
{
    if (!values)
        return;
    g_ptr_array_unref(values->named);
    g_clear_pointer(&values->made, g_hash_table_destroy);
    g_free(values->timezone);
    g_free(values);
}

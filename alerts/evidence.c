// SPDX-License-Identifier: MIT
// Reduces a run's evidence to what a contact may see, before it becomes part of
// a notice: a contact with `evidence: shape` or `none` never gets the rest, not
// even in the outbox. Comes between run_result_to_json and notice.c.
#include "evidence.h"

#include <string.h>

// Members that state an error: their texts are kept in a shape.
static const char *const error_members[] = {
    "code",      "message",    "error",     "errors",      "detail",   "details",
    "errorcode", "error_code", "faultcode", "faultstring", "errormsg", "status",
};

// Inside such a member, these too: {"error": {"message": {"lang": …, "value": …}}}.
static const char *const inner_members[] = {"value", "lang", "target", "severity", "reason"};

// Headers that are worth keeping in a shape: they say what kind of answer it was.
static const char *const shape_headers[] = {
    "content-type", "content-length", "date",        "retry-after",      "server",
    "x-request-id", "request-id",     "traceparent", "x-correlation-id", "client-request-id",
};

static bool is_listed(const char *name, const char *const *list, size_t length)
{
    for (size_t i = 0; name != NULL && i < length; i++) {
        if (g_ascii_strcasecmp(name, list[i]) == 0)
            return true;
    }
    return false;
}

// A value that the run itself sent is no news to anybody. Short ones would fit by chance.
static bool was_sent(const char *text, const char *known)
{
    return known != NULL && strlen(text) >= 4 && strstr(known, text) != NULL;
}

static cJSON *leaf_shape(const cJSON *leaf, const char *known, bool in_error)
{
    char buffer[32];

    if (cJSON_IsString(leaf)) {
        bool keep = in_error || was_sent(leaf->valuestring, known);
        return cJSON_CreateString(keep ? leaf->valuestring : "string");
    }
    if (cJSON_IsNumber(leaf)) {
        bool keep = in_error || was_sent(json_number_text(leaf, buffer), known);
        return keep ? cJSON_Duplicate(leaf, true) : cJSON_CreateString("number");
    }
    return cJSON_Duplicate(leaf, false); // true, false and null are their own type
}

static bool is_error(const char *name, bool inside)
{
    return is_listed(name, error_members, G_N_ELEMENTS(error_members)) ||
           (inside && is_listed(name, inner_members, G_N_ELEMENTS(inner_members)));
}

// Below an error member, only error members keep their texts: an error may quote a whole record.
static cJSON *shape_of(const cJSON *value, const char *known, bool in_error)
{
    cJSON *shape;
    const cJSON *child;

    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return leaf_shape(value, known, in_error);
    shape = cJSON_IsObject(value) ? cJSON_CreateObject() : cJSON_CreateArray();
    cJSON_ArrayForEach(child, value)
    {
        if (cJSON_IsObject(value)) {
            cJSON_AddItemToObject(shape, child->string,
                                  shape_of(child, known, is_error(child->string, in_error)));
        } else {
            cJSON_AddItemToArray(shape, shape_of(child, known, in_error));
        }
    }
    return shape;
}

cJSON *evidence_shape(const cJSON *value, const char *known)
{
    return shape_of(value, known, false);
}

static void replace(cJSON *object, const char *key, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddItemToObject(object, key, value);
}

static void shape_body(cJSON *exchange)
{
    const char *body = json_text(exchange, "response_body");
    const char *sent = json_text(exchange, "request_body");
    g_autoptr(cJSON) tree = NULL;
    g_autoptr(cJSON) shape = NULL;
    g_autofree char *text = NULL;

    if (body == NULL || *body == '\0')
        return;
    tree = json_parse(body, strlen(body), NULL);
    if (tree != NULL) {
        shape = evidence_shape(tree, sent);
        text = json_print(shape, true);
    } else {
        text = g_strdup_printf("(%zu bytes that are not JSON)", strlen(body));
    }
    replace(exchange, "response_body", cJSON_CreateString(text));
}

static void shape_response_headers(cJSON *exchange)
{
    cJSON *header;

    cJSON_ArrayForEach(header, json_member(exchange, "response_headers"))
    {
        const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(header, 0));
        if (!is_listed(name, shape_headers, G_N_ELEMENTS(shape_headers)))
            cJSON_ReplaceItemInArray(header, 1, cJSON_CreateString("string"));
    }
}

static void shape_exchanges(cJSON *step)
{
    cJSON *exchange;

    cJSON_ArrayForEach(exchange, json_member(step, "exchanges"))
    {
        shape_body(exchange);
        shape_response_headers(exchange);
        cJSON_AddBoolToObject(exchange, "shape", true);
    }
}

static void cut_at(cJSON *object, const char *key, const char *end)
{
    const char *text = json_text(object, key);
    const char *found = text != NULL ? strstr(text, end) : NULL;

    if (found != NULL) {
        g_autofree char *head = g_strndup(text, (gsize)(found - text));
        replace(object, key, cJSON_CreateString(head));
    }
}

// Without evidence, what is left says which call failed and how, and quotes nothing.
static void drop_evidence(cJSON *step)
{
    cJSON *verdict = cJSON_GetObjectItemCaseSensitive(step, "verdict");

    cJSON_DeleteItemFromObjectCaseSensitive(step, "exchanges");
    cut_at(cJSON_GetObjectItemCaseSensitive(step, "request"), "url", "?");
    cut_at(verdict, "failed_expectation", ": was");
    if (json_text(verdict, "message") != NULL)
        replace(verdict, "message", cJSON_CreateNull());
}

static void move_member(cJSON *to, cJSON *from, const char *key)
{
    cJSON *member = cJSON_DetachItemFromObjectCaseSensitive(from, key);

    if (member != NULL)
        cJSON_AddItemToObject(to, key, member);
}

static cJSON *shape_of_last_answer(const cJSON *step)
{
    const cJSON *exchanges = json_member(step, "exchanges");
    const cJSON *last = cJSON_GetArrayItem(exchanges, cJSON_GetArraySize(exchanges) - 1);
    const char *body = json_text(last, "response_body");
    g_autoptr(cJSON) tree = body != NULL ? json_parse(body, strlen(body), NULL) : NULL;

    return tree != NULL ? evidence_shape(tree, NULL) : NULL;
}

// Of a last good run only names, times and shapes are kept, for every contact.
static void reduce_last_good(cJSON *result, enum config_evidence evidence)
{
    cJSON *good = cJSON_GetObjectItemCaseSensitive(result, "last_good");
    cJSON *steps = cJSON_CreateArray();
    cJSON *step;

    cJSON_ArrayForEach(step, json_member(good, "steps"))
    {
        cJSON *kept = cJSON_CreateObject();
        cJSON *shape = evidence == CONFIG_EVIDENCE_NONE ? NULL : shape_of_last_answer(step);
        move_member(kept, step, "step");
        move_member(kept, step, "status");
        move_member(kept, step, "timing_ms");
        if (shape != NULL)
            cJSON_AddItemToObject(kept, "shape", shape);
        cJSON_AddItemToArray(steps, kept);
    }
    if (good != NULL)
        cJSON_ReplaceItemInObjectCaseSensitive(good, "steps", steps);
    else
        cJSON_Delete(steps);
}

cJSON *evidence_reduce(const cJSON *result, enum config_evidence evidence)
{
    cJSON *copy = result != NULL ? cJSON_Duplicate(result, true) : NULL;
    cJSON *step;

    if (copy == NULL)
        return NULL;
    reduce_last_good(copy, evidence);
    cJSON_ArrayForEach(step, json_member(copy, "steps"))
    {
        if (evidence == CONFIG_EVIDENCE_SHAPE)
            shape_exchanges(step);
        else if (evidence == CONFIG_EVIDENCE_NONE)
            drop_evidence(step);
    }
    return copy;
}

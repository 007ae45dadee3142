// SPDX-License-Identifier: MIT
// What a debt holds and what settles it: the deciding part of undoing. The calls
// are made by flow_pay.
#include "flow_undo.h"

#include "../base/ids.h"
#include "../base/json.h"
#include "../base/regex.h"
#include "../base/xml.h"
#include "exchange.h"
#include "multipart.h"
#include "request.h"
#include "selector.h"

#include <string.h>

void flow_debt_free(struct flow_debt *debt)
{
    if (!debt)
        return;
    char *texts[] = {debt->id,  debt->run,    debt->flow,   debt->system, debt->step,   debt->undo,
                     debt->url, debt->origin, debt->digest, debt->state,  debt->problem};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    cJSON_Delete(debt->values);
    g_free(debt);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void flow_undo_freeze(const struct config_system *system, struct values *values, char **origin,
                      char **url, char **digest)
{
    struct template_context context = values_context(values, clock_wall_now());
    *url = template_render(system->url, &context, NULL, NULL);
    *origin = *url ? request_origin(*url) : NULL;
    g_autoptr(GString) with = g_string_new(*url);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < system->vars->len; i++)
        g_ptr_array_add(names, ((const struct config_value *)system->vars->pdata[i])->name);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        const struct value *value = values_find(values, names->pdata[i]);
        g_autofree char *text = value ? value_to_text(value) : NULL;
        g_string_append_printf(with, "\n%s=%s", (char *)names->pdata[i], text ? text : "");
    }
    *digest = ids_hash(26, with->str, NULL);
}

struct flow_debt *flow_undo_debt_new(const struct flow_undo_debt *facts, struct clock_wall now)
{
    struct flow_debt *debt = g_new0(struct flow_debt, 1);
    g_autofree char *attempt = facts->part > 0
                                   ? g_strdup_printf("%d.%u", facts->attempt, facts->part)
                                   : g_strdup_printf("%d", facts->attempt);
    debt->id = ids_hash(26, facts->run, facts->step->name, attempt, NULL);
    debt->run = g_strdup(facts->run);
    debt->flow = g_strdup(facts->flow->id);
    debt->system = g_strdup(facts->system->id);
    debt->step = g_strdup(facts->step->name);
    debt->attempt = facts->attempt;
    debt->sent_at = now;
    debt->timeout_ms = facts->timeout_ms;
    debt->undo = g_strdup(facts->undo->source);
    debt->state = g_strdup("owed");
    flow_undo_freeze(facts->system, facts->with, &debt->origin, &debt->url, &debt->digest);
    debt->values = values_to_json(facts->values);
    if (facts->step->lookup || facts->undo->lookup)
        cJSON_AddItemToObject(debt->values, FLOW_UNDO_SENT,
                              flow_undo_sent_texts(facts->request, facts->run));
    return debt;
}

static void add_system(GPtrArray *ids, const struct call *call)
{
    for (; call; call = call->otherwise)
        if (call->system && !g_ptr_array_find_with_equal_func(ids, call->system, g_str_equal, NULL))
            g_ptr_array_add(ids, call->system);
}

GPtrArray *flow_undo_systems(const struct undo *undo, const struct lookup *lookup)
{
    GPtrArray *ids = g_ptr_array_new();
    for (guint i = 0; i < undo->calls->len; i++)
        add_system(ids, undo->calls->pdata[i]);
    if (undo->lookup)
        add_system(ids, undo->lookup->call);
    if (lookup)
        add_system(ids, lookup->call);
    return ids;
}

void flow_undo_set_values(struct flow_debt *debt, cJSON *values)
{
    static const char *const kept[] = {FLOW_UNDO_SENT, FLOW_UNDO_ABSENT, FLOW_UNDO_WAITS,
                                       FLOW_UNDO_SYSTEMS};
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(debt->values, kept[i]);
        if (item)
            cJSON_AddItemToObject(values, kept[i], item);
    }
    cJSON_Delete(debt->values);
    debt->values = values;
}

static void collect_json_texts(const cJSON *node, const char *needle, cJSON *texts)
{
    if (cJSON_IsString(node) && strstr(node->valuestring, needle))
        cJSON_AddItemToArray(texts, cJSON_CreateString(node->valuestring));
    const cJSON *child;
    cJSON_ArrayForEach(child, node) collect_json_texts(child, needle, texts);
}

static void collect_form_texts(const char *form, const char *needle, cJSON *texts)
{
    g_autoptr(GHashTable) fields = g_uri_parse_params(form, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
    GHashTableIter iterator;
    gpointer name, value;
    if (!fields)
        return;
    g_hash_table_iter_init(&iterator, fields);
    while (g_hash_table_iter_next(&iterator, &name, &value))
        if (strstr(value, needle))
            cJSON_AddItemToArray(texts, cJSON_CreateString(value));
}

struct text_search {
    const char *needle;
    cJSON *texts;
};

static void collect_xml_text(const char *name, const char *text, void *user)
{
    (void)name;
    struct text_search *search = user;
    if (strstr(text, search->needle))
        cJSON_AddItemToArray(search->texts, cJSON_CreateString(text));
}

static void collect_texts(const char *bytes, size_t length, const char *type, const char *needle,
                          cJSON *texts)
{
    g_autoptr(cJSON) document = json_parse(bytes, length, NULL);
    g_autofree char *text = g_strndup(bytes, length);
    g_autoptr(xml_document_t) markup = strstr(text, needle) ? xml_parse(text, NULL) : NULL;
    struct text_search search = {needle, texts};
    if (document)
        collect_json_texts(document, needle, texts);
    else if (markup)
        xml_document_foreach(markup, collect_xml_text, &search);
    else if (type && strstr(type, "x-www-form-urlencoded"))
        collect_form_texts(text, needle, texts);
    else if (strstr(text, needle))
        cJSON_AddItemToArray(texts, cJSON_CreateString(text));
}

cJSON *flow_undo_sent_texts(const struct transfer_request *request, const char *needle)
{
    cJSON *texts = cJSON_CreateArray();
    if (!request->body)
        return texts;
    gsize length;
    const char *bytes = g_bytes_get_data(request->body, &length);
    const char *type = transfer_headers_find(request->headers, "Content-Type");
    g_autoptr(GPtrArray) parts =
        multipart_is(bytes, length, type) ? multipart_read(bytes, length, type) : NULL;
    if (!parts)
        collect_texts(bytes, length, type, needle, texts);
    for (guint i = 0; parts && i < parts->len; i++) {
        const struct multipart_part *part = g_ptr_array_index(parts, i);
        collect_texts(part->body, part->length, part->content_type, needle, texts);
    }
    return texts;
}

// Words of a 404 that speak of the way to the record, not of the record.
static const struct regex *endpoint_regex(void)
{
    static struct regex *regex; // for the life of the program
    if (!regex)
        regex = regex_compile("\\b(?:company|companies|endpoint|no http resource|route|url|service|"
                              "resource not found for the segment|no database|tenant)\\b",
                              REGEX_CASELESS, NULL);
    return regex;
}

// True for the words of a 404 that mean the record itself.
static bool speaks_of_record(const char *body)
{
    return !regex_match(endpoint_regex(), body, strlen(body), 0, NULL, NULL);
}

static bool part_is_gone(const cJSON *part, gint64 status)
{
    g_autofree char *body = json_print(json_member(part, "body"), false);
    return status == 410 || (status == 404 && speaks_of_record(body));
}

// A batch of deletes: each part did its own, or found nothing, and one found nothing.
static bool batch_is_gone(const struct transfer_response *response)
{
    struct subject subject;
    subject_init_response(&subject, response);
    const cJSON *part;
    bool gone = false, other = false;
    cJSON_ArrayForEach(part, json_member(subject_document(&subject), "responses"))
    {
        gint64 status = json_integer(part, "status", 0);
        bool nothing = part_is_gone(part, status);
        gone = gone || nothing;
        other = other || (!nothing && (status < 200 || status >= 300));
    }
    subject_clear(&subject);
    return gone && !other;
}

bool flow_undo_record_is_gone(const struct transfer_response *response)
{
    if (response->outcome != TRANSFER_ANSWERED)
        return false;
    if (response->status >= 200 && response->status < 300)
        return batch_is_gone(response);
    if (response->status == 410)
        return true;
    if (response->status != 404)
        return false;
    const char *type = transfer_headers_find(response->headers, "Content-Type");
    if (type && g_ascii_strncasecmp(type, "text/html", strlen("text/html")) == 0)
        return false;
    g_autofree char *body = exchange_body_text(response);
    return speaks_of_record(body);
}

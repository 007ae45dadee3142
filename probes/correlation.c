// SPDX-License-Identifier: MIT
// Finds the ids to quote to support. Used by classify for every failure; each id
// keeps the name under which the answer gave it.
#include "correlation.h"

#include "../base/regex.h"
#include "../base/transfer.h"

#include <stdint.h>
#include <string.h>

enum { IDS_MAX = 12, VALUE_MAX = 200, DEPTH_MAX = 5, NODES_MAX = 400 };

// Microsoft, SAP, Oracle, AWS, gateways, W3C trace context.
static const char *const headers_known[] = {"request-id",
                                            "x-request-id",
                                            "client-request-id",
                                            "x-ms-request-id",
                                            "ms-correlation-x",
                                            "x-ms-correlation-id",
                                            "x-ms-correlation-request-id",
                                            "correlation-id",
                                            "x-correlation-id",
                                            "x-correlationid",
                                            "requestid",
                                            "ms-dyn-aid",
                                            "x-ms-client-request-id",
                                            "x-ms-ags-diagnostic",
                                            "sap-message-id",
                                            "sap-passport",
                                            "sap-perf-fesrec",
                                            "x-sap-correlation-id",
                                            "sap-statistics-id",
                                            "x-vcap-request-id",
                                            "x-amzn-requestid",
                                            "x-amzn-trace-id",
                                            "x-amz-cf-id",
                                            "cf-ray",
                                            "x-trace-id",
                                            "x-b3-traceid",
                                            "traceparent",
                                            "x-cloud-trace-context",
                                            "x-n-operationid",
                                            "ns_rtimer_composite",
                                            "x-oracle-dms-ecid",
                                            "x-newrelic-id",
                                            "psp-reference",
                                            "pspreference",
                                            "paypal-debug-id",
                                            "x-stripe-request-id",
                                            "x-datadog-trace-id",
                                            "x-iinfo",
                                            "x-error-id",
                                            "x-log-id",
                                            "x-azure-ref",
                                            "x-debug-token",
                                            "x-magento-report-id",
                                            "activityid"};

// Members of bodies, in lower case and without punctuation.
static const char *const members_known[] = {
    "requestid",     "correlationid", "clientrequestid", "traceid",      "activityid",
    "transactionid", "operationid",   "incidentid",      "pspreference", "profitlogreference",
    "debugid",       "errorid",       "reportid",        "logid",        "eventid",
    "payloadid",     "instanceid",    "errorreference",  "referenceid",  "supportid",
    "trackingid",    "sessionid"};

// In texts: group 1 is the name, group 2 the id.
static const char text_pattern[] =
    "\\b(correlation ?id|request ?id|client ?request ?id|activity ?id|trace ?id|transaction ?id|"
    "report ?id|incident ?id|error ?id|ray ?id|event ?id|support ?id|reference ?(?:id|number|#))"
    "\\s*[:=#]\\s*[\"'\\[(]?([A-Za-z0-9][A-Za-z0-9_.:-]{4,80}[A-Za-z0-9])";

// Dynamics GP names a log and its GUID in words of its own.
static const char log_pattern[] =
    "\\b((?:log|logged|exception|validation)(?: \\w+){0,3}? ?(?:id|key|guid))\\b[^0-9a-z]{0,4}"
    "(?:(?:is|of) )?[^0-9a-z]{0,4}([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})";

static bool is_known(const char *const *names, size_t count, const char *name)
{
    char first = g_ascii_tolower(*name);
    for (size_t i = 0; i < count; i++)
        if (*names[i] == first && g_ascii_strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

static void add(cJSON *ids, const char *name, const char *value)
{
    if (!value || !*value || strlen(value) > VALUE_MAX || cJSON_GetArraySize(ids) >= IDS_MAX ||
        !g_utf8_validate(value, -1, NULL) || json_member(ids, name))
        return;
    json_add_text(ids, name, value);
}

// By the first letter: the lengths of the headers that begin with it, as bits.
static const uint64_t *header_lengths(void)
{
    static uint64_t lengths['z' + 1];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        for (size_t i = 0; i < G_N_ELEMENTS(headers_known); i++)
            lengths[(unsigned char)*headers_known[i]] |= UINT64_C(1) << strlen(headers_known[i]);
        g_once_init_leave(&ready, 1);
    }
    return lengths;
}

// False for nearly every header of nearly every answer.
static bool may_be_known(const char *name)
{
    char first = g_ascii_tolower(*name);
    size_t length = strlen(name);
    return first >= 'a' && first <= 'z' && length < 64 &&
           header_lengths()[(unsigned char)first] >> length & 1;
}

void correlation_add_headers(cJSON *ids, const GPtrArray *headers)
{
    for (guint i = 0; headers && i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        if (!may_be_known(header->name) ||
            !is_known(headers_known, G_N_ELEMENTS(headers_known), header->name))
            continue;
        g_autofree char *name = g_ascii_strdown(header->name, -1);
        add(ids, name, header->value);
    }
}

static char *plain_name(const char *key)
{
    const char *colon = strrchr(key, ':');
    GString *name = g_string_new(NULL);
    for (const char *c = colon ? colon + 1 : key; *c; c++)
        if (g_ascii_isalnum(*c))
            g_string_append_c(name, g_ascii_tolower(*c));
    return g_string_free(name, false);
}

static void add_members(cJSON *ids, const cJSON *node, int depth, int *budget)
{
    const cJSON *child;
    cJSON_ArrayForEach(child, node)
    {
        if (--*budget < 0)
            return;
        g_autofree char *name = child->string ? plain_name(child->string) : NULL;
        char buffer[32];
        if (name && is_known(members_known, G_N_ELEMENTS(members_known), name) &&
            (cJSON_IsString(child) || cJSON_IsNumber(child)))
            add(ids, child->string,
                cJSON_IsString(child) ? child->valuestring : json_number_text(child, buffer));
        else if (child->child && depth < DEPTH_MAX)
            add_members(ids, child, depth + 1, budget);
    }
}

void correlation_add_document(cJSON *ids, const cJSON *document)
{
    int budget = NODES_MAX;
    if (document)
        add_members(ids, document, 0, &budget);
}

static void add_matches(cJSON *ids, const char *pattern, const char *text)
{
    g_autoptr(regex_compiled_t) regex = regex_compile(pattern, REGEX_CASELESS, NULL);
    size_t length = text ? strnlen(text, 8192) : 0, offset = 0;
    for (int found = 0; regex && found < IDS_MAX && offset < length; found++) {
        g_autoptr(GPtrArray) groups = NULL;
        if (!regex_match(regex, text, length, offset, &groups, NULL))
            return;
        const char *whole = g_ptr_array_index(groups, 0);
        add(ids, g_ptr_array_index(groups, 1), g_ptr_array_index(groups, 2));
        const char *at = g_strstr_len(text + offset, (gssize)(length - offset), whole);
        offset = at ? (size_t)(at - text) + strlen(whole) : length;
    }
}

void correlation_add_text(cJSON *ids, const char *text)
{
    add_matches(ids, text_pattern, text);
    add_matches(ids, log_pattern, text);
}

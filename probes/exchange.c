// SPDX-License-Identifier: MIT
// The evidence as memory and as JSON. Secrets go out here, before anything is
// cut: half a secret is not found any more. Comes after the call, before the
// run's result, the store and the mail.
#include "exchange.h"

#include "../base/transfer_auth.h"

#include "charset.h"

#include <string.h>

struct exchange *exchange_new(struct transfer_request *request, struct clock_wall started)
{
    struct exchange *exchange = g_new0(struct exchange, 1);
    exchange->request = request;
    transfer_request_complete(request);
    exchange->started = started;
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    transfer_request_free(exchange->request);
    transfer_response_free(exchange->response);
    g_free(exchange->unfollowed);
    g_free(exchange);
}

static void add_headers(cJSON *json, const char *key, const GPtrArray *headers,
                        const struct redact *redact)
{
    cJSON *list = cJSON_AddArrayToObject(json, key);
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        g_autofree char *redacted = redact_header(redact, header->name, header->value);
        g_autofree char *value = g_utf8_make_valid(redacted, -1);
        g_autofree char *name = g_utf8_make_valid(header->name, -1);
        cJSON *pair = cJSON_CreateArray();
        cJSON_AddItemToArray(pair, cJSON_CreateString(name));
        cJSON_AddItemToArray(pair, cJSON_CreateString(value));
        cJSON_AddItemToArray(list, pair);
    }
}

// Cuts valid UTF-8 in place to at most `max` bytes, at the end of a character;
// true where something was cut.
static bool cut_text(char *text, size_t max)
{
    if (strlen(text) <= max)
        return false;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    text[max] = '\0';
    return true;
}

// A body (taken, valid UTF-8) without secrets, then cut: KEY_cut says so.
static void add_body(cJSON *json, const char *key, char *text, const char *type,
                     const struct redact *redact, size_t max_body)
{
    g_autofree char *redacted = redact_body(redact, type, text, -1);
    g_autofree char *valid = g_utf8_make_valid(redacted, -1);
    bool cut = cut_text(valid, max_body);
    json_add_text(json, key, valid);
    if (cut) {
        g_autofree char *mark = g_strconcat(key, "_cut", NULL);
        cJSON_AddTrueToObject(json, mark);
    }
    g_free(text);
}

static char *request_text(const struct transfer_request *request)
{
    gsize length;
    const char *data = g_bytes_get_data(request->body, &length);
    return length > 0 ? g_utf8_make_valid(data, (gssize)length) : g_strdup("");
}

// The header that the transport makes, and what a person needs to do the same.
static void add_credentials(cJSON *json, const struct transfer_credentials *credentials,
                            const struct redact *redact)
{
    const char *name = transfer_auth_name(credentials->kind);
    if (credentials->cert) {
        json_add_text(json, "certificate", credentials->cert);
        json_add_text(json, "certificate_key", credentials->key);
    }
    if (!name)
        return;
    const char *pair[] = {"Authorization", REDACT_MASK};
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(json, "request_headers"),
                         cJSON_CreateStringArray(pair, G_N_ELEMENTS(pair)));
    cJSON *auth = cJSON_AddObjectToObject(json, "auth");
    json_add_text(auth, "scheme", name);
    if (credentials->username) {
        g_autofree char *redacted = redact_text(redact, credentials->username, -1);
        g_autofree char *user = g_utf8_make_valid(redacted, -1);
        json_add_text(auth, "user", user);
    }
}

static void add_request(cJSON *json, const struct transfer_request *request,
                        const struct redact *redact, size_t max_body)
{
    g_autofree char *url = redact_url(redact, request->url);
    g_autofree char *valid = g_utf8_make_valid(url, -1);
    json_add_text(json, "method", request->method);
    json_add_text(json, "url", valid);
    add_headers(json, "request_headers", request->headers, redact);
    add_credentials(json, &request->credentials, redact);
    if (request->body)
        add_body(json, "request_body", request_text(request),
                 transfer_headers_find(request->headers, "Content-Type"), redact, max_body);
    else
        cJSON_AddNullToObject(json, "request_body");
    if (request->tls.no_verify)
        cJSON_AddTrueToObject(json, "insecure");
}

static void add_time(cJSON *object, const char *key, double ms)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (ms < 0)
        cJSON_AddNullToObject(object, key);
    else
        cJSON_AddItemToObject(object, key,
                              json_new_number(g_ascii_formatd(text, sizeof text, "%.3f", ms)));
}

static void add_timing(cJSON *json, const struct transfer_timing *timing)
{
    cJSON *object = cJSON_AddObjectToObject(json, "timing_ms");
    add_time(object, "dns", timing->dns);
    add_time(object, "connect", timing->connect);
    add_time(object, "tls", timing->tls);
    add_time(object, "sent", timing->sent);
    add_time(object, "first_byte", timing->first_byte);
    add_time(object, "total", timing->total);
}

static void add_response(cJSON *json, const struct transfer_response *response,
                         const struct redact *redact, size_t max_body)
{
    if (response->status > 0)
        json_add_integer(json, "status", response->status);
    else
        cJSON_AddNullToObject(json, "status");
    json_add_text(json, "http_version", response->http_version);
    add_headers(json, "response_headers", response->headers, redact);
    add_body(json, "response_body", exchange_body_text(response),
             transfer_headers_find(response->headers, "Content-Type"), redact, max_body);
    g_autofree char *problem =
        response->problem ? redact_text(redact, response->problem, -1) : NULL;
    g_autofree char *valid = problem ? g_utf8_make_valid(problem, -1) : NULL;
    json_add_text(json, "problem", valid);
    if (response->phase != TRANSFER_PHASE_NONE)
        json_add_text(json, "phase", transfer_phase_name(response->phase));
    json_add_text(json, "peer", response->peer);
    cJSON_AddBoolToObject(json, "sent", response->sent);
    add_timing(json, &response->timing);
}

static void add_sizes(cJSON *json, const struct exchange *exchange)
{
    const struct transfer_request *request = exchange->request;
    cJSON *sizes = cJSON_AddObjectToObject(json, "sizes");
    json_add_integer(sizes, "request_body",
                     request->body ? (gint64)g_bytes_get_size(request->body) : 0);
    if (exchange->response)
        json_add_integer(sizes, "response_body",
                         (gint64)g_bytes_get_size(exchange->response->body));
}

char *exchange_body_text(const struct transfer_response *response)
{
    gsize length;
    const char *data = g_bytes_get_data(response->body, &length);
    return charset_decode(data ? data : "", length,
                          transfer_headers_find(response->headers, "Content-Type"));
}

cJSON *exchange_to_json(const struct exchange *exchange, const struct redact *redact,
                        size_t max_body)
{
    cJSON *json = cJSON_CreateObject();
    g_autofree char *started = clock_wall_format(exchange->started);
    add_request(json, exchange->request, redact, max_body);
    if (exchange->response)
        add_response(json, exchange->response, redact, max_body);
    add_sizes(json, exchange);
    if (exchange->redirected_by)
        json_add_integer(json, "redirected_by", exchange->redirected_by);
    json_add_text(json, "started", started);
    return json;
}

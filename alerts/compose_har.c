// SPDX-License-Identifier: MIT
// Writes exchanges (exchange_to_json, secrets already out) as HAR 1.2. Comes
// after evidence_reduce, before compose_mail. What the format requires is always
// there and of the right type: importers fail on anything less.
#include "compose_har.h"

#include <string.h>

enum { BODY_MAX = 64 * 1024, BODY_LEAST = 512, HEADER_MAX = 8192 };

// A text of at most `max` bytes, cut at a character; `comment` is what then stands beside it.
static cJSON *cut_text(const char *text, gsize max, char **comment)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    gsize length = strlen(valid);

    if (length > max) {
        gsize end = max;
        while (end > 0 && ((unsigned char)valid[end] & 0xC0) == 0x80)
            end--;
        valid[end] = '\0';
        *comment = g_strdup_printf("cut after %zu of %zu bytes", end, length);
    }
    return cJSON_CreateString(valid);
}

// All but bodies: importers refuse a file that is not UTF-8 throughout, and nobody reads a URL of
// a megabyte.
static void add_text(cJSON *object, const char *key, const char *text)
{
    g_autofree char *comment = NULL;

    cJSON_AddItemToObject(object, key, cut_text(text, HEADER_MAX, &comment));
}

static const char *pair_text(const cJSON *pair, int index)
{
    const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(pair, index));

    return text != NULL ? text : "";
}

static const char *header_value(const cJSON *headers, const char *name)
{
    const cJSON *header;

    cJSON_ArrayForEach(header, headers)
    {
        if (g_ascii_strcasecmp(pair_text(header, 0), name) == 0)
            return pair_text(header, 1);
    }
    return NULL;
}

static void add_headers(cJSON *message, const cJSON *headers)
{
    cJSON *list = cJSON_AddArrayToObject(message, "headers");
    const cJSON *header;

    cJSON_ArrayForEach(header, headers)
    {
        g_autofree char *comment = NULL;
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddItemToObject(entry, "name", cut_text(pair_text(header, 0), HEADER_MAX, &comment));
        g_clear_pointer(&comment, g_free);
        cJSON_AddItemToObject(entry, "value", cut_text(pair_text(header, 1), HEADER_MAX, &comment));
        if (comment != NULL)
            add_text(entry, "comment", comment);
        cJSON_AddItemToArray(list, entry);
    }
}

static char *query_part(const char *text, gsize length)
{
    g_autofree char *raw = g_strndup(text, length);
    char *plain;

    g_strdelimit(raw, "+", ' ');
    plain = g_uri_unescape_string(raw, NULL);
    if (plain != NULL && g_utf8_validate(plain, -1, NULL))
        return plain;
    g_free(plain);
    return g_strdup(raw);
}

static void add_query(cJSON *request, const char *url)
{
    cJSON *list = cJSON_AddArrayToObject(request, "queryString");
    const char *query = strchr(url, '?');
    g_autofree char *text =
        query != NULL ? g_strndup(query + 1, MIN(strcspn(query + 1, "#"), 2 * HEADER_MAX)) : NULL;
    g_auto(GStrv) fields = g_strsplit(text != NULL ? text : "", "&", 200);

    for (char **field = fields; *field != NULL; field++) {
        gsize name = strcspn(*field, "=");
        gsize value_at = name + ((*field)[name] == '=');
        g_autofree char *key = query_part(*field, name);
        g_autofree char *value = query_part(*field + value_at, strlen(*field + value_at));
        cJSON *entry;
        if (**field == '\0')
            continue;
        entry = cJSON_CreateObject();
        add_text(entry, "name", key);
        add_text(entry, "value", value);
        cJSON_AddItemToArray(list, entry);
    }
}

static char *http_version(const cJSON *exchange)
{
    const char *version = json_text(exchange, "http_version");

    return g_strdup_printf("HTTP/%s", version != NULL ? version : "1.1");
}

// The size before redaction and cutting, where the exchange tells it.
static gint64 body_size(const cJSON *exchange, const char *key)
{
    const char *body = json_text(exchange, key);
    gint64 fallback = body != NULL ? (gint64)strlen(body) : 0;

    return json_integer(json_member(exchange, "sizes"), key, fallback);
}

static cJSON *request_of(const cJSON *exchange, gsize body_max)
{
    cJSON *request = cJSON_CreateObject();
    const cJSON *headers = json_member(exchange, "request_headers");
    const char *body = json_text(exchange, "request_body");
    const char *url = json_text(exchange, "url");
    const char *method = json_text(exchange, "method");
    const char *type = header_value(headers, "Content-Type");
    g_autofree char *version = http_version(exchange);
    g_autofree char *comment = NULL;

    add_text(request, "method", method != NULL ? method : "GET");
    add_text(request, "url", url != NULL ? url : "");
    add_text(request, "httpVersion", version);
    cJSON_AddArrayToObject(request, "cookies");
    add_headers(request, headers);
    add_query(request, url != NULL ? url : "");
    json_add_integer(request, "headersSize", -1);
    json_add_integer(request, "bodySize", body_size(exchange, "request_body"));
    if (body != NULL && *body != '\0') {
        cJSON *post = cJSON_AddObjectToObject(request, "postData");
        add_text(post, "mimeType", type != NULL ? type : "application/octet-stream");
        cJSON_AddItemToObject(post, "text", cut_text(body, body_max, &comment));
        if (comment != NULL)
            add_text(post, "comment", comment);
    }
    return request;
}

static void add_content(cJSON *response, const cJSON *exchange, gsize body_max)
{
    const char *body = json_text(exchange, "response_body");
    const char *type = header_value(json_member(exchange, "response_headers"), "Content-Type");
    cJSON *content = cJSON_AddObjectToObject(response, "content");
    g_autofree char *comment = NULL;

    body = body != NULL ? body : "";
    json_add_integer(content, "size", body_size(exchange, "response_body"));
    add_text(content, "mimeType", type != NULL ? type : "x-unknown");
    cJSON_AddItemToObject(content, "text", cut_text(body, body_max, &comment));
    if (cJSON_IsTrue(json_member(exchange, "shape")))
        add_text(content, "comment", "keys and types only: values are left out");
    else if (comment != NULL)
        add_text(content, "comment", comment);
}

static cJSON *response_of(const cJSON *exchange, gsize body_max)
{
    cJSON *response = cJSON_CreateObject();
    const cJSON *headers = json_member(exchange, "response_headers");
    const char *location = header_value(headers, "Location");
    const char *problem = json_text(exchange, "problem");
    g_autofree char *version = http_version(exchange);

    json_add_integer(response, "status", json_integer(exchange, "status", 0));
    add_text(response, "statusText", "");
    add_text(response, "httpVersion", version);
    cJSON_AddArrayToObject(response, "cookies");
    add_headers(response, headers);
    add_content(response, exchange, body_max);
    add_text(response, "redirectURL", location != NULL ? location : "");
    json_add_integer(response, "headersSize", -1);
    json_add_integer(response, "bodySize", -1);
    if (problem != NULL)
        add_text(response, "_error", problem);
    return response;
}

static double moment(const cJSON *timing, const char *key)
{
    const cJSON *number = json_member(timing, key);

    return cJSON_IsNumber(number) ? number->valuedouble : -1;
}

static double span(double from, double to)
{
    return to < 0 ? -1 : MAX(to - MAX(from, 0), 0);
}

static void add_span(cJSON *timings, const char *key, double ms)
{
    g_autofree char *text = g_strdup_printf("%.3f", ms);
    cJSON *number = json_new_number(text);

    cJSON_AddItemToObject(timings, key, number != NULL ? number : cJSON_CreateNumber(0));
}

// From cumulative moments to spans; the three that HAR requires are never negative. Returns the
// whole time: the sum of what is not -1 (ssl is part of connect).
static double add_timings(cJSON *entry, const cJSON *timing)
{
    cJSON *timings = cJSON_CreateObject();
    double dns = moment(timing, "dns"), connected = moment(timing, "connect");
    double tls = moment(timing, "tls"), first = moment(timing, "first_byte");
    double ready = MAX(MAX(tls, connected), dns);
    double sent = MAX(moment(timing, "sent"), ready);
    double total = MAX(moment(timing, "total"), 0);
    double connect = connected < 0 ? -1 : span(dns, MAX(tls, connected));
    double send = MAX(span(ready, sent), 0), wait = MAX(span(sent, first < 0 ? total : first), 0);
    double receive = first < 0 ? 0 : MAX(span(first, total), 0);

    add_span(timings, "blocked", -1);
    add_span(timings, "dns", dns);
    add_span(timings, "connect", connect);
    add_span(timings, "ssl", tls < 0 ? -1 : span(connected, tls));
    add_span(timings, "send", send);
    add_span(timings, "wait", wait);
    add_span(timings, "receive", receive);
    cJSON_AddItemToObject(entry, "timings", timings);
    return MAX(dns, 0) + MAX(connect, 0) + send + wait + receive;
}

static cJSON *entry_of(const cJSON *step, const cJSON *exchange, gsize body_max)
{
    cJSON *entry = cJSON_CreateObject();
    const char *started = json_text(exchange, "started");
    const char *peer = json_text(exchange, "peer");
    const char *port = peer != NULL ? strrchr(peer, ':') : NULL;
    g_autofree char *address = port != NULL ? g_strndup(peer, (gsize)(port - peer)) : NULL;
    double total;

    add_text(entry, "startedDateTime", started != NULL ? started : "1970-01-01T00:00:00Z");
    cJSON_AddItemToObject(entry, "request", request_of(exchange, body_max));
    cJSON_AddItemToObject(entry, "response", response_of(exchange, body_max));
    cJSON_AddObjectToObject(entry, "cache");
    total = add_timings(entry, json_member(exchange, "timing_ms"));
    add_span(entry, "time", total);
    if (address != NULL)
        add_text(entry, "serverIPAddress", address);
    add_text(entry, "comment", json_text(step, "step") ? json_text(step, "step") : "");
    return entry;
}

static cJSON *archive_of(const cJSON *result, gsize body_max)
{
    cJSON *archive = cJSON_CreateObject();
    cJSON *log = cJSON_AddObjectToObject(archive, "log");
    cJSON *creator, *entries;
    const cJSON *step, *exchange;

    add_text(log, "version", "1.2");
    creator = cJSON_AddObjectToObject(log, "creator");
    add_text(creator, "name", "erpwatch");
    add_text(creator, "version", ERPWATCH_VERSION);
    cJSON_AddArrayToObject(log, "pages");
    entries = cJSON_AddArrayToObject(log, "entries");
    cJSON_ArrayForEach(step, json_member(result, "steps"))
    {
        cJSON_ArrayForEach(exchange, json_member(step, "exchanges"))
        {
            cJSON_AddItemToArray(entries, entry_of(step, exchange, body_max));
        }
    }
    return archive;
}

static cJSON *entries_of(cJSON *archive)
{
    cJSON *log = cJSON_GetObjectItemCaseSensitive(archive, "log");

    return cJSON_GetObjectItemCaseSensitive(log, "entries");
}

// Where shorter bodies do not help, the oldest calls go: the last one is the one that failed.
static char *drop_oldest(const cJSON *result, gsize max_bytes)
{
    g_autoptr(cJSON) archive = archive_of(result, BODY_LEAST);
    cJSON *entries = entries_of(archive);
    g_autofree char *text = json_print(archive, true);

    while (strlen(text) > max_bytes && cJSON_GetArraySize(entries) > 1) {
        int count = cJSON_GetArraySize(entries);
        for (int i = 0; i < (count + 1) / 2; i++)
            cJSON_DeleteItemFromArray(entries, 0);
        g_free(text);
        text = json_print(archive, true);
    }
    return strlen(text) <= max_bytes ? g_steal_pointer(&text) : NULL;
}

char *compose_har(const cJSON *result, gsize max_bytes)
{
    for (gsize body_max = BODY_MAX; body_max >= BODY_LEAST; body_max /= 2) {
        g_autoptr(cJSON) archive = archive_of(result, body_max);
        g_autofree char *text = json_print(archive, true);
        if (cJSON_GetArraySize(entries_of(archive)) == 0)
            return NULL;
        if (strlen(text) <= max_bytes)
            return g_steal_pointer(&text);
    }
    return drop_oldest(result, max_bytes);
}

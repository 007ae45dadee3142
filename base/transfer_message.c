// SPDX-License-Identifier: MIT
// The values that go into a call and come out of it. Nothing here knows how a
// call is made; the transport fills a response, probes/ judge it.
#include "transfer_message.h"

#include <string.h>

enum { USUAL_HEADERS = 8 }; // a list has room for at once

struct transfer_request *transfer_request_new(const char *method, const char *url)
{
    struct transfer_request *request = g_new0(struct transfer_request, 1);
    request->method = g_strdup(method);
    request->url = g_strdup(url);
    request->headers = transfer_headers_new();
    return request;
}

static void clear_credentials(struct transfer_credentials *credentials)
{
    g_free(credentials->username);
    g_free(credentials->password);
    g_free(credentials->service);
    g_free(credentials->cert);
    g_free(credentials->key);
    g_free(credentials->key_password);
    *credentials = (struct transfer_credentials){0};
}

void transfer_request_copy_credentials(struct transfer_request *request,
                                       const struct transfer_request *other)
{
    const struct transfer_credentials *from = &other->credentials;
    clear_credentials(&request->credentials);
    request->credentials = (struct transfer_credentials){
        .kind = from->kind,
        .username = g_strdup(from->username),
        .password = g_strdup(from->password),
        .service = g_strdup(from->service),
        .cert = g_strdup(from->cert),
        .key = g_strdup(from->key),
        .key_password = g_strdup(from->key_password),
    };
}

struct transfer_request *transfer_request_copy(const struct transfer_request *request)
{
    struct transfer_request *copy = transfer_request_new(request->method, request->url);
    for (guint i = 0; i < request->headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(request->headers, i);
        transfer_headers_add(copy->headers, header->name, header->value);
    }
    copy->body = request->body ? g_bytes_ref(request->body) : NULL;
    copy->timeout_ms = request->timeout_ms;
    copy->max_body = request->max_body;
    copy->tls = request->tls;
    copy->may_reuse = request->may_reuse;
    transfer_request_copy_credentials(copy, request);
    return copy;
}

void transfer_request_free(struct transfer_request *request)
{
    if (!request)
        return;
    g_free(request->method);
    g_free(request->url);
    g_ptr_array_unref(request->headers);
    g_clear_pointer(&request->body, g_bytes_unref);
    clear_credentials(&request->credentials);
    g_free(request);
}

void transfer_request_complete(struct transfer_request *request)
{
    static const struct {
        const char *name, *value;
    } HEADERS[] = {
        {"Accept", "*/*"},
        {"User-Agent", "erpwatch/" ERPWATCH_VERSION},
        {"Accept-Encoding", "gzip, deflate"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(HEADERS); i++)
        if (!transfer_headers_find(request->headers, HEADERS[i].name))
            transfer_headers_add(request->headers, HEADERS[i].name, HEADERS[i].value);
}

struct transfer_response *transfer_response_new(void)
{
    struct transfer_response *response = g_new0(struct transfer_response, 1);
    response->headers = transfer_headers_new();
    response->body = g_bytes_new_static("", 0);
    response->timing = (struct transfer_timing){-1, -1, -1, -1, -1, -1};
    return response;
}

void transfer_response_free(struct transfer_response *response)
{
    if (!response)
        return;
    g_free(response->problem);
    g_ptr_array_unref(response->headers);
    g_bytes_unref(response->body);
    g_free(response->peer);
    g_free(response->refused);
    g_free(response);
}

GPtrArray *transfer_headers_new(void)
{
    return g_ptr_array_new_full(USUAL_HEADERS, g_free);
}

void transfer_headers_add(GPtrArray *headers, const char *name, const char *value)
{
    size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    struct transfer_header *header = g_malloc(sizeof *header + name_size + value_size);
    header->name = (char *)(header + 1);
    header->value = header->name + name_size;
    memcpy(header->name, name, name_size);
    memcpy(header->value, value, value_size);
    g_ptr_array_add(headers, header);
}

// A line that goes on with the value of the one before (obsolete folding).
static void append_folded(GPtrArray *headers, const char *text)
{
    if (headers->len == 0)
        return;
    struct transfer_header *last = g_ptr_array_index(headers, headers->len - 1);
    g_autofree char *name = g_strdup(last->name);
    g_autofree char *value = g_strconcat(last->value, " ", text, NULL);
    g_ptr_array_remove_index(headers, headers->len - 1);
    transfer_headers_add(headers, name, value);
}

void transfer_headers_add_line(GPtrArray *headers, char *line)
{
    if (*line == ' ' || *line == '\t') {
        append_folded(headers, g_strstrip(line));
        return;
    }
    char *colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = '\0';
    transfer_headers_add(headers, g_strchomp(line), g_strstrip(colon + 1));
}

const char *transfer_headers_find(const GPtrArray *headers, const char *name)
{
    char first = g_ascii_tolower(*name);
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        if (g_ascii_tolower(*header->name) == first && g_ascii_strcasecmp(header->name, name) == 0)
            return header->value;
    }
    return NULL;
}

const char *transfer_phase_name(enum transfer_phase phase)
{
    static const char *const NAMES[] = {
        [TRANSFER_PHASE_NONE] = "none",
        [TRANSFER_PHASE_DNS] = "dns",
        [TRANSFER_PHASE_CONNECT] = "connect",
        [TRANSFER_PHASE_TLS] = "tls",
        [TRANSFER_PHASE_FIRST_BYTE] = "first_byte",
        [TRANSFER_PHASE_TRANSFER] = "transfer",
    };
    return (size_t)phase < G_N_ELEMENTS(NAMES) ? NAMES[phase] : "none";
}

// SPDX-License-Identifier: MIT
// Reads multipart bodies (RFC 2046) and the HTTP messages inside (OData 4.01 part
// 1, 11.7). After the transfer; before selectors, envelopes and the ledger, which
// see parts, or the JSON that the same batch would have been.
#include "multipart.h"

#include "../base/transfer_message.h"
#include "charset.h"

#include <string.h>

enum { PARTS_MAX = 1000, DEPTH_MAX = 3, HEADERS_MAX = 100, LINE_BYTES = 8192, BOUNDARY_MAX = 200 };

struct text {
    const char *at, *end;
};

static void free_part(void *data)
{
    struct multipart_part *part = data;
    g_free(part->id);
    g_free(part->content_type);
    g_ptr_array_unref(part->headers);
    g_free(part);
}

// The next line without its end, as a copy cut at LINE_BYTES; NULL at the end.
static char *take_line(struct text *text)
{
    if (text->at >= text->end)
        return NULL;
    const char *begin = text->at;
    const char *feed = memchr(begin, '\n', (size_t)(text->end - begin));
    const char *end = feed ? feed : text->end;
    text->at = feed ? feed + 1 : text->end;
    if (end > begin && end[-1] == '\r')
        end--;
    return g_strndup(begin, MIN((size_t)(end - begin), (size_t)LINE_BYTES));
}

static void skip_blank_lines(struct text *text)
{
    while (text->at && text->at < text->end && (*text->at == '\r' || *text->at == '\n'))
        text->at++;
}

// True where the text begins with "HTTP/1.1 404 …" (the status then) or "POST x HTTP/1.1".
static bool is_http(const struct text *text, int *status)
{
    struct text copy = *text;
    g_autofree char *line = take_line(&copy);
    *status = 0;
    if (!line)
        return false;
    if (g_ascii_strncasecmp(line, "HTTP/", strlen("HTTP/")) != 0)
        return g_ascii_isupper(*line) && strstr(line, " HTTP/1.");
    const char *number = strchr(line, ' ');
    number = number ? number + strspn(number, " ") : "";
    if (strspn(number, "0123456789") != 3)
        return false;
    *status = (int)g_ascii_strtoull(number, NULL, 10);
    return *status >= 100 && *status < 600;
}

// True where a message or a document begins, as no header does.
static bool begins_content(const struct text *text)
{
    int status;
    return text->at && text->at < text->end &&
           (strchr("{[<", *text->at) ? *text->at != '\0' : is_http(text, &status));
}

// Headers up to a blank line, which is taken too; or to where content begins without one.
static void take_headers(struct text *text, GPtrArray *headers)
{
    while (!begins_content(text)) {
        g_autofree char *line = take_line(text);
        if (!line || !*g_strchomp(line))
            return;
        char *colon = strchr(line, ':');
        if (!colon || colon == line || headers->len >= HEADERS_MAX)
            continue;
        *colon = '\0';
        transfer_headers_add(headers, g_strstrip(line), g_strstrip(colon + 1));
    }
}

static bool is_multipart_type(const char *content_type)
{
    return content_type &&
           g_ascii_strncasecmp(content_type, "multipart/", strlen("multipart/")) == 0;
}

// The boundary that a content type names, or NULL. The caller frees it.
static char *named_boundary(const char *content_type)
{
    g_autofree char *lower = g_ascii_strdown(content_type, -1);
    const char *found = strstr(lower, "boundary");
    if (!found)
        return NULL;
    const char *value = content_type + (found - lower) + strlen("boundary");
    value += strspn(value, " \t");
    if (*value != '=')
        return NULL;
    value += 1 + strspn(value + 1, " \t");
    size_t length = *value == '"' ? strcspn(++value, "\"") : strcspn(value, "; \t\r\n");
    return length > 0 && length <= BOUNDARY_MAX ? g_strndup(value, length) : NULL;
}

// True where a line of a boundary begins at `at`; `last` where it is the last one.
static bool is_boundary(const struct text *text, const char *at, const char *boundary, bool *last)
{
    size_t length = strlen(boundary);
    if ((size_t)(text->end - at) < length + 2 || at[0] != '-' || at[1] != '-' ||
        memcmp(at + 2, boundary, length) != 0)
        return false;
    at += 2 + length;
    *last = text->end - at >= 2 && at[0] == '-' && at[1] == '-';
    at += *last ? 2 : 0;
    while (at < text->end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == text->end || *at == '\n';
}

// The next line that is a boundary, from the text's place on, or NULL.
static const char *find_boundary(const struct text *text, const char *boundary, bool *last)
{
    for (const char *at = text->at; at && at < text->end;) {
        if (is_boundary(text, at, boundary, last))
            return at;
        const char *feed = memchr(at, '\n', (size_t)(text->end - at));
        at = feed ? feed + 1 : NULL;
    }
    return NULL;
}

// A first line like "--batch_1" with a part's header behind it, where nothing names
// the boundary. The caller frees it.
static char *guessed_boundary(const struct text *text)
{
    struct text copy = *text;
    skip_blank_lines(&copy);
    g_autofree char *line = take_line(&copy);
    if (!line || !g_str_has_prefix(g_strchomp(line), "--") || strlen(line) > BOUNDARY_MAX ||
        strlen(line) < 3 || strpbrk(line, " <>{}"))
        return NULL;
    g_autofree char *next = take_line(&copy);
    bool header = next && (g_ascii_strncasecmp(next, "content-", strlen("content-")) == 0 ||
                           g_str_has_prefix(next, "HTTP/"));
    return header ? g_strdup(line + 2) : NULL;
}

// The boundary that the text really has.
static char *choose_boundary(const struct text *text, const char *content_type)
{
    bool last;
    g_autofree char *named = is_multipart_type(content_type) ? named_boundary(content_type) : NULL;
    if (named && find_boundary(text, named, &last))
        return g_steal_pointer(&named);
    return guessed_boundary(text);
}

static void read_parts(GPtrArray *parts, struct text text, const char *content_type, int depth);

static void read_part(GPtrArray *parts, struct text text, int depth)
{
    GPtrArray *headers = transfer_headers_new();
    take_headers(&text, headers);
    const char *type = transfer_headers_find(headers, "Content-Type");
    if (is_multipart_type(type)) {
        read_parts(parts, text, type, depth + 1);
        g_ptr_array_unref(headers);
        return;
    }
    struct multipart_part *part = g_new0(struct multipart_part, 1);
    struct text inner = text;
    skip_blank_lines(&inner);
    if (is_http(&inner, &part->status)) {
        g_free(take_line(&inner));
        GPtrArray *own = transfer_headers_new();
        take_headers(&inner, own);
        type = transfer_headers_find(own, "Content-Type");
        part->content_type = g_strdup(type);
        g_ptr_array_extend_and_steal(headers, own);
        text = inner;
    } else {
        part->content_type = g_strdup(type);
    }
    part->headers = headers;
    part->id = g_strdup(transfer_headers_find(headers, "Content-ID"));
    part->body = text.at;
    part->length = (size_t)(text.end - text.at);
    g_ptr_array_add(parts, part);
}

// The line end before a boundary belongs to it.
static const char *without_line_end(const char *begin, const char *end)
{
    if (end > begin && end[-1] == '\n')
        end--;
    if (end > begin && end[-1] == '\r')
        end--;
    return end;
}

static void read_parts(GPtrArray *parts, struct text text, const char *content_type, int depth)
{
    g_autofree char *boundary = depth < DEPTH_MAX ? choose_boundary(&text, content_type) : NULL;
    bool last = false;
    const char *line = boundary ? find_boundary(&text, boundary, &last) : NULL;
    while (line && !last && parts->len < PARTS_MAX) {
        text.at = line;
        g_free(take_line(&text));
        line = find_boundary(&text, boundary, &last);
        struct text part = {text.at, line ? without_line_end(text.at, line) : text.end};
        read_part(parts, part, depth);
    }
}

bool multipart_is(const char *body, size_t length, const char *content_type)
{
    const struct text text = {body, body + length};
    if (length == 0)
        return false;
    g_autofree char *boundary =
        is_multipart_type(content_type) || *body == '-' || *body == '\r' || *body == '\n'
            ? choose_boundary(&text, content_type)
            : NULL;
    return boundary;
}

GPtrArray *multipart_read(const char *body, size_t length, const char *content_type)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(free_part);
    const struct text text = {body, body + length};
    read_parts(parts, text, content_type, 0);
    return parts->len > 0 ? g_steal_pointer(&parts) : NULL;
}

static void add_headers(cJSON *object, const GPtrArray *headers)
{
    for (guint i = 0; i < headers->len; i++) {
        const struct transfer_header *header = g_ptr_array_index(headers, i);
        g_autofree char *valid = g_utf8_make_valid(header->name, -1);
        g_autofree char *name = g_ascii_strdown(valid, -1);
        g_autofree char *value = g_utf8_make_valid(header->value, -1);
        // Of the part's headers and those inside, the inner ones count.
        cJSON_DeleteItemFromObjectCaseSensitive(object, name);
        json_add_text(object, name, value);
    }
}

static cJSON *body_of(const struct multipart_part *part)
{
    g_autofree char *text = charset_decode(part->body, part->length, part->content_type);
    cJSON *document = json_parse(text, strlen(text), NULL);
    if (document)
        return document;
    g_strchomp(text);
    return *text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

cJSON *multipart_to_batch(const GPtrArray *parts)
{
    g_autoptr(cJSON) batch = cJSON_CreateObject();
    cJSON *responses = cJSON_AddArrayToObject(batch, "responses");
    for (guint i = 0; i < parts->len; i++) {
        const struct multipart_part *part = g_ptr_array_index(parts, i);
        if (part->status == 0)
            continue;
        cJSON *response = cJSON_CreateObject();
        g_autofree char *id = part->id ? g_utf8_make_valid(part->id, -1) : NULL;
        json_add_text(response, "id", id);
        json_add_integer(response, "status", part->status);
        add_headers(cJSON_AddObjectToObject(response, "headers"), part->headers);
        cJSON_AddItemToObject(response, "body", body_of(part));
        cJSON_AddItemToArray(responses, response);
    }
    return responses->child ? g_steal_pointer(&batch) : NULL;
}

// SPDX-License-Identifier: MIT
// Batches: one answer with the answers to many calls in it, OData's in JSON or as
// multipart made into the same. The first part that fails is what the batch says.
#include "envelope_part.h"

#include "correlation.h"
#include "multipart.h"

#include "../base/transfer_message.h"

#include <string.h>

enum { PARTS_SEEN = 1000, DEPENDENCY = 424 };

// What a look over the parts finds.
struct batch {
    int count, failed, good;
    const cJSON *first; // the first that failed of itself, or NULL
    int place;          // of `first`, from 1
};

static int status_of(const cJSON *part)
{
    char buffer[32];
    const cJSON *member = json_member(part, "status");
    const char *text = member ? envelope_text(member, buffer) : NULL;
    return text && envelope_is_status(text) ? (int)g_ascii_strtoll(text, NULL, 10) : 0;
}

// The elements of {"responses": [{"status": 200, …}, …]}; NULL for any other document.
static const cJSON *parts_of(const cJSON *document)
{
    const cJSON *parts = json_member(document, "responses");
    const cJSON *first = cJSON_IsArray(parts) ? parts->child : NULL;
    bool answers =
        first && status_of(first) > 0 &&
        (json_member(first, "body") || json_member(first, "headers") || json_member(first, "id"));
    return answers ? parts : NULL;
}

// Also where it begins like JSON and is none.
static bool text_fails(const char *text, const struct pack_lexicon *pack)
{
    g_autoptr(envelope_t) envelope = envelope_read(text, strlen(text), NULL, NULL, pack);
    return envelope->failure || envelope->kind == ENVELOPE_BROKEN;
}

static bool part_fails(const cJSON *part, int status, const struct pack_lexicon *pack)
{
    const cJSON *body = json_member(part, "body");
    if (status >= 400)
        return true;
    return cJSON_IsString(body) ? text_fails(body->valuestring, pack)
                                : cJSON_IsObject(body) && envelope_says_failure(body, pack);
}

// One that only failed as another did is the first where there is no other.
static struct batch look_over(const cJSON *parts, const struct pack_lexicon *pack)
{
    struct batch batch = {0};
    const cJSON *part;
    cJSON_ArrayForEach(part, parts)
    {
        int status = status_of(part);
        if (++batch.count > PARTS_SEEN)
            break;
        if (!part_fails(part, status, pack)) {
            batch.good += status >= 200 && status < 300;
            continue;
        }
        batch.failed++;
        if (!batch.first || (status_of(batch.first) == DEPENDENCY && status != DEPENDENCY)) {
            batch.first = part;
            batch.place = batch.count;
        }
    }
    return batch;
}

bool envelope_batch_fails(const cJSON *document, const struct pack_lexicon *pack)
{
    const cJSON *parts = parts_of(document);
    return parts && look_over(parts, pack).failed > 0;
}

static GPtrArray *headers_of(const cJSON *part)
{
    GPtrArray *headers = transfer_headers_new();
    const cJSON *header;
    cJSON_ArrayForEach(header, json_member(part, "headers"))
    {
        if (header->string && cJSON_IsString(header))
            transfer_headers_add(headers, header->string, header->valuestring);
    }
    return headers;
}

static struct envelope *read_part(const cJSON *part, const GPtrArray *headers,
                                  const struct pack_lexicon *pack)
{
    const cJSON *body = json_member(part, "body");
    const char *type = transfer_headers_find(headers, "Content-Type");
    const char *text = cJSON_IsString(body) ? body->valuestring : "";
    bool document = body && !cJSON_IsString(body) && !cJSON_IsNull(body);
    struct envelope *inner = envelope_read(text, strlen(text), type, document ? body : NULL, pack);
    if (status_of(part) >= 400 || inner->failure)
        envelope_read_headers(inner, headers, status_of(part));
    correlation_add_headers(inner->ids, headers);
    return inner;
}

static void add_place(cJSON *ids, const struct batch *batch, const cJSON *part)
{
    char buffer[32];
    const cJSON *id = json_member(part, "id");
    g_autofree char *place = g_strdup_printf("%d of %d", batch->place, batch->count);
    g_autofree char *failed = g_strdup_printf("%d", batch->failed);
    g_autofree char *status = g_strdup_printf("%d", status_of(part));
    json_add_text(ids, "part", place);
    json_add_text(ids, "part-status", status);
    if (id && envelope_text(id, buffer))
        json_add_text(ids, "content-id", envelope_text(id, buffer));
    if (batch->failed > 1)
        json_add_text(ids, "parts-failed", failed);
}

bool envelope_read_batch(struct envelope *envelope, const cJSON *document)
{
    const cJSON *parts = parts_of(document);
    const struct batch batch = parts ? look_over(parts, envelope->pack) : (struct batch){0};
    if (batch.failed == 0)
        return false;
    g_autoptr(GPtrArray) headers = headers_of(batch.first);
    g_autoptr(envelope_t) inner = read_part(batch.first, headers, envelope->pack);
    if (inner->kind == ENVELOPE_HTML || inner->kind == ENVELOPE_BROKEN)
        envelope->kind = inner->kind;
    envelope->told = inner->told;
    envelope_take(envelope, inner);
    envelope->failure = true;
    envelope->status = status_of(batch.first);
    envelope->partial = batch.good > 0;
    add_place(envelope->ids, &batch, batch.first);
    return true;
}

// SOAP with attachments and the like: the first part is the answer, unless another
// one says that it failed.
static void take_telling_part(struct envelope *envelope, const GPtrArray *parts)
{
    g_autoptr(envelope_t) telling = NULL;
    for (guint i = 0; i < parts->len && !(telling && telling->failure); i++) {
        const struct multipart_part *part = g_ptr_array_index(parts, i);
        g_autoptr(envelope_t) inner =
            envelope_read(part->body, part->length, part->content_type, NULL, envelope->pack);
        if (telling && !inner->failure)
            continue;
        envelope_free(telling);
        telling = g_steal_pointer(&inner);
    }
    if (!telling)
        return;
    envelope->kind = telling->kind;
    envelope->suspect = telling->suspect;
    envelope->refusal = telling->refusal;
    envelope->login = telling->login;
    envelope_take(envelope, telling);
}

bool envelope_read_multipart(struct envelope *envelope, const char *body, size_t length,
                             const char *content_type)
{
    g_autoptr(GPtrArray) parts = multipart_read(body, length, content_type);
    g_autoptr(cJSON) batch = parts ? multipart_to_batch(parts) : NULL;
    if (!parts)
        return false;
    envelope->kind = ENVELOPE_JSON;
    if (batch) {
        envelope_read_json(envelope, batch, false);
        return true;
    }
    take_telling_part(envelope, parts);
    return envelope->kind == ENVELOPE_JSON || envelope->kind == ENVELOPE_XML;
}

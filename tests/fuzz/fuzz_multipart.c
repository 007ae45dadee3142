// SPDX-License-Identifier: MIT
// Multipart bodies from anywhere: parts lie within the text, the batch that they
// make is JSON that can be written, and its verdict is the one of the text itself.
#include "../../probes/classify.h"
#include "../../probes/envelope.h"
#include "../../probes/lexicon.h"
#include "../../probes/multipart.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {NULL, "multipart/mixed; boundary=b",
                                    "multipart/mixed;boundary=\"change set\"", "application/json"};

static struct verdict *judge(const char *body, size_t length, const char *type,
                             const cJSON *document)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = 202;
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, length);
    struct classify_input input = {
        .response = response, .document = document, .expectations_given = true};
    return classify(&input, lexicon_common());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *type = types[data[0] & 3];
    size_t length = size - 1;
    g_autofree char *body = g_memdup2(data + 1, length); // its end is watched
    g_autoptr(GPtrArray) parts = multipart_read(body, length, type);
    if (parts && parts->len > 1000)
        g_error("too many parts");
    for (guint i = 0; parts && i < parts->len; i++) {
        const struct multipart_part *part = g_ptr_array_index(parts, i);
        if (part->body < body || part->body + part->length > body + length)
            g_error("a part outside the text");
    }
    g_autoptr(cJSON) batch = parts ? multipart_to_batch(parts) : NULL;
    g_autofree char *text = batch ? json_print(batch, false) : NULL;
    g_autoptr(cJSON) again = text ? json_parse(text, strlen(text), NULL) : NULL;
    if (batch && !again)
        g_error("a batch that is no JSON: %s", text);
    if (batch && !multipart_is(body, length, type))
        g_error("a batch that does not look like one");
    if (!batch)
        return 0;
    g_autoptr(verdict_t) seen = judge(body, length, type, batch);
    g_autoptr(verdict_t) plain = judge(body, length, type, NULL);
    if (seen->class != plain->class || seen->partial != plain->partial ||
        g_strcmp0(seen->code, plain->code) != 0)
        g_error("two verdicts on one batch");
    return 0;
}

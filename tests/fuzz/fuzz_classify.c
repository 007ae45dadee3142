// SPDX-License-Identifier: MIT
// Bodies from anywhere: the verdict is always a whole one, and can be written and
// read back. The first byte picks status, type and what the flow knows.
#include "../../probes/classify.h"
#include "../../probes/envelope.h"
#include "../../probes/lexicon.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = {0, 200, 204, 302, 400, 401, 404, 500};
static const char *const types[] = {NULL, "application/json", "text/xml; charset=utf-8",
                                    "text/html"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    g_autoptr(transfer_response_t) response = transfer_response_new();
    response->outcome = data[1] & 1 ? TRANSFER_TOO_LARGE : TRANSFER_ANSWERED;
    response->status = statuses[data[0] & 7];
    const char *type = types[data[0] >> 3 & 3];
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    if (response->body)
        g_bytes_unref(response->body);
    response->body = g_bytes_new(data + 2, size - 2);
    struct classify_input input = {
        .response = response,
        .data_due = data[0] >> 5 & 1,
        .expectations_given = data[0] >> 6 & 1,
        .failed_expectation = data[0] >> 7 & 1 ? "$.a exists: selected nothing" : NULL,
    };
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    if (verdict->class != VERDICT_CLASS_OK && !verdict->explanation)
        g_error("a failure without an explanation");
    if ((verdict->message && !g_utf8_validate(verdict->message, -1, NULL)) ||
        (verdict->code && !g_utf8_validate(verdict->code, -1, NULL)))
        g_error("a text that is not UTF-8");
    g_autoptr(cJSON) document = json_parse((const char *)data + 2, size - 2, NULL);
    g_autoptr(envelope_t) envelope =
        envelope_read((const char *)data + 2, size - 2, type, document, NULL);
    bool doubtful = envelope->failure || envelope->suspect || envelope->refusal;
    if (document && (envelope_says_failure(document, NULL) != envelope->failure ||
                     envelope_is_clear(document, NULL) == doubtful))
        g_error("the quick look differs from the long one");
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, false);
    g_autoptr(cJSON) again = json_parse(text, strlen(text), NULL);
    g_autoptr(verdict_t) copy = verdict_from_json(again);
    if (!copy || copy->class != verdict->class || copy->cause != verdict->cause)
        g_error("a verdict that cannot be read back: %s", text);
    return 0;
}

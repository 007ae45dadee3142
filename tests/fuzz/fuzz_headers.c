// SPDX-License-Identifier: MIT
// Heads of responses from anywhere: lines as the transport hands them over, and
// whatever reads headers: charsets, Retry-After, ids, challenges.
#include "../../base/transfer_message.h"
#include "../../probes/charset.h"
#include "../../probes/classify.h"
#include "../../probes/lexicon.h"
#include "../../probes/retry_after.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = {200, 401, 403, 429, 500, 503, 202, 302};
static const char body[] = "\xE9t\xE9 {\"error\":{\"code\":\"\",\"message\":\"Forbidden\"}}";

static void add_lines(GPtrArray *headers, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 300);
    for (char **line = lines; *line; line++)
        transfer_headers_add_line(headers, *line);
}

static void check_verdict(const struct verdict *verdict)
{
    if ((verdict->code && !g_utf8_validate(verdict->code, -1, NULL)) ||
        (verdict->message && !g_utf8_validate(verdict->message, -1, NULL)))
        g_error("a text that is not UTF-8");
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, false);
    g_autoptr(cJSON) again = json_parse(text, strlen(text), NULL);
    if (!again)
        g_error("a verdict that is no JSON: %s", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    g_autoptr(transfer_response_t) response = transfer_response_new();
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    response->outcome = TRANSFER_ANSWERED;
    response->status = statuses[data[0] & 7];
    add_lines(response->headers, text);
    g_bytes_unref(response->body);
    size_t skip = data[0] >> 3 & 1 ? 4 : 0; // with and without what is not UTF-8
    response->body = g_bytes_new_static(body + skip, sizeof body - 1 - skip);
    const char *type = transfer_headers_find(response->headers, "Content-Type");
    g_autofree char *decoded = charset_decode(body, sizeof body - 1, type);
    if (!g_utf8_validate(decoded, -1, NULL))
        g_error("a body that is not UTF-8, of type %s", type);
    struct clock_wall now = {INT64_C(1775000000) * G_USEC_PER_SEC};
    if (retry_after_ms(response, VERDICT_CAUSE_RATE_LIMIT, now) < 0)
        g_error("a wait that lies behind us");
    struct classify_input input = {.response = response, .data_due = data[0] >> 4 & 1};
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    check_verdict(verdict);
    return 0;
}

// SPDX-License-Identifier: MIT
// Set-Cookie lines from anywhere: what goes back is a header without line breaks,
// the jar can be written and read, and dates are read or refused.
#include "../../base/json.h"
#include "../../base/transfer_message.h"
#include "../../probes/cookie_date.h"
#include "../../probes/cookie_jar.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const urls[] = {"https://erp.acme.example/api/v2/orders",
                                   "http://127.0.0.1:8000/", "https://acme.example",
                                   "https://ERP.acme.example:8443/api?x=1"};

static void check_header(const char *header)
{
    if (header && (strpbrk(header, "\r\n") || !strchr(header, '=')))
        g_error("no Cookie header: %s", header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 200);
    g_autoptr(GPtrArray) headers = transfer_headers_new();
    for (char **line = lines; *line; line++) {
        int64_t seconds = 0;
        cookie_date_parse(*line, &seconds);
        transfer_headers_add(headers, "Set-Cookie", *line);
    }
    struct clock_wall now = {INT64_C(1775000000) * G_USEC_PER_SEC};
    g_autoptr(cookie_jar_t) jar = cookie_jar_new();
    cookie_jar_store(jar, urls[data[0] & 3], headers, now);
    g_autofree char *header = cookie_jar_header(jar, urls[data[0] >> 2 & 3], now);
    check_header(header);
    g_autoptr(cJSON) json = cookie_jar_to_json(jar);
    g_autofree char *written = json_print(json, false);
    g_autoptr(cJSON) again = json_parse(written, strlen(written), NULL);
    if (!again)
        g_error("a jar that is no JSON: %s", written);
    g_autoptr(cookie_jar_t) copy = cookie_jar_new();
    cookie_jar_add_json(copy, json);
    g_autofree char *same = cookie_jar_header(copy, urls[data[0] >> 2 & 3], now);
    if (g_strcmp0(header, same) != 0)
        g_error("%s came back as %s", header, same);
    return 0;
}

// SPDX-License-Identifier: MIT
// Any text through redaction: it ends, it grows by no more than its masks, and
// a secret put into it in some form is not in what comes out.
#include "../../base/json.h"
#include "../../base/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "Zq9\"&k/+ x";

// The secret in one of its forms.
static const char *const forms[] = {
    "Zq9\"&k/+ x",          "Zq9\\\"\\u0026k\\/\\u002B x",
    "Zq9%22%26k%2f%2B+x",   "Zq9&quot;&amp;k/&#43;&#x20;x",
    "5a713922266b2f2b2078", "WnE5IiZrLysgeA==",
};

static void check_tree(const struct redact *redact, const char *text, size_t size)
{
    g_autoptr(cJSON) tree = json_parse(text, size, NULL);
    if (!tree)
        return;
    redact_json(redact, tree);
    g_autofree char *out = json_print(tree, false);
    g_autoptr(cJSON) again = json_parse(out, strlen(out), NULL);
    if (!again)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/json", "text/xml", NULL,
                                        "application/x-www-form-urlencoded"};
    if (size < 2)
        return 0;
    g_autoptr(redact_t) redact = redact_new();
    redact_add(redact, secret);
    const char *text = (const char *)data + 2;
    size_t length = size - 2, at = length ? data[1] % (length + 1) : 0;
    const char *form = forms[data[0] % G_N_ELEMENTS(forms)];
    g_autoptr(GString) whole = g_string_new_len(text, (gssize)at);
    g_string_append_printf(whole, " %s ", form);
    g_string_append_len(whole, text + at, (gssize)(length - at));
    g_autofree char *out = redact_body(redact, types[data[0] / 8 % G_N_ELEMENTS(types)], whole->str,
                                       (gssize)whole->len);
    if (strstr(out, form) || strlen(out) > 5 * whole->len + 8)
        abort();
    g_autofree char *url = redact_url(redact, out);
    g_autofree char *header = redact_header(redact, "Location", url);
    if (!header)
        abort();
    check_tree(redact, text, length);
    return 0;
}

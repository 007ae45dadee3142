// SPDX-License-Identifier: MIT
// Takes ids out of what failed, before two failures are compared: run_result asks here
// for the fingerprint. What a pack calls noise is gone before (envelope_pack).
#include "stable_text.h"

#include "../base/regex.h"

// Asked in this order: a time holds numbers, a GUID holds long hexadecimals.
static const struct {
    const char *pattern, *mark;
} rules[] = {
    {"\\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\}?", "<id>"},
    {"\\bERPW-[0-9A-Z]+", "<run>"},
    // An HRESULT or NTSTATUS is a code, not a place in memory.
    {"\\b0x(?![8c][0-9a-f]{7}\\b)[0-9a-f]{6,16}\\b", "<address>"},
    {"\\b\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?)?(?: "
     "?Z|[+-]\\d\\d:?\\d\\d)?",
     "<time>"},
    {"\\b\\d{1,2}[./]\\d{1,2}[./]\\d{4}(?:,? \\d{1,2}:\\d\\d(?::\\d\\d)?(?: ?[AP]M)?)?", "<time>"},
    {"\\b\\d{1,2}:\\d\\d:\\d\\d(?:[.,]\\d+)?(?: ?[AP]M)?", "<time>"},
    {"/Date\\(-?\\d+(?:[+-]\\d{4})?\\)/", "<time>"},
    // A word of letters alone is no id, however long: it has to hold a digit and a letter.
    {"\\b(?=[0-9a-f]*\\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\\b", "<id>"},
    {"\\b\\d{12,}\\b", "<id>"},
    // Keys and tokens; codes are long too, but of words with marks between.
    {"\\b(?=(?:[a-z+]*\\d){3})[a-z0-9+]{32,}=*", "<id>"},
    // What stands in brackets or quotes and holds a digit is a record, not a rule.
    {"(?<=[\\['\"(\\x{201c}\\x{201e}\\x{ab}\\x{2018}])[^\\s\\]'\"()\\x{201d}\\x{201c}\\x{bb}\\x{"
     "2019}]*"
     "\\d[^\\s\\]'\"()\\x{201d}\\x{201c}\\x{bb}\\x{2019}]*(?=[\\]'\")\\x{201d}\\x{201c}\\x{bb}\\x{"
     "2019}])",
     "<record>"},
};

static struct regex *const *regexes(void)
{
    static struct regex *compiled[G_N_ELEMENTS(rules)];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
            compiled[i] = regex_compile(rules[i].pattern, REGEX_CASELESS, NULL);
        g_once_init_leave(&ready, 1);
    }
    return compiled;
}

char *stable_text(const char *text)
{
    char *stable = g_strdup(text);
    for (size_t i = 0; stable && i < G_N_ELEMENTS(rules); i++) {
        char *former = stable;
        stable = regex_replace(regexes()[i], former, rules[i].mark);
        g_free(former);
    }
    return stable;
}

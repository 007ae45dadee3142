// SPDX-License-Identifier: MIT
// Fuzzes base/patterns: a pattern, a NUL, a text. With the sieve before PCRE2 a
// pattern finds what it finds without it.
#include "../../base/patterns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, '\0', size);
    if (!nul || nul - data > 200)
        return 0;
    const char *pattern = (const char *)data, *text = (const char *)nul + 1;
    size_t length = size - (size_t)(nul - data) - 1;
    for (int whole = 0; whole < 2; whole++) {
        enum regex_flags flags = whole ? REGEX_WHOLE : REGEX_PLAIN;
        g_autoptr(regex_compiled_t) regex = regex_compile(pattern, flags | REGEX_CASELESS, NULL);
        if (!regex)
            return 0;
        g_autoptr(patterns_t) patterns = patterns_new(flags);
        g_autoptr(patterns_text_t) held = patterns_text_new(text, length);
        patterns_add(patterns, pattern);
        bool wanted = regex_match(regex, text, length, 0, NULL, NULL);
        if (patterns_fit(patterns, 0, held) != wanted)
            abort();
    }
    return 0;
}

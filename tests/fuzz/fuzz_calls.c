// SPDX-License-Identifier: MIT
// A value from anywhere, a NUL, a configuration: each of its calls rendered whole, URL, query,
// headers and body, is refused in words, or is a request that keeps to its place.
#include "render_calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

// libfyaml 0.7.12 itself leaks a buffer on some syntax errors.
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, '\0', size);
    if (nul == NULL)
        return 0;
    const char *text = (const char *)nul + 1;
    g_autoptr(GPtrArray) problems = config_problems_new();
    g_autoptr(config_t) config =
        config_load_text("fuzz", text, size - (size_t)(nul + 1 - data), problems);
    g_autofree char *value = g_utf8_make_valid((const char *)data, -1);
    if (config != NULL)
        render_calls(config, value);
    return 0;
}

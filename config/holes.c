// SPDX-License-Identifier: MIT
// Finds holes as the templates' parser does: a brace within quotes is text. Used
// to check XPaths and XML while their values are not known yet.
#include "holes.h"

#include <glib.h>
#include <string.h>

const char *holes_skip(const char *at)
{
    char quote = 0;

    if (g_str_has_prefix(at, "${")) {
        const char *close = strchr(at, '}');

        return close != NULL ? close + 1 : at + strlen(at);
    }
    if (!g_str_has_prefix(at, "{{"))
        return NULL;
    for (at += 2; *at != '\0' && (quote != 0 || !g_str_has_prefix(at, "}}")); at++)
        if (quote != 0 ? *at == quote : (*at == '\'' || *at == '"'))
            quote = quote != 0 ? 0 : *at;
    return *at != '\0' ? at + 2 : at;
}

char *holes_replace(const char *text, const char *stand_in)
{
    g_autoptr(GString) out = g_string_new(NULL);

    while (*text != '\0') {
        const char *behind = holes_skip(text);

        if (behind != NULL) {
            g_string_append(out, stand_in);
            text = behind;
        } else {
            g_string_append_c(out, *text++);
        }
    }
    return g_strdup(out->str);
}

// SPDX-License-Identifier: MIT
// What the text and the JSON of a pack have in common: calls and undos in words.
#include "pack_view.h"

#include <string.h>

enum { SUMMARY_CHARS = 40 };

static const char *const methods[] = {"get", "post", "put", "patch", "delete", "head", NULL};

// "POST /orders" of a call; the caller frees it.
char *pack_view_call(const struct config_node *call)
{
    const char *other = config_node_text(config_node_get(call, "call"));

    for (unsigned i = 0; methods[i] != NULL; i++) {
        const char *path = config_node_text(config_node_get(call, methods[i]));
        g_autofree char *method = g_ascii_strup(methods[i], -1);

        if (path != NULL)
            return g_strdup_printf("%s %s", method, path[0] != '\0' ? path : "(the system's url)");
    }
    return g_strdup(other != NULL ? other : "");
}

// What the step takes back, in words; NULL where it has nothing to say. The caller
// frees it.
char *pack_view_undo(const struct config_node *step)
{
    const struct config_node *undo = config_node_get(step, "undo");
    const char *none = config_node_text(config_node_get(undo, "none"));

    if (undo == NULL)
        return NULL;
    if (none != NULL)
        return g_strdup_printf("nothing to undo: %s", none);
    g_autofree char *first =
        pack_view_call(undo->kind == CONFIG_NODE_LIST && undo->count > 0 ? undo->items[0] : undo);

    return g_strdup_printf("undone by %s", first);
}

char *pack_view_summary(const struct pack *pack)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < pack->flows->len; i++) {
        const struct pack_flow *flow = pack->flows->pdata[i];

        if (strcmp(flow->name, "health") != 0)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", flow->name);
    }
    if (g_utf8_strlen(names->str, -1) > SUMMARY_CHARS) {
        g_autofree char *start = g_utf8_substring(names->str, 0, SUMMARY_CHARS - 1);

        g_string_printf(names, "%s…", start);
    }
    return g_string_free(names, FALSE);
}

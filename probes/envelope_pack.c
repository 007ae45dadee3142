// SPDX-License-Identifier: MIT
// What a pack's row of envelopes knows of a text: the ids that support asks for, and
// what of it is noise. envelope_json asks here before a text is offered.
#include "envelope_part.h"

#include "../config/pack_lexicon.h"

#include <string.h>

static void add_ids(const struct pack_envelope *row, const char *text, cJSON *ids)
{
    for (guint i = 0; i < row->ids->len; i++) {
        const struct pack_id *id = row->ids->pdata[i];
        g_autoptr(GPtrArray) found = regex_find_all(id->pattern, text, strlen(text), 1, NULL);
        if (found && found->len && !json_member(ids, id->name))
            json_add_text(ids, id->name, found->pdata[0]);
    }
}

char *envelope_pack_clean(const struct pack_envelope *row, const char *text, cJSON *ids)
{
    char *clean = g_strdup(text);
    add_ids(row, text, ids);
    for (guint i = 0; i < row->noise->len; i++) {
        char *cut = regex_replace(row->noise->pdata[i], clean, "");
        g_free(clean);
        clean = cut;
    }
    return g_strstrip(clean);
}

// SPDX-License-Identifier: MIT
// What a pack's row of envelopes knows of a text: the ids that support asks for, and
// what of it is noise. envelope_json asks here before a text is offered.
#include "envelope_part.h"

#include "../config/pack_lexicon.h"

#include <string.h>

// Twice what a message may have: each match looks through the rest, so that a text of
// megabytes would take minutes.
enum { TEXT_MAX = 8192 };

static void add_ids(const struct pack_envelope *row, const char *text, cJSON *ids)
{
    for (guint i = 0; i < row->ids->len; i++) {
        const struct pack_id *id = row->ids->pdata[i];
        g_autoptr(GPtrArray) found = regex_find_all(id->pattern, text, strlen(text), 1, NULL);
        if (found && found->len && !json_member(ids, id->name))
            json_add_text(ids, id->name, found->pdata[0]);
    }
}

static char *copy_beginning(const char *text)
{
    size_t length = strnlen(text, TEXT_MAX);
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) // within a character
        length--;
    return g_strndup(text, length);
}

char *envelope_pack_clean(const struct pack_envelope *row, const char *text, cJSON *ids)
{
    char *clean = copy_beginning(text);
    add_ids(row, clean, ids);
    for (guint i = 0; i < row->noise->len; i++) {
        char *cut = regex_replace(row->noise->pdata[i], clean, "");
        g_free(clean);
        clean = cut;
    }
    return g_strstrip(clean);
}

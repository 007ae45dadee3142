// SPDX-License-Identifier: MIT
// A token's record as a value. Between auth_token, which decides what is kept, and
// monitor/token_keep, which keeps it.
#include "token_store.h"

#include "../base/wipe.h"

struct token_record *token_record_copy(const struct token_record *record)
{
    struct token_record *copy = g_new0(struct token_record, 1);
    if (!record)
        return copy;
    *copy = *record;
    copy->refresh = g_strdup(record->refresh);
    copy->former = g_strdup(record->former);
    copy->access = g_strdup(record->access);
    copy->purpose = g_strdup(record->purpose);
    return copy;
}

void token_record_free(struct token_record *record)
{
    if (!record)
        return;
    wipe_text(record->refresh);
    wipe_text(record->former);
    wipe_text(record->access);
    g_free(record->purpose);
    g_free(record);
}

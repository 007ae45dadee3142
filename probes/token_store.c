// SPDX-License-Identifier: MIT
// A token's record as a value. Between auth_token, which decides what is kept, and
// monitor/token_keep, which keeps it.
#include "token_store.h"

#include <string.h>

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
    char *secrets[] = {record->refresh, record->former, record->access};
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
        if (secrets[i])
            explicit_bzero(secrets[i], strlen(secrets[i]));
        g_free(secrets[i]);
    }
    g_free(record->purpose);
    g_free(record);
}

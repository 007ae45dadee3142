// SPDX-License-Identifier: MIT
// Queues notices as the agent does: their facts, one JSON document a line, from
// stdin into the store that is named. For the tests of deliver.
#include "../../alerts/outbox.h"
#include "../../monitor/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_notice(struct notice *notice, cJSON *facts)
{
    notice->id = g_strdup(json_text(facts, "notice"));
    notice->incident = g_strdup(json_text(facts, "incident"));
    notice->contact = g_strdup(json_text(json_member(facts, "contact"), "id"));
    notice->kind = g_strdup(json_text(facts, "kind"));
    notice->number = (int)json_integer(facts, "number", 1);
    notice->priority = (int)json_integer(facts, "priority", 3);
    notice->facts = facts;
}

static bool queue_line(struct db *db, const char *line, GError **error)
{
    cJSON *facts = json_parse(line, strlen(line), error);
    if (facts == NULL)
        return false;
    g_autoptr(notice_t) notice = g_new0(struct notice, 1);
    struct clock_wall now = clock_wall_now();
    read_notice(notice, facts);
    return db_begin(db, error) && outbox_add(db, notice, now, now, error) && db_commit(db, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(store_t) store = argc == 2 ? store_open(argv[1], &error) : NULL;
    char *line = NULL;
    size_t size = 0;
    bool ok = store != NULL;
    while (ok && getline(&line, &size, stdin) > 0)
        ok = queue_line(store_db(store), line, &error);
    free(line);
    if (!ok)
        fprintf(stderr, "outbox_fill: %s\n", error ? error->message : "usage: outbox_fill STORE");
    return ok ? 0 : 1;
}

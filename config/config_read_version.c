// SPDX-License-Identifier: MIT
// Reads the call that tells a system's version, of the system itself or of its pack.
// Above config_read_call; probes/version_run makes the call.
#include "config_read.h"

#include "config_problem.h"

#include <string.h>

static struct config_place place_of(const struct config_node *node, const char *key)
{
    const struct config_entry *entry = config_node_entry(node, key);

    return entry != NULL ? entry->place : node->place;
}

static void check_capture(struct config_reader *reader, const struct config_node *node,
                          const struct call *call)
{
    const struct capture *capture = NULL;

    for (unsigned i = 0; i < call->captures->len; i++) {
        const struct capture *each = call->captures->pdata[i];

        if (strcmp(each->name, "version") == 0)
            capture = each;
    }
    for (unsigned i = 0; i < call->set->len && capture == NULL; i++)
        if (strcmp(((const struct call_field *)call->set->pdata[i])->name, "version") == 0)
            return;
    if (capture == NULL)
        config_problem_error(reader->problems, place_of(node, "capture"),
                             "\"version\" captures no version: write capture: {version: {json: "
                             "$.FIELD}}");
    else if (capture->secret || capture->all)
        config_problem_error(reader->problems, capture->place,
                             "the version is one text that is shown: leave \"%s\" out",
                             capture->secret ? "secret" : "all");
}

static void check_method(struct config_reader *reader, const struct call *call)
{
    static const char *const writing[] = {"PUT", "PATCH", "DELETE", NULL};

    if (g_strv_contains(writing, call->method))
        config_problem_error(reader->problems, call->place,
                             "the version is read, and %s writes: write get, or post where the "
                             "system is asked by it",
                             call->method);
}

struct call *config_read_version(struct config_reader *reader, const struct config_node *node)
{
    if (node == NULL || node->kind != CONFIG_NODE_MAP)
        return NULL;
    const struct config_entry *off = config_node_entry(node, "off");

    if (off != NULL) {
        if (node->count > 1)
            config_problem_error(reader->problems, off->place,
                                 "\"off\" stands in place of the call: leave one out");
        return NULL;
    }
    if (reader->scope != NULL)
        reader->scope->no_run = true;
    struct call *call = config_read_call(reader, node, CONFIG_CALL_PLAIN, NULL);

    if (call != NULL) {
        check_method(reader, call);
        check_capture(reader, node, call);
    }
    return call;
}

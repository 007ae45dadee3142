// SPDX-License-Identifier: MIT
// Checks what a pack knows of its system's answers, as far as the table of keys cannot
// tell. After config_shape; before pack_lexicon, which reads it.
#include "pack_lexicon_check.h"

#include "config_problem.h"

#include <string.h>

static const struct config_node *items_of(const struct config_node *root, const char *key,
                                          unsigned *count)
{
    const struct config_node *list = config_node_get(root, key);

    *count = list != NULL && list->kind == CONFIG_NODE_LIST ? list->count : 0;
    return list;
}

static void check_entry(const struct config_node *entry, GPtrArray *problems)
{
    if (entry->kind == CONFIG_NODE_MAP && config_node_entry(entry, "code") == NULL &&
        config_node_entry(entry, "message") == NULL && config_node_entry(entry, "status") == NULL)
        config_problem_error(
            problems, entry->place,
            "nothing says which answers this is about: write \"code\", \"message\" "
            "or, for answers without words, \"status\"");
}

// Members as the program compares them: what is written otherwise would never be found.
static void check_path(const struct config_node *node, GPtrArray *problems)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789|*.#@";
    const char *text = config_node_text(node);

    if (node != NULL && text != NULL && text[strspn(text, allowed)] != '\0')
        config_problem_error(problems, node->place,
                             "\"%s\" is no path of members: write them in lower case without "
                             "punctuation and prefix, with dots between, as in error.innererror",
                             text);
}

// `code` and `message`: one name or several; a/b joins two.
static void check_members(const struct config_node *node, GPtrArray *problems)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789|/.#@";

    if (node == NULL)
        return;
    for (unsigned i = 0; node->kind == CONFIG_NODE_LIST && i < node->count; i++)
        check_members(node->items[i], problems);
    const char *text = config_node_text(node);

    if (text != NULL && (text[0] == '\0' || text[strspn(text, allowed)] != '\0'))
        config_problem_error(problems, node->place,
                             "\"%s\" is no member: write it in lower case without punctuation and "
                             "prefix, as in errorcode",
                             text);
}

// What a member has to be: lines are kept of these, so a line is what it may be.
static void check_wanted(const struct config_entry *wanted, GPtrArray *problems)
{
    const char *text = config_node_text(wanted->value);

    if (wanted->value->kind == CONFIG_NODE_BROKEN ||
        (text != NULL && strpbrk(text, "\r\n") == NULL))
        return;
    config_problem_error(problems, wanted->value->place,
                         "\"%s\" can be compared with one line of text alone: write that, or '' "
                         "for any value",
                         wanted->key);
}

static void check_envelope(const struct config_node *envelope, GPtrArray *problems)
{
    const struct config_node *when = config_node_get(envelope, "when");

    check_path(config_node_get(envelope, "at"), problems);
    check_members(config_node_get(envelope, "code"), problems);
    check_members(config_node_get(envelope, "message"), problems);
    for (unsigned i = 0; when != NULL && when->kind == CONFIG_NODE_MAP && i < when->count; i++) {
        const struct config_node key = {.kind = CONFIG_NODE_SCALAR,
                                        .place = when->entries[i].place,
                                        .text = when->entries[i].key};

        check_members(&key, problems);
        check_wanted(&when->entries[i], problems);
    }
}

void pack_lexicon_check(const struct config_node *root, GPtrArray *problems)
{
    unsigned count;
    const struct config_node *list = items_of(root, "envelopes", &count);

    for (unsigned i = 0; i < count; i++)
        check_envelope(list->items[i], problems);
    list = items_of(root, "lexicon", &count);
    for (unsigned i = 0; i < count; i++)
        check_entry(list->items[i], problems);
}

// SPDX-License-Identifier: MIT
// `query`: tries a selector on a document and prints what it selects, so that
// an expectation or a capture can be written without running a flow.
#include "command.h"

#include "../base/json.h"
#include "../base/jsonpath.h"
#include "../base/regex.h"

#include <stdio.h>
#include <string.h>

// Matches of a pattern, as many as a capture would see.
#define MATCHES_MOST 1000

static cJSON *query_json(const char *expression, const char *text, size_t length, GError **error)
{
    g_autoptr(jsonpath_t) path = jsonpath_compile(expression, error);
    g_autoptr(cJSON) document = path ? json_parse(text, length, error) : NULL;
    if (!document)
        return NULL;
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
    cJSON *selected = cJSON_CreateArray();
    for (unsigned i = 0; i < nodes->len; i++)
        cJSON_AddItemToArray(selected, cJSON_Duplicate(g_ptr_array_index(nodes, i), true));
    return selected;
}

static cJSON *query_regex(const char *expression, const char *text, size_t length, GError **error)
{
    g_autoptr(regex_compiled_t) regex = regex_compile(expression, REGEX_PLAIN, error);
    g_autoptr(GPtrArray) texts =
        regex ? regex_find_all(regex, text, length, MATCHES_MOST, error) : NULL;
    if (!texts)
        return NULL;
    cJSON *selected = cJSON_CreateArray();
    for (unsigned i = 0; i < texts->len; i++)
        cJSON_AddItemToArray(selected, cJSON_CreateString(g_ptr_array_index(texts, i)));
    return selected;
}

static const struct {
    const char *word;
    cJSON *(*query)(const char *expression, const char *text, size_t length, GError **error);
} kinds[] = {{"json", query_json}, {"regex", query_regex}};

static int query(size_t kind, const char *expression, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    size_t length = 0;
    bool from_stdin = !path || strcmp(path, "-") == 0;
    if (from_stdin)
        command_say_stdin("query");
    if (!g_file_get_contents(from_stdin ? "/dev/stdin" : path, &text, &length, &error))
        return command_fail("query", "%s", error->message);
    g_autoptr(cJSON) selected = kinds[kind].query(expression, text, length, &error);
    if (!selected)
        return command_fail("query", "%s", error->message);
    g_autofree char *printed = json_print(selected, false);
    return puts(printed) < 0 ? COMMAND_UNKNOWN : COMMAND_OK;
}

int cmd_query(int argc, char **argv)
{
    int code = command_parse(&argc, &argv, NULL, 2, 3);
    if (code != COMMAND_PARSED)
        return code;
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
        if (strcmp(argv[1], kinds[kind].word) == 0)
            return query(kind, argv[2], argc > 3 ? argv[3] : NULL);
    if (strcmp(argv[1], "xml") == 0 || strcmp(argv[1], "html") == 0)
        return command_fail("query", "this version has no %s selectors: json and regex are there",
                            argv[1]);
    return command_fail("query", "there is no selector \"%s\": write json or regex", argv[1]);
}

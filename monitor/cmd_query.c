// SPDX-License-Identifier: MIT
// `query`: tries a selector on a document and prints what it selects, so that
// an expectation or a capture can be written without running a flow.
#include "command.h"

#include "../base/json.h"
#include "../base/jsonpath.h"
#include "../base/regex.h"
#include "../base/xml.h"
#include "../probes/exchange.h"

#include <stdio.h>
#include <string.h>

// Matches of a pattern, as many as a capture would see.
#define MATCHES_MOST 1000

// What is asked of a document.
struct query {
    const char *expression;
    GHashTable *namespaces; // of XPaths: prefix -> URI
};

static cJSON *query_json(const struct query *query, const char *text, size_t length, GError **error)
{
    g_autoptr(jsonpath_t) path = jsonpath_compile(query->expression, error);
    g_autoptr(cJSON) document = path ? json_parse(text, length, error) : NULL;
    if (!document)
        return NULL;
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, document);
    cJSON *selected = cJSON_CreateArray();
    for (unsigned i = 0; i < nodes->len; i++)
        cJSON_AddItemToArray(selected, cJSON_Duplicate(g_ptr_array_index(nodes, i), true));
    return selected;
}

static cJSON *query_regex(const struct query *query, const char *text, size_t length,
                          GError **error)
{
    g_autoptr(regex_compiled_t) regex = regex_compile(query->expression, REGEX_PLAIN, error);
    g_autoptr(GPtrArray) texts =
        regex ? regex_find_all(regex, text, length, MATCHES_MOST, error) : NULL;
    if (!texts)
        return NULL;
    cJSON *selected = cJSON_CreateArray();
    for (unsigned i = 0; i < texts->len; i++)
        cJSON_AddItemToArray(selected, cJSON_CreateString(g_ptr_array_index(texts, i)));
    return selected;
}

// The text of a file as that of a body: in any charset that it names or shows.
static char *body_text(const char *bytes, size_t length)
{
    g_autoptr(transfer_response_t) response = transfer_response_new();
    g_clear_pointer(&response->body, g_bytes_unref);
    response->body = g_bytes_new(bytes, length);
    return exchange_body_text(response);
}

static cJSON *query_markup(const struct query *query, const char *bytes, size_t length, bool html,
                           GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(xml_path_t) path = xml_path_compile(query->expression, query->namespaces, &problem);
    if (g_error_matches(problem, XML_ERROR, XML_ERROR_PREFIX))
        g_prefix_error(&problem, "%s", "write --namespace PREFIX=URI: ");
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    if (!path)
        return NULL;
    g_autofree char *text = body_text(bytes, length);
    g_autoptr(xml_document_t) document =
        html ? xml_parse_html(text, error) : xml_parse(text, error);
    g_autoptr(GPtrArray) found = document ? xml_path_select(path, document, error) : NULL;
    if (!found)
        return NULL;
    cJSON *selected = cJSON_CreateArray();
    while (found->len > 0)
        cJSON_AddItemToArray(selected, g_ptr_array_steal_index(found, 0));
    return selected;
}

static cJSON *query_xml(const struct query *query, const char *text, size_t length, GError **error)
{
    return query_markup(query, text, length, false, error);
}

static cJSON *query_html(const struct query *query, const char *text, size_t length, GError **error)
{
    return query_markup(query, text, length, true, error);
}

static const struct {
    const char *word;
    cJSON *(*select)(const struct query *query, const char *text, size_t length, GError **error);
} kinds[] = {
    {"json", query_json}, {"xml", query_xml}, {"html", query_html}, {"regex", query_regex}};

static int run(size_t kind, const struct query *query, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    size_t length = 0;
    bool from_stdin = !path || strcmp(path, "-") == 0;
    if (from_stdin)
        command_say_stdin("query");
    if (!g_file_get_contents(from_stdin ? "/dev/stdin" : path, &text, &length, &error))
        return command_fail("query", "%s", error->message);
    g_autoptr(cJSON) selected = kinds[kind].select(query, text, length, &error);
    if (!selected)
        return command_fail("query", "%s", error->message);
    g_autofree char *printed = json_print(selected, false);
    return puts(printed) < 0 ? COMMAND_UNKNOWN : COMMAND_OK;
}

// PREFIX=URI of each option; false where one is not.
static bool read_namespaces(char **texts, GHashTable *namespaces)
{
    for (; texts && *texts; texts++) {
        char *equals = strchr(*texts, '=');
        if (!equals || equals == *texts || equals[1] == '\0') {
            command_fail("query", "--namespace wants PREFIX=URI, not \"%s\"", *texts);
            return false;
        }
        *equals = '\0';
        g_hash_table_insert(namespaces, *texts, equals + 1);
    }
    return true;
}

int cmd_query(int argc, char **argv)
{
    g_auto(GStrv) texts = NULL;
    g_autoptr(GHashTable) namespaces = g_hash_table_new(g_str_hash, g_str_equal);
    const GOptionEntry entries[] = {{"namespace", 'n', 0, G_OPTION_ARG_STRING_ARRAY, &texts,
                                     "What a prefix in an XPath stands for; may be repeated",
                                     "PREFIX=URI"},
                                    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    int code = command_parse(&argc, &argv, entries, 2, 3);
    if (code != COMMAND_PARSED)
        return code;
    if (!read_namespaces(texts, namespaces))
        return COMMAND_UNKNOWN;
    const struct query query = {.expression = argv[2], .namespaces = namespaces};
    for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
        if (strcmp(argv[1], kinds[kind].word) == 0)
            return run(kind, &query, argc > 3 ? argv[3] : NULL);
    return command_fail("query", "there is no selector \"%s\": write json, xml, html or regex",
                        argv[1]);
}

// SPDX-License-Identifier: MIT
// Fuzzes base/jsonpath and base/json: a query, a NUL, a document. Besides not
// breaking: what is read can be printed and read again as the same value, and
// every node selected is one of the document's.
#include "../../base/json.h"
#include "../../base/jsonpath.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const cJSON *document)
{
    g_autofree char *printed = json_print(document, false);
    g_autoptr(cJSON) again = json_parse(printed, strlen(printed), NULL);
    g_autofree char *twice = again ? json_print(again, false) : NULL;
    if (!twice || strcmp(printed, twice) != 0)
        abort();
}

static void add_nodes(GHashTable *nodes, const cJSON *node)
{
    for (; node; node = node->next) {
        g_hash_table_add(nodes, (gpointer)(uintptr_t)node);
        add_nodes(nodes, node->child);
    }
}

static void check_selection(const struct jsonpath *path, const cJSON *document)
{
    g_autoptr(GHashTable) nodes = g_hash_table_new(NULL, NULL);
    add_nodes(nodes, document);
    g_autoptr(GPtrArray) selected = jsonpath_select(path, document);
    for (unsigned i = 0; i < selected->len; i++)
        if (!g_hash_table_contains(nodes, g_ptr_array_index(selected, i)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
    if (!end)
        return 0;
    size_t length = size - (size_t)(end - data) - 1;
    g_autoptr(cJSON) document = json_parse((const char *)end + 1, length, NULL);
    if (document)
        check_round_trip(document);
    g_autoptr(GError) error = NULL;
    g_autoptr(jsonpath_t) path = jsonpath_compile((const char *)data, &error);
    if ((path == NULL) != (error != NULL))
        abort();
    if (path && document)
        check_selection(path, document);
    return 0;
}

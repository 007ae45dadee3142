// SPDX-License-Identifier: MIT
// Reads `namespaces`: what the prefixes in XPaths stand for. Those of a system
// hold for its calls, those of a call for all that stands in it.
#include "config_read.h"

#include "config_across.h"

// Adds what `theirs` (may be NULL) holds to a table that is made where it is missing.
static void overlay(GHashTable **namespaces, GHashTable *theirs)
{
    GHashTableIter iterator;
    void *prefix, *uri;

    if (theirs == NULL)
        return;
    if (*namespaces == NULL)
        *namespaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_iter_init(&iterator, theirs);
    while (g_hash_table_iter_next(&iterator, &prefix, &uri))
        g_hash_table_replace(*namespaces, g_strdup(prefix), g_strdup(uri));
}

GHashTable *config_read_namespaces(const struct config_node *node)
{
    GHashTable *namespaces = NULL;

    for (unsigned i = 0; node != NULL && node->kind == CONFIG_NODE_MAP && i < node->count; i++) {
        const char *text = config_node_text(node->entries[i].value);

        if (namespaces == NULL)
            namespaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        if (text != NULL)
            g_hash_table_replace(namespaces, g_strdup(node->entries[i].key), g_strdup(text));
    }
    return namespaces;
}

GHashTable *config_namespaces_enter(struct config_reader *reader, const struct config_node *node)
{
    GHashTable *outer = reader->namespaces;
    bool elsewhere = reader->across != NULL && config_node_entry(node, "system") != NULL;
    GHashTable *systems = elsewhere ? reader->across->system->system->namespaces : NULL;
    g_autoptr(GHashTable) own = config_read_namespaces(config_node_get(node, "namespaces"));

    reader->namespaces = NULL;
    if (systems == NULL && own == NULL) {
        reader->namespaces = outer != NULL ? g_hash_table_ref(outer) : NULL;
        return outer;
    }
    overlay(&reader->namespaces, outer);
    overlay(&reader->namespaces, systems);
    overlay(&reader->namespaces, own);
    return outer;
}

void config_namespaces_leave(struct config_reader *reader, GHashTable *outer)
{
    g_clear_pointer(&reader->namespaces, g_hash_table_unref);
    reader->namespaces = outer;
}

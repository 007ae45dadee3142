// SPDX-License-Identifier: MIT
// The tables of shared patterns and templates, for the readers of the
// configuration and for call.c, which gives them back.
#include "intern.h"

#include "../base/json.h"

#include <string.h>

struct shared {
    char *key;
    void *object;
    unsigned users;
};

struct table {
    GHashTable *by_key;    // char * -> struct shared, which owns both
    GHashTable *by_object; // object -> struct shared
};

static GMutex lock; // configurations may be read and freed by several threads
static struct table paths, patterns, xpaths, templates;

// The object of `key` with one more user, or NULL.
static void *take(struct table *table, const char *key)
{
    void *object = NULL;

    g_mutex_lock(&lock);
    struct shared *shared = table->by_key != NULL ? g_hash_table_lookup(table->by_key, key) : NULL;

    if (shared != NULL) {
        shared->users++;
        object = shared->object;
    }
    g_mutex_unlock(&lock);
    return object;
}

// Keeps a new object under `key`; returns it.
static void *keep(struct table *table, const char *key, void *object)
{
    if (object == NULL)
        return NULL;
    g_mutex_lock(&lock);
    if (table->by_key == NULL) {
        table->by_key = g_hash_table_new(g_str_hash, g_str_equal);
        table->by_object = g_hash_table_new(NULL, NULL);
    }
    // Made twice at the same time: the second stays its maker's own.
    if (!g_hash_table_contains(table->by_key, key)) {
        struct shared *shared = g_new0(struct shared, 1);

        shared->key = g_strdup(key);
        shared->object = object;
        shared->users = 1;
        g_hash_table_insert(table->by_key, shared->key, shared);
        g_hash_table_insert(table->by_object, object, shared);
    }
    g_mutex_unlock(&lock);
    return object;
}

static void drop_if_empty(struct table *table)
{
    if (g_hash_table_size(table->by_object) > 0)
        return;
    g_clear_pointer(&table->by_key, g_hash_table_unref);
    g_clear_pointer(&table->by_object, g_hash_table_unref);
}

// True where nobody uses the object any more: the caller frees it.
static bool give_back(struct table *table, void *object)
{
    bool last = true;

    g_mutex_lock(&lock);
    struct shared *shared =
        table->by_object != NULL ? g_hash_table_lookup(table->by_object, object) : NULL;

    if (shared != NULL && --shared->users > 0) {
        last = false;
    } else if (shared != NULL) {
        g_hash_table_remove(table->by_object, object);
        if (g_hash_table_lookup(table->by_key, shared->key) == shared)
            g_hash_table_remove(table->by_key, shared->key);
        g_free(shared->key);
        g_free(shared);
        drop_if_empty(table);
    }
    g_mutex_unlock(&lock);
    return last;
}

void intern_begin(void)
{
    struct table *tables[] = {&paths, &patterns, &xpaths, &templates};

    g_mutex_lock(&lock);
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (tables[i]->by_key != NULL)
            g_hash_table_remove_all(tables[i]->by_key);
    }
    g_mutex_unlock(&lock);
}

struct jsonpath *intern_jsonpath(const char *query, GError **error)
{
    struct jsonpath *path = take(&paths, query);

    return path != NULL ? path : keep(&paths, query, jsonpath_compile(query, error));
}

struct regex *intern_regex(const char *pattern, GError **error)
{
    struct regex *regex = take(&patterns, pattern);

    return regex != NULL ? regex
                         : keep(&patterns, pattern, regex_compile(pattern, REGEX_PLAIN, error));
}

// The declarations in one order, whatever the table's.
static char *write_namespaces(GHashTable *namespaces)
{
    g_autoptr(GList) prefixes = g_hash_table_get_keys(namespaces);
    g_autoptr(GString) text = g_string_new(NULL);

    prefixes = g_list_sort(prefixes, (GCompareFunc)strcmp);
    for (const GList *each = prefixes; each != NULL; each = each->next)
        g_string_append_printf(text, "%s=%s ", (const char *)each->data,
                               (const char *)g_hash_table_lookup(namespaces, each->data));
    return g_strdup(text->str);
}

struct xml_path *intern_xpath(const char *xpath, GHashTable *namespaces, GError **error)
{
    g_autofree char *declared = namespaces != NULL ? write_namespaces(namespaces) : g_strdup("");
    g_autofree char *key = g_strconcat(declared, "\n", xpath, NULL);
    struct xml_path *path = take(&xpaths, key);

    return path != NULL ? path : keep(&xpaths, key, xml_path_compile(xpath, namespaces, error));
}

struct template *intern_template(const char *text, enum template_place place, bool env_secret,
                                 GError **error)
{
    const char kind[] = {(char)('0' + (int)place), env_secret ? '1' : '0', '\0'};
    g_autofree char *key = g_strconcat(kind, text, NULL);
    struct template *template = take(&templates, key);

    return template != NULL ? template
                            : keep(&templates, key, template_new(text, place, env_secret, error));
}

struct template *intern_template_json(const cJSON *tree, bool env_secret, GError **error)
{
    g_autofree char *text = json_print(tree, false);
    g_autofree char *key = g_strdup_printf("json%d%s", env_secret, text);
    struct template *template = take(&templates, key);

    return template != NULL ? template
                            : keep(&templates, key, template_new_json(tree, env_secret, error));
}

void intern_release_jsonpath(struct jsonpath *path)
{
    if (path != NULL && give_back(&paths, path))
        jsonpath_free(path);
}

void intern_release_regex(struct regex *regex)
{
    if (regex != NULL && give_back(&patterns, regex))
        regex_free(regex);
}

void intern_release_xpath(struct xml_path *xpath)
{
    if (xpath != NULL && give_back(&xpaths, xpath))
        xml_path_free(xpath);
}

void intern_release_template(struct template *template)
{
    if (template != NULL && give_back(&templates, template))
        template_free(template);
}

// SPDX-License-Identifier: MIT
// Fuzzes base/xml and config/xpath_text: an XPath, a NUL, a document. Besides not
// breaking: an error comes with each NULL, what is selected is UTF-8, and values
// in holes never make an XPath wrong that was good.
#include "../../base/xml.h"
#include "../../config/xpath_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_result(const GPtrArray *found, const GError *error)
{
    if ((found == NULL) != (error != NULL))
        abort();
    for (unsigned i = 0; found && i < found->len; i++) {
        const char *text = cJSON_GetStringValue(found->pdata[i]);
        if (text && !g_utf8_validate(text, -1, NULL))
            abort();
    }
}

static struct value *plain(const char *text, void *user, GError **error)
{
    (void)text, (void)error;
    return value_new_text(user, false);
}

// What fills the holes is as hostile as it can be: the document itself.
static void check_holes(const char *xpath, GHashTable *namespaces, const char *value)
{
    char zero[] = "0";
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_autofree char *tried = xpath_text_fill(xpath, plain, zero, NULL);
    g_autofree char *filled = xpath_text_fill(xpath, plain, valid, NULL);
    g_autoptr(xml_path_t) first = xml_path_compile(tried, namespaces, NULL);
    g_autoptr(xml_path_t) second = xml_path_compile(filled, namespaces, NULL);
    // A text where XPath wants a literal stays one; concat() is more than a literal.
    if (first && !second && !strchr(valid, '\''))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
    if (!end)
        return 0;
    g_autofree char *text = g_strndup((const char *)end + 1, size - (size_t)(end - data) - 1);
    g_autoptr(GHashTable) namespaces = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(namespaces, (gpointer)(uintptr_t) "e", (gpointer)(uintptr_t) "urn:e");
    g_autoptr(GError) problem = NULL, error = NULL;
    g_autoptr(xml_document_t) document = xml_parse(text, &problem);
    if ((document == NULL) != (problem != NULL))
        abort();
    g_autoptr(xml_path_t) path = xml_path_compile((const char *)data, namespaces, &error);
    if ((path == NULL) != (error != NULL))
        abort();
    check_holes((const char *)data, namespaces, text);
    if (!path || !document)
        return 0;
    g_autoptr(GPtrArray) found = xml_path_select(path, document, &error);
    check_result(found, error);
    return 0;
}

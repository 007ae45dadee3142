// SPDX-License-Identifier: MIT
// Fuzzes base/xml on pages: any text is read, or refused in words, and what some
// ordinary XPaths select in it is UTF-8.
#include "../../base/xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {"//form//input/@value", "//title | //h1", "//*[@name]/@*",
                                    "count(//text())", "string(//body)"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_autofree char *text = g_utf8_make_valid(bytes, -1);
    g_autoptr(GError) problem = NULL;
    g_autoptr(xml_document_t) document = xml_parse_html(text, &problem);
    if ((document == NULL) != (problem != NULL))
        abort();
    for (size_t i = 0; document && i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(xml_path_t) path = xml_path_compile(paths[i], NULL, NULL);
        g_autoptr(GPtrArray) found = path ? xml_path_select(path, document, NULL) : NULL;
        for (unsigned k = 0; found && k < found->len; k++) {
            const char *selected = cJSON_GetStringValue(found->pdata[k]);
            if (selected && !g_utf8_validate(selected, -1, NULL))
                abort();
        }
    }
    return 0;
}

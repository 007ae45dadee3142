// SPDX-License-Identifier: MIT
// Finds a prefix that a document uses and does not declare. libxml2 forgives that, as answers
// have to be; a server that is sent it does not. Used by the readers of bodies.
#include "xml.h"
#include "xml_parts.h"

#include <libxml/tree.h>
#include <string.h>

// libxml2 leaves the colon in a name whose prefix nothing declares.
static const char *undeclared_in(const xmlNode *node)
{
    if (node->ns == NULL && strchr((const char *)node->name, ':') != NULL)
        return (const char *)node->name;
    for (const xmlAttr *each = node->properties; each != NULL; each = each->next) {
        if (each->ns == NULL && strchr((const char *)each->name, ':') != NULL)
            return (const char *)each->name;
    }
    return NULL;
}

char *xml_document_find_undeclared(const struct xml_document *document)
{
    for (const xmlNode *node = xmlDocGetRootElement(document->tree); node != NULL;
         node = xml_node_next(node)) {
        const char *name = node->type == XML_ELEMENT_NODE ? undeclared_in(node) : NULL;

        if (name != NULL)
            return g_strndup(name, strcspn(name, ":"));
    }
    return NULL;
}

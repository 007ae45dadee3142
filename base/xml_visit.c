// SPDX-License-Identifier: MIT
// Walks a document's texts with their names, for whoever looks for secrets or the
// like in what is to be sent.
#include "xml.h"
#include "xml_parts.h"

#include <libxml/tree.h>

static void visit_attributes(const xmlNode *element, xml_visit visit, void *user)
{
    for (const xmlAttr *each = element->properties; each != NULL; each = each->next) {
        xmlChar *text = xmlNodeGetContent((const xmlNode *)each);

        visit((const char *)each->name, (const char *)text, user);
        xmlFree(text);
    }
}

void xml_document_foreach(const struct xml_document *document, xml_visit visit, void *user)
{
    for (const xmlNode *node = xmlDocGetRootElement(document->tree); node != NULL;
         node = xml_node_next(node)) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        visit_attributes(node, visit, user);
        if (xmlFirstElementChild((xmlNodePtr)(uintptr_t)node) != NULL)
            continue;
        xmlChar *text = xmlNodeGetContent(node);

        visit((const char *)node->name, (const char *)text, user);
        xmlFree(text);
    }
}

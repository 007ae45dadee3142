// SPDX-License-Identifier: MIT
// Selects with a compiled path: in this process from ordinary documents, apart
// (xml_apart.c) from large ones. Comes after xml_parse and xml_path.
#include "json.h"
#include "xml_parts.h"

#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

// Steps of an evaluation: about half a second.
#define WORK_MOST 10000000
// Text of all that is selected together.
#define SELECTED_MOST (16 * 1024 * 1024)

struct _xmlXPathContext *xml_context_new(struct _xmlDoc *tree, GHashTable *namespaces,
                                         struct xml_listener *listener)
{
    xmlXPathContextPtr context = xmlXPathNewContext(tree);
    GHashTableIter iterator;
    void *prefix, *uri;

    if (context == NULL)
        g_error("out of memory");
    context->opLimit = WORK_MOST;
    context->error = xml_listener_note;
    context->userData = listener;
    if (namespaces == NULL)
        return context;
    g_hash_table_iter_init(&iterator, namespaces);
    while (g_hash_table_iter_next(&iterator, &prefix, &uri))
        xmlXPathRegisterNs(context, prefix, uri);
    return context;
}

// The text of an element as a document of its own: a copy takes the namespaces
// along that its ancestors declare. To be freed by libxml2; NULL for other nodes.
static xmlChar *document_of(xmlNodePtr node)
{
    if (node->type != XML_ELEMENT_NODE)
        return NULL;
    xmlDocPtr alone = xmlNewDoc((const xmlChar *)"1.0");
    xmlChar *text = NULL;
    int length = 0;

    xmlDocSetRootElement(alone, xmlDocCopyNode(node, alone, 1));
    xmlDocDumpMemoryEnc(alone, &text, &length, "UTF-8");
    xmlFreeDoc(alone);
    return text;
}

static enum xml_outcome take_nodes(const xmlNodeSet *nodes, bool documents, xml_take take,
                                   void *user)
{
    size_t selected = 0;

    for (int i = 0; nodes != NULL && i < nodes->nodeNr; i++) {
        xmlNodePtr node = nodes->nodeTab[i];
        xmlChar *text = documents ? document_of(node) : xmlXPathCastNodeToString(node);

        if (text == NULL)
            continue;
        selected += strlen((const char *)text);
        bool taken = take(user, XML_RESULT_TEXT, (const char *)text);

        xmlFree(text);
        if (!taken)
            return XML_OUTCOME_FAILED;
        if (selected > SELECTED_MOST)
            return XML_OUTCOME_SIZE;
    }
    return XML_OUTCOME_DONE;
}

// A result that is no set of nodes, as XPath itself writes it.
static enum xml_outcome take_one(xmlXPathObjectPtr result, xml_take take, void *user)
{
    enum xml_result kind = result->type == XPATH_NUMBER    ? XML_RESULT_NUMBER
                           : result->type == XPATH_BOOLEAN ? XML_RESULT_BOOLEAN
                                                           : XML_RESULT_TEXT;
    xmlChar *text = xmlXPathCastToString(result);
    bool taken = take(user, kind, (const char *)text);

    xmlFree(text);
    return taken ? XML_OUTCOME_DONE : XML_OUTCOME_FAILED;
}

enum xml_outcome xml_evaluate(const struct xml_question *question, xml_take take, void *user)
{
    const struct xml_path *path = question->path;
    struct xml_listener listener;
    enum xml_outcome outcome = XML_OUTCOME_WORK;

    xml_listener_begin(&listener);
    xmlXPathContextPtr context =
        xml_context_new(question->document->tree, path->namespaces, &listener);
    xmlXPathObjectPtr result = xmlXPathCompiledEval(path->compiled, context);

    if (result != NULL && result->type == XPATH_NODESET)
        outcome = take_nodes(result->nodesetval, question->documents, take, user);
    else if (result != NULL)
        outcome = question->documents ? XML_OUTCOME_DONE : take_one(result, take, user);
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    xml_listener_end(&listener);
    return outcome;
}

// NaN and the infinite numbers are no JSON: they stay texts.
static bool take_json(void *user, enum xml_result kind, const char *text)
{
    cJSON *json = kind == XML_RESULT_BOOLEAN ? cJSON_CreateBool(strcmp(text, "true") == 0)
                  : kind == XML_RESULT_NUMBER && json_is_number(text) ? json_new_number(text)
                                                                      : cJSON_CreateString(text);

    g_ptr_array_add(user, json);
    return true;
}

static GPtrArray *answer(const struct xml_question *question, GError **error)
{
    static const char *const problems[] = {
        [XML_OUTCOME_WORK] = "the XPath takes too much work on this document: narrow it",
        [XML_OUTCOME_SIZE] = "the XPath selects more than 16 MiB of text: narrow it",
        [XML_OUTCOME_FAILED] = "the XPath could not be run in a process of its own"};
    g_autoptr(GPtrArray) found = json_list_new();
    enum xml_outcome outcome = question->document->large
                                   ? xml_evaluate_apart(question, take_json, found)
                                   : xml_evaluate(question, take_json, found);

    if (outcome == XML_OUTCOME_DONE)
        return g_steal_pointer(&found);
    g_set_error_literal(error, XML_ERROR, XML_ERROR_LIMIT, problems[outcome]);
    return NULL;
}

GPtrArray *xml_path_select(const struct xml_path *path, struct xml_document *document,
                           GError **error)
{
    return answer(&(struct xml_question){path, document, false}, error);
}

GPtrArray *xml_path_select_documents(const struct xml_path *path, struct xml_document *document,
                                     GError **error)
{
    return answer(&(struct xml_question){path, document, true}, error);
}

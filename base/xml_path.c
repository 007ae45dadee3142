// SPDX-License-Identifier: MIT
// XPath 1.0 by libxml2: compiled once, selected often. What the library would
// only notice while selecting (a prefix, a function, a number of arguments) is
// noticed by xml_path_check.c and a trial run, when it is compiled.
#include "json.h"
#include "xml_check.h"
#include "xml_parts.h"

#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <math.h>
#include <string.h>

// Steps of an evaluation: about half a second.
#define WORK_MOST 10000000
// Text of all that is selected together.
#define SELECTED_MOST (16 * 1024 * 1024)

struct xml_path {
    xmlXPathCompExprPtr compiled;
    GHashTable *namespaces; // or NULL
};

// libxml2's errors of XPath, by their number above XML_XPATH_EXPRESSION_OK.
static const char *const mistakes[] = {
    "it cannot be read",
    "a number is wrong",
    "a quote is not closed",
    "a quoted text does not begin",
    "a variable is wrong",
    "there are no variables: write {{name}}",
    "a condition in [ ] is wrong",
    "the expression is wrong",
    "a ( is not closed",
    "there is no such function",
    "an operator gets the wrong kind of value",
    "a function or a path gets the wrong kind of value",
    "a function gets too many or too few values",
};

static const char *mistake_of(const struct xml_listener *listener)
{
    int number = listener->code - XML_XPATH_EXPRESSION_OK;
    bool known = number > 0 && number < (int)G_N_ELEMENTS(mistakes);

    return mistakes[known ? number : 0];
}

static void say_mistake(GError **error, const char *xpath, const struct xml_listener *listener)
{
    int position = CLAMP(listener->position, 0, (int)strlen(xpath));
    g_autofree char *before = g_utf8_make_valid(xpath, position);

    g_set_error(error, XML_ERROR, XML_ERROR_PATH, "the XPath is wrong at character %ld: %s",
                g_utf8_strlen(before, -1) + 1, mistake_of(listener));
}

static xmlXPathContextPtr context_new(xmlDocPtr tree, GHashTable *namespaces,
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

// Runs the path on an empty document: kinds of values and numbers of arguments.
static bool try_out(const struct xml_path *path, struct xml_listener *listener)
{
    xmlDocPtr tree = xmlNewDoc((const xmlChar *)"1.0");

    xmlDocSetRootElement(tree, xmlNewNode(NULL, (const xmlChar *)"x"));
    xmlXPathContextPtr context = context_new(tree, path->namespaces, listener);
    xmlXPathObjectPtr result = xmlXPathCompiledEval(path->compiled, context);

    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    xmlFreeDoc(tree);
    return result != NULL;
}

struct xml_path *xml_path_compile(const char *xpath, GHashTable *namespaces, GError **error)
{
    xml_init();
    if (!g_utf8_validate(xpath, -1, NULL)) {
        g_set_error_literal(error, XML_ERROR, XML_ERROR_PATH, "the XPath is not UTF-8");
        return NULL;
    }
    struct xml_path *path = g_new0(struct xml_path, 1);
    struct xml_listener listener;

    path->namespaces = namespaces != NULL ? g_hash_table_ref(namespaces) : NULL;
    xml_listener_begin(&listener);
    xmlXPathContextPtr context = context_new(NULL, NULL, &listener);

    path->compiled = xmlXPathCtxtCompile(context, (const xmlChar *)xpath);
    xmlXPathFreeContext(context);
    bool good = path->compiled != NULL && listener.code == 0;

    if (!good)
        say_mistake(error, xpath, &listener);
    good = good && xml_check_names(xpath, namespaces, error);
    if (good && !try_out(path, &listener)) {
        g_set_error(error, XML_ERROR, XML_ERROR_PATH, "the XPath is wrong: %s",
                    mistake_of(&listener));
        good = false;
    }
    xml_listener_end(&listener);
    if (!good)
        g_clear_pointer(&path, xml_path_free);
    return path;
}

static void free_json(void *json)
{
    cJSON_Delete(json);
}

// Adds a text to what is found, unless that is too much.
static bool add_text(GPtrArray *found, const xmlChar *text, size_t *selected, GError **error)
{
    *selected += strlen((const char *)text);
    g_ptr_array_add(found, cJSON_CreateString((const char *)text));
    if (*selected <= SELECTED_MOST)
        return true;
    g_set_error_literal(error, XML_ERROR, XML_ERROR_LIMIT,
                        "the XPath selects more than 16 MiB of text: narrow it");
    return false;
}

static bool add_nodes(GPtrArray *found, const xmlNodeSet *nodes, GError **error)
{
    size_t selected = 0;
    bool good = true;

    for (int i = 0; nodes != NULL && good && i < nodes->nodeNr; i++) {
        xmlChar *text = xmlXPathCastNodeToString(nodes->nodeTab[i]);

        good = add_text(found, text, &selected, error);
        xmlFree(text);
    }
    return good;
}

// The element alone: a copy takes the namespaces along that its ancestors declare.
static bool add_document(GPtrArray *found, xmlNodePtr node, size_t *selected, GError **error)
{
    xmlDocPtr alone = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr copy = xmlDocCopyNode(node, alone, 1);
    xmlChar *text = NULL;
    int length = 0;

    xmlDocSetRootElement(alone, copy);
    xmlDocDumpMemoryEnc(alone, &text, &length, "UTF-8");
    bool good = text == NULL || add_text(found, text, selected, error);

    xmlFree(text);
    xmlFreeDoc(alone);
    return good;
}

static bool add_documents(GPtrArray *found, const xmlXPathObject *result, GError **error)
{
    const xmlNodeSet *nodes = result->type == XPATH_NODESET ? result->nodesetval : NULL;
    size_t selected = 0;
    bool good = true;

    for (int i = 0; nodes != NULL && good && i < nodes->nodeNr; i++)
        if (nodes->nodeTab[i]->type == XML_ELEMENT_NODE)
            good = add_document(found, nodes->nodeTab[i], &selected, error);
    return good;
}

// XPath's own way of writing a number; NaN and the infinite ones are no JSON.
static cJSON *number_of(double number)
{
    xmlChar *text = xmlXPathCastNumberToString(number);
    cJSON *json = json_is_number((const char *)text) ? json_new_number((const char *)text)
                                                     : cJSON_CreateString((const char *)text);

    xmlFree(text);
    return json;
}

static bool add_result(GPtrArray *found, const xmlXPathObject *result, GError **error)
{
    switch (result->type) {
    case XPATH_NODESET:
        return add_nodes(found, result->nodesetval, error);
    case XPATH_NUMBER:
        g_ptr_array_add(found, number_of(result->floatval));
        return true;
    case XPATH_BOOLEAN:
        g_ptr_array_add(found, cJSON_CreateBool(result->boolval));
        return true;
    case XPATH_STRING:
        g_ptr_array_add(found, cJSON_CreateString((const char *)result->stringval));
        return true;
    default:
        return true;
    }
}

typedef bool (*take_result)(GPtrArray *found, const xmlXPathObject *result, GError **error);

static GPtrArray *select_with(const struct xml_path *path, struct xml_document *document,
                              take_result take, GError **error)
{
    struct xml_listener listener;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_json);

    xml_listener_begin(&listener);
    xmlXPathContextPtr context = context_new(document->tree, path->namespaces, &listener);
    xmlXPathObjectPtr result = xmlXPathCompiledEval(path->compiled, context);
    bool good = result != NULL && take(found, result, error);

    if (result == NULL)
        g_set_error_literal(error, XML_ERROR, XML_ERROR_LIMIT,
                            "the XPath takes too much work on this document: narrow it");
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    xml_listener_end(&listener);
    return good ? g_steal_pointer(&found) : NULL;
}

GPtrArray *xml_path_select(const struct xml_path *path, struct xml_document *document,
                           GError **error)
{
    return select_with(path, document, add_result, error);
}

GPtrArray *xml_path_select_documents(const struct xml_path *path, struct xml_document *document,
                                     GError **error)
{
    return select_with(path, document, add_documents, error);
}

void xml_path_free(struct xml_path *path)
{
    if (path == NULL)
        return;
    xmlXPathFreeCompExpr(path->compiled);
    g_clear_pointer(&path->namespaces, g_hash_table_unref);
    g_free(path);
}

// SPDX-License-Identifier: MIT
// XPath 1.0 by libxml2: compiled once, selected often (xml_select.c). What the
// library would only notice while selecting (a prefix, a function, a number of
// arguments) is noticed by xml_check.c and a trial run, when it is compiled.
#include "xml_check.h"
#include "xml_parts.h"

#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <string.h>

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

// Runs the path on an empty document: kinds of values and numbers of arguments.
static bool try_out(const struct xml_path *path, struct xml_listener *listener)
{
    xmlDocPtr tree = xmlNewDoc((const xmlChar *)"1.0");

    xmlDocSetRootElement(tree, xmlNewNode(NULL, (const xmlChar *)"x"));
    xmlXPathContextPtr context = xml_context_new(tree, path->namespaces, listener);
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
    xmlXPathContextPtr context = xml_context_new(NULL, NULL, &listener);

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

void xml_path_free(struct xml_path *path)
{
    if (path == NULL)
        return;
    xmlXPathFreeCompExpr(path->compiled);
    g_clear_pointer(&path->namespaces, g_hash_table_unref);
    g_free(path);
}

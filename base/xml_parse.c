// SPDX-License-Identifier: MIT
// Reads XML and HTML with libxml2, which is made as harmless as it can be: no
// network, no outside subset, no entities declared by the document, bounded
// depth. Selectors come after it; texts are UTF-8 by then.
#include "xml_check.h"
#include "xml_parts.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <stdint.h>
#include <string.h>

// What is shown of libxml2's own words: they quote the document.
#define MESSAGE_MOST 160
// libxml2 counts in int, and a body is far below this.
#define TEXT_MOST (256 * 1024 * 1024)
// What any path can be run on within a second or two: nodes, and bytes for all
// nodes together, should a path look at the whole text for each of them.
#define NODES_ORDINARY 20000
#define WORK_ORDINARY (INT64_C(2) * 1000 * 1000 * 1000)
// Each tag of a page is held against all that are open: a second for these.
#define TAGS_MOST 500000
// Each name is looked up among those that are open.
#define NAMESPACES_MOST 1000

G_DEFINE_QUARK(erpwatch - xml - error, xml_error)

// All that could be fetched is refused, whatever asks for it.
static xmlParserInputPtr refuse_outside(const char *url, const char *id, xmlParserCtxtPtr context)
{
    (void)url, (void)id, (void)context;
    return NULL;
}

void xml_init(void)
{
    static gsize once;

    if (!g_once_init_enter(&once))
        return;
    xmlInitParser();
    xmlSetExternalEntityLoader(refuse_outside);
    g_once_init_leave(&once, 1);
}

// libxml2's message on one line, valid and cut. The caller frees it.
static char *tidy(const char *message)
{
    g_autofree char *valid = g_utf8_make_valid(message, -1);

    g_strdelimit(valid, "\r\n\t", ' ');
    g_strstrip(valid);
    if (g_utf8_strlen(valid, -1) <= MESSAGE_MOST)
        return g_steal_pointer(&valid);
    g_autofree char *cut = g_utf8_substring(valid, 0, MESSAGE_MOST);

    return g_strconcat(cut, "…", NULL);
}

// libxml2's type asks for a pointer that could be written to.
// cppcheck-suppress constParameterCallback
void xml_listener_note(void *user, struct _xmlError *error)
{
    struct xml_listener *listener = user;

    if (listener->code != 0 || error->level < XML_ERR_ERROR)
        return;
    listener->code = error->code;
    listener->line = error->line;
    listener->position = error->int1;
    listener->text = error->message != NULL ? tidy(error->message) : NULL;
}

static void ignore(void *user, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void ignore(void *user, const char *format, ...)
{
    (void)user, (void)format;
}

void xml_listener_begin(struct xml_listener *listener)
{
    *listener = (struct xml_listener){0};
    xmlSetStructuredErrorFunc(listener, xml_listener_note);
    xmlSetGenericErrorFunc(NULL, ignore);
}

void xml_listener_end(struct xml_listener *listener)
{
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlSetGenericErrorFunc(NULL, NULL);
    g_clear_pointer(&listener->text, g_free);
}

// Why a document is refused that libxml2 would read.
enum refusal { REFUSAL_NONE, REFUSAL_SUBSET, REFUSAL_NAMESPACES };

static void stop(xmlParserCtxtPtr context, enum refusal why)
{
    *(enum refusal *)context->_private = why;
    xmlStopParser(context);
}

// A DOCTYPE: what it names outside is not loaded, what it declares is refused.
static void see_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
                        const xmlChar *system_id)
{
    xmlParserCtxtPtr context = user;

    (void)name, (void)public_id, (void)system_id;
    if (*context->input->cur == '[')
        stop(context, REFUSAL_SUBSET);
}

// Each name is looked up among all namespaces that are open, so there may not be many. At
// most 256 elements open before the first one ends, so that is early enough to look.
static void see_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxtPtr context = user;

    xmlSAX2EndElementNs(context, name, prefix, uri);
    if (context->nsNr > 2 * NAMESPACES_MOST)
        stop(context, REFUSAL_NAMESPACES);
}

static const char *why_not(const struct xml_listener *listener)
{
    switch (listener->code) {
    case XML_ERR_INTERNAL_ERROR:
        return listener->text != NULL && strstr(listener->text, "depth") != NULL
                   ? "it is nested more than 256 elements deep"
                   : "a text in it is too long";
    case XML_ERR_ENTITY_LOOP:
        return "its entities never end";
    default:
        return listener->text != NULL ? listener->text : "it cannot be read";
    }
}

static void refuse(GError **error, int line, const char *why)
{
    g_set_error(error, XML_ERROR, XML_ERROR_DOCUMENT, "not XML: line %d: %s", line, why);
}

// Blanks and byte order marks in front, which XML does not allow and servers
// send; `line` counts their line breaks.
static const char *skip_blanks(const char *text, int *line)
{
    for (;; text++) {
        if (g_str_has_prefix(text, "\xEF\xBB\xBF"))
            text += 2;
        else if (*text == '\n')
            (*line)++;
        else if (!g_ascii_isspace(*text))
            return text;
    }
}

const struct _xmlNode *xml_node_next(const struct _xmlNode *node)
{
    if (node->type == XML_ELEMENT_NODE && node->children != NULL)
        return node->children;
    while (node != NULL && node->next == NULL)
        node = node->parent;
    return node != NULL ? node->next : NULL;
}

static bool is_large(const xmlDoc *tree, size_t length)
{
    int64_t most = MIN(NODES_ORDINARY, WORK_ORDINARY / ((int64_t)length + 1)), nodes = 0;

    for (const xmlNode *node = tree->children; node != NULL; node = xml_node_next(node)) {
        const xmlAttr *attribute = node->type == XML_ELEMENT_NODE ? node->properties : NULL;

        for (; attribute != NULL; attribute = attribute->next)
            nodes++;
        if (++nodes > most)
            return true;
    }
    return false;
}

static struct xml_document *document_new(xmlDocPtr tree, size_t length)
{
    struct xml_document *document = g_new0(struct xml_document, 1);

    document->tree = tree;
    document->large = is_large(tree, length);
    return document;
}

static bool has_many_tags(const char *text)
{
    int tags = 0;

    for (const char *at = strchr(text, '<'); at != NULL && tags <= TAGS_MOST;
         at = strchr(at + 1, '<'))
        tags++;
    return tags > TAGS_MOST;
}

// What reading would take too much time or memory for.
static bool check_size(const char *text, size_t length, bool html, GError **error)
{
    const char *kind = html ? "HTML" : "XML";

    if (length > TEXT_MOST)
        g_set_error(error, XML_ERROR, XML_ERROR_DOCUMENT, "not %s to be read: over 256 MiB", kind);
    else if (html && has_many_tags(text))
        g_set_error(error, XML_ERROR, XML_ERROR_DOCUMENT,
                    "not HTML to be read: it has more than %d tags", TAGS_MOST);
    else if (!xml_check_tags(text, html))
        g_set_error(error, XML_ERROR, XML_ERROR_DOCUMENT,
                    "not %s to be read: a tag has more than 1000 attributes", kind);
    else
        return true;
    return false;
}

// The document, or NULL with what the listener heard, or why it is refused.
static xmlDocPtr read_tree(const char *text, size_t length, enum refusal *refusal)
{
    xmlParserCtxtPtr context = xmlNewParserCtxt();

    if (context == NULL)
        g_error("out of memory");
    context->sax->internalSubset = see_doctype;
    context->sax->externalSubset = NULL;
    context->sax->endElementNs = see_end;
    context->_private = refusal;
    xmlDocPtr tree = xmlCtxtReadMemory(context, text, (int)length, NULL, "UTF-8",
                                       XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC |
                                           XML_PARSE_COMPACT);
    if (tree != NULL && (*refusal != REFUSAL_NONE || !context->wellFormed))
        g_clear_pointer(&tree, xmlFreeDoc);
    xmlFreeParserCtxt(context);
    return tree;
}

struct xml_document *xml_parse(const char *text, GError **error)
{
    static const char *const refusals[] = {
        [REFUSAL_SUBSET] =
            "its DOCTYPE declares entities or elements of its own, which are never read",
        [REFUSAL_NAMESPACES] = "more than 1000 namespaces are open at once"};
    struct xml_listener listener;
    enum refusal refusal = REFUSAL_NONE;
    int skipped = 0;

    xml_init();
    text = skip_blanks(text, &skipped);
    size_t length = strlen(text);

    if (length == 0) {
        g_set_error_literal(error, XML_ERROR, XML_ERROR_DOCUMENT, "not XML: it is empty");
        return NULL;
    }
    if (!check_size(text, length, false, error))
        return NULL;
    xml_listener_begin(&listener);
    xmlDocPtr tree = read_tree(text, length, &refusal);

    if (refusal != REFUSAL_NONE)
        refuse(error, skipped + MAX(listener.line, 1), refusals[refusal]);
    else if (tree == NULL)
        refuse(error, skipped + MAX(listener.line, 1), why_not(&listener));
    xml_listener_end(&listener);
    return tree != NULL ? document_new(tree, length) : NULL;
}

static xmlDocPtr read_page(const char *text, size_t length, bool *whole)
{
    htmlParserCtxtPtr context = htmlNewParserCtxt();

    if (context == NULL)
        g_error("out of memory");
    xmlDocPtr tree = htmlCtxtReadMemory(context, text, (int)length, NULL, "UTF-8",
                                        HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOERROR |
                                            HTML_PARSE_NOWARNING | HTML_PARSE_NODEFDTD |
                                            HTML_PARSE_IGNORE_ENC | HTML_PARSE_COMPACT);
    *whole = !context->disableSAX; // it stops where it is nested too deep
    htmlFreeParserCtxt(context);
    return tree;
}

struct xml_document *xml_parse_html(const char *text, GError **error)
{
    struct xml_listener listener;
    size_t length = strlen(text);
    bool whole = true;

    xml_init();
    if (strchr(text, '<') == NULL) {
        g_set_error_literal(error, XML_ERROR, XML_ERROR_DOCUMENT,
                            length == 0 ? "not HTML: it is empty" : "not HTML: it holds no tag");
        return NULL;
    }
    if (!check_size(text, length, true, error))
        return NULL;
    xml_listener_begin(&listener);
    xmlDocPtr tree = read_page(text, length, &whole);

    xml_listener_end(&listener);
    if (tree != NULL && whole)
        return document_new(tree, length);
    xmlFreeDoc(tree);
    g_set_error_literal(error, XML_ERROR, XML_ERROR_DOCUMENT,
                        whole ? "not HTML: it cannot be read"
                              : "not HTML to be read: it is nested more than 256 elements deep");
    return NULL;
}

void xml_document_free(struct xml_document *document)
{
    if (document == NULL)
        return;
    xmlFreeDoc(document->tree);
    g_free(document);
}

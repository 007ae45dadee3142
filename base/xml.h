// SPDX-License-Identifier: MIT
// XML and HTML from anybody, and XPath 1.0 on them: bounded, without network,
// without entities of the document's own. The only user of libxml2.
#ifndef BASE_XML_H
#define BASE_XML_H

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>

struct xml_document;
struct xml_path;

#define XML_ERROR xml_error_quark()
GQuark xml_error_quark(void);
enum xml_error {
    XML_ERROR_DOCUMENT, // not well-formed, or not to be read
    XML_ERROR_PATH,     // the XPath is wrong
    XML_ERROR_PREFIX,   // it uses a prefix that nothing declares
    XML_ERROR_LIMIT,    // it takes too much work, or selects too much
};

// Makes the library ready; called by main before there are threads. What follows
// does it too, so that tests need not.
void xml_init(void);

// Reads a text (UTF-8, whatever encoding it declares; blanks in front are
// skipped). A DOCTYPE may name an outside subset, which is never loaded; one with
// a subset of its own is refused. NULL and `error` ("not XML: line 3: …") where
// it is not well-formed. The caller frees it.
struct xml_document *xml_parse(const char *text, GError **error);

// Reads any text as a page, as browsers do; NULL and `error` where it has no tag
// at all. The caller frees it.
struct xml_document *xml_parse_html(const char *text, GError **error);

// The first prefix of an element or attribute that the document does not declare; NULL for none.
// The caller frees it.
char *xml_document_find_undeclared(const struct xml_document *document);

// Calls `visit` with the name (without its prefix) and text of each attribute, and of each
// element that holds no other.
typedef void (*xml_visit)(const char *name, const char *text, void *user);
void xml_document_foreach(const struct xml_document *document, xml_visit visit, void *user);

// Compiles an XPath. `namespaces` (char *prefix -> char *uri; may be NULL) says
// what its prefixes stand for; the path keeps it. NULL and `error` where the path
// is wrong: its syntax, a function, a prefix, what cannot be selected from.
struct xml_path *xml_path_compile(const char *xpath, GHashTable *namespaces, GError **error);

// What the path selects, as cJSON: the text of each node, or one number, boolean
// or text. From a document of many nodes it is selected by a child process, which
// ends after half a second of work. NULL and `error` where that takes too much. The
// caller frees the array, which owns its elements.
GPtrArray *xml_path_select(const struct xml_path *path, struct xml_document *document,
                           GError **error);

// Likewise the elements that the path selects, each as the text of a document of its own,
// with the namespaces that it uses; what is no element is left out.
GPtrArray *xml_path_select_documents(const struct xml_path *path, struct xml_document *document,
                                     GError **error);

// Free one; NULL is allowed.
void xml_document_free(struct xml_document *document);
void xml_path_free(struct xml_path *path);

typedef struct xml_document xml_document_t;
typedef struct xml_path xml_path_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xml_document_t, xml_document_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xml_path_t, xml_path_free)

#endif

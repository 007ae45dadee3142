// SPDX-License-Identifier: MIT
// What the files of xml share: libxml2's document, where its errors go, and the
// evaluation of a path. For base/xml*.c alone.
#ifndef BASE_XML_PARTS_H
#define BASE_XML_PARTS_H

#include "xml.h"

struct _xmlDoc;
struct _xmlError;
struct _xmlNode;
struct _xmlXPathCompExpr;
struct _xmlXPathContext;

struct xml_document {
    struct _xmlDoc *tree;
    bool large; // some paths would take minutes on it
};

struct xml_path {
    struct _xmlXPathCompExpr *compiled;
    GHashTable *namespaces; // or NULL
};

// The node after this one in the order of the document; NULL at the end.
const struct _xmlNode *xml_node_next(const struct _xmlNode *node);

// The first error while it was listened for.
struct xml_listener {
    int code; // of libxml2; 0 for none
    int line, position;
    char *text; // on one line, not too long; or NULL
};

// Listens in this thread: nothing goes to stderr. End it in the same function.
void xml_listener_begin(struct xml_listener *listener);
void xml_listener_end(struct xml_listener *listener);

// What XPath contexts call; `listener` is a struct xml_listener.
void xml_listener_note(void *listener, struct _xmlError *error);

// A context with its limits and prefixes; `tree` and `namespaces` may be NULL. To
// be freed by libxml2.
struct _xmlXPathContext *xml_context_new(struct _xmlDoc *tree, GHashTable *namespaces,
                                         struct xml_listener *listener);

// One result of a path, as text.
enum xml_result { XML_RESULT_TEXT, XML_RESULT_NUMBER, XML_RESULT_BOOLEAN };

// Takes a result; false where that is not possible.
typedef bool (*xml_take)(void *user, enum xml_result kind, const char *text);

enum xml_outcome {
    XML_OUTCOME_DONE,
    XML_OUTCOME_WORK,   // it takes too much work
    XML_OUTCOME_SIZE,   // it selects too much
    XML_OUTCOME_FAILED, // the results could not be taken
};

// What is asked of a path.
struct xml_question {
    const struct xml_path *path;
    const struct xml_document *document;
    bool documents; // elements as the text of documents of their own
};

// Gives `take` all that the path selects. Uses none of GLib's shared memory: it
// may run in a child of a process with threads.
enum xml_outcome xml_evaluate(const struct xml_question *question, xml_take take, void *user);

// The same in a child process, which is ended after half a second of work.
enum xml_outcome xml_evaluate_apart(const struct xml_question *question, xml_take take, void *user);

#endif

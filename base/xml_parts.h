// SPDX-License-Identifier: MIT
// What the files of xml share: libxml2's document, and where its errors go. For
// base/xml*.c alone.
#ifndef BASE_XML_PARTS_H
#define BASE_XML_PARTS_H

#include "xml.h"

struct _xmlDoc;
struct _xmlError;

struct xml_document {
    struct _xmlDoc *tree;
};

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

#endif

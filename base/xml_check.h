// SPDX-License-Identifier: MIT
// What libxml2 finds too late: in an XPath only while selecting, in a text only
// after a long time. For base/xml*.c alone.
#ifndef BASE_XML_CHECK_H
#define BASE_XML_CHECK_H

#include <glib.h>
#include <stdbool.h>

// False and `error` where a well-formed XPath calls a function that there is not,
// or uses a prefix that is not in `namespaces` (may be NULL).
bool xml_check_names(const char *xpath, GHashTable *namespaces, GError **error);

// False where a tag has more than 1000 attributes: libxml2 compares each with all
// before it. `html` says that scripts hold no tags.
bool xml_check_tags(const char *text, bool html);

#endif

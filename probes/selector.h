// SPDX-License-Identifier: MIT
// What a selector selects from a response or from a captured value. Pure.
#ifndef PROBES_SELECTOR_H
#define PROBES_SELECTOR_H

#include "../base/transfer.h"
#include "../base/xml.h"
#include "../config/call.h"
#include "values.h"

// What is judged: a response with its body read at most once, or one value.
struct subject {
    const struct transfer_response *response; // or NULL
    const struct value *value;                // or NULL
    const cJSON *document; // the body (or value) as JSON, read when first asked for
    bool document_tried;
    cJSON *own_document; // where that is a tree of its own; owned
    struct arena *arena; // else its memory; owned
    struct subject_markup {
        struct xml_document *document; // owned; NULL where it is none
        bool tried;
        char *problem; // why it is none
    } xml, html;       // the body (or value), read when first asked for
    char *text;        // the body (or value) as text; owned
    double elapsed_ms; // for `time`
};

// Subjects live on the caller's stack; clear frees what they cached.
void subject_init_response(struct subject *subject, const struct transfer_response *response);
void subject_init_value(struct subject *subject, const struct value *value);
void subject_clear(struct subject *subject);

// The body as JSON (of a multipart batch: {"responses": […]}, multipart.h), or NULL
// where it is none; borrowed from the subject.
const cJSON *subject_document(struct subject *subject);

// Why the body is no XML (or HTML: by the selector's kind) where that is so,
// "not XML: line 3: …"; else NULL. Borrowed from the subject.
const char *subject_markup_problem(struct subject *subject, enum selector_kind kind);

// False where a selector of `kind` selects nothing because the body is not what
// it reads: it says nothing of what is there.
bool subject_is_readable(struct subject *subject, enum selector_kind kind);

// What `selector` selects, as an array of cJSON that the caller frees. Its
// elements belong to the array or to the subject: valid as long as both. Holes in
// its argument are filled from `context` (may be NULL where there are none).
// NULL and `error` where that cannot be done, or a pattern is undecided.
GPtrArray *selector_select(const struct selector *selector, struct subject *subject,
                           const struct template_context *context, GError **error);

// Likewise the parts that a selector of JSON or XML selects, each to be judged on its own
// (subject_init_value): an XML element is the text of a document of its own.
GPtrArray *selector_select_parts(const struct selector *selector, struct subject *subject,
                                 const struct template_context *context, GError **error);

// The selector as the user would write it: "$.status", "header Location". The
// caller frees it.
char *selector_describe(const struct selector *selector);

#endif

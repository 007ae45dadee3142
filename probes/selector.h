// SPDX-License-Identifier: MIT
// What a selector selects from a response or from a captured value. Pure.
#ifndef PROBES_SELECTOR_H
#define PROBES_SELECTOR_H

#include "../base/transfer.h"
#include "../config/call.h"
#include "values.h"

// What is judged: a response with its body read at most once, or one value.
struct subject {
    const struct transfer_response *response; // or NULL
    const struct value *value;                // or NULL
    cJSON *document; // the body (or value) as JSON, read when first asked for; owned
    bool document_tried;
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

// What `selector` selects, as an array of cJSON that the caller frees. Its
// elements belong to the array or to the subject: valid as long as both. Holes in
// its argument are filled from `context` (may be NULL where there are none).
// NULL and `error` where that cannot be done, or a pattern is undecided.
GPtrArray *selector_select(const struct selector *selector, struct subject *subject,
                           const struct template_context *context, GError **error);

// The selector as the user would write it: "$.status", "header Location". The
// caller frees it.
char *selector_describe(const struct selector *selector);

#endif

// SPDX-License-Identifier: MIT
// Multipart bodies: the parts of an OData batch (of a request or a response, with
// its changesets), or of any other. Bounded, and forgiving as failing servers need. Pure.
#ifndef PROBES_MULTIPART_H
#define PROBES_MULTIPART_H

#include "../base/json.h"

#include <stdbool.h>

struct multipart_part {
    int status;         // of the answer inside (application/http), else 0
    char *id;           // its Content-ID, or NULL
    GPtrArray *headers; // of struct transfer_header: those of the part, then those inside
    char *content_type; // of `body`, or NULL
    const char *body;   // borrowed from the text that was read
    size_t length;
};

// True where the content type (may be NULL) says so, or the text begins like one.
bool multipart_is(const char *body, size_t length, const char *content_type);

// The parts in order, those of a changeset in its place; lines may end in CRLF or
// LF, the last boundary may be missing. NULL where there are none. At most 1000
// parts, three deep. The caller frees the array.
GPtrArray *multipart_read(const char *body, size_t length, const char *content_type);

// The answers among the parts in the shape of an OData JSON batch: {"responses":
// [{"id", "status", "headers", "body"}]}, names of headers in lower case, a body that
// is JSON as such, else as text. NULL where no part is an answer. The caller frees it.
cJSON *multipart_to_batch(const GPtrArray *parts);

#endif

// SPDX-License-Identifier: MIT
// The ids that a support desk asks for: out of headers, members of the body, and
// texts. Pure.
#ifndef PROBES_CORRELATION_H
#define PROBES_CORRELATION_H

#include "../base/json.h"

// Adds to `ids` what the headers (of struct transfer_header) carry.
void correlation_add_headers(cJSON *ids, const GPtrArray *headers);

// Adds what a document holds in members of known names, at any small depth.
void correlation_add_document(cJSON *ids, const cJSON *document);

// Adds what stands in a text: "CorrelationId: …", "Report ID: webapi-…".
void correlation_add_text(cJSON *ids, const char *text);

#endif

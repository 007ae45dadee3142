// SPDX-License-Identifier: MIT
// The evidence: the literal request and response of one call with its timings,
// as memory, as JSON for the store (redacted), and read back from it.
#ifndef PROBES_EXCHANGE_H
#define PROBES_EXCHANGE_H

#include "../base/json.h"
#include "../base/redact.h"
#include "../base/transfer.h"

struct exchange {
    struct transfer_request *request;   // owned
    struct transfer_response *response; // owned; NULL while in flight
    struct clock_wall started;
    bool elsewhere;    // it went to another host than the system's own
    int redirected_by; // status of the answer that led here; 0 for none
    bool became_get;   // a redirect turned the POST that it was into a GET
    char *unfollowed;  // why the redirect that answered it was not followed, or NULL
};

// An exchange that owns its request, which gets the headers that the transport
// would add (transfer_request_complete): the evidence is what is sent.
struct exchange *exchange_new(struct transfer_request *request, struct clock_wall started);

// The exchange as JSON without secrets (bodies at most `max_body` bytes, cut
// after redaction, with their full size): method, url, headers [[name, value]],
// body, status, timing_ms and so on. The caller frees it with cJSON_Delete.
cJSON *exchange_to_json(const struct exchange *exchange, const struct redact *redact,
                        size_t max_body);

// The POSIX command line that sends the same request, from the JSON of
// exchange_to_json: single-quoted throughout, --data-raw; a body with control
// bytes or over 4 KiB is left out. The caller frees it.
char *exchange_curl_line(const cJSON *exchange);

// The text of a response's body, valid UTF-8 (converted from its charset where
// that is known, bad bytes replaced). The caller frees it.
char *exchange_body_text(const struct transfer_response *response);

// Frees it and what it owns; NULL is allowed.
void exchange_free(struct exchange *exchange);

typedef struct exchange exchange_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(exchange_t, exchange_free)

#endif

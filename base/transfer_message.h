// SPDX-License-Identifier: MIT
// What a call sends and what comes back: plain values with their owners, used
// by the transport, by probes/ and by whoever shows the evidence.
#ifndef BASE_TRANSFER_MESSAGE_H
#define BASE_TRANSFER_MESSAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

// What became of a call, as the transport saw it.
enum transfer_outcome {
    TRANSFER_ANSWERED,    // a complete response, whatever its status
    TRANSFER_TIMEOUT,     // `phase` says where the time went
    TRANSFER_UNREACHABLE, // name not found, refused, reset, TLS or certificate failure
    TRANSFER_GARBLED,     // it answered, but not in HTTP, or the body was cut short or undecodable
    TRANSFER_TOO_LARGE,   // the body was cut at max_body: the rest was not read
    TRANSFER_OUR_FAULT,   // out of descriptors, a bad URL, a certificate file that cannot be read
    TRANSFER_CANCELLED,   // by transfer_cancel
};

enum transfer_phase {
    TRANSFER_PHASE_NONE,
    TRANSFER_PHASE_DNS,
    TRANSFER_PHASE_CONNECT,
    TRANSFER_PHASE_TLS,
    TRANSFER_PHASE_FIRST_BYTE,
    TRANSFER_PHASE_TRANSFER,
};

// One header line; a list of them keeps order and repetition. Made by
// transfer_headers_add alone: header and texts are one block of memory.
struct transfer_header {
    char *name;
    char *value;
};

// How a system's TLS is verified; borrowed strings, NULL for the defaults.
struct transfer_tls {
    const char *ca; // PEM file of certificates to trust in place of the system's
    bool no_verify; // certificate and host name are not checked: loud in validate
};

// Authentication that the transport carries out itself, in several legs.
enum transfer_auth_kind {
    TRANSFER_AUTH_NONE,
    TRANSFER_AUTH_DIGEST,
    TRANSFER_AUTH_NTLM,
    TRANSFER_AUTH_NEGOTIATE,
};

// Who a request comes from, where the transport has to know; owned texts.
struct transfer_credentials {
    enum transfer_auth_kind kind;
    char *username, *password; // NTLM: DOMAIN\user; Negotiate has none
    char *service;             // of Negotiate, such as HTTP
    // A client certificate and its key, PEM files, with the key's password or NULL.
    char *cert, *key, *key_password;
};

// A request. Owned by whoever made it until transfer_start takes it.
struct transfer_request {
    char *method;       // GET, POST, …
    char *url;          // complete, encoded
    GPtrArray *headers; // of struct transfer_header, owned
    GBytes *body;       // NULL for none
    int64_t timeout_ms; // of the whole call
    int64_t max_body;   // bytes kept of the decoded response body
    struct transfer_tls tls;
    struct transfer_credentials credentials;
    bool may_reuse; // an idle connection may be used: never for a call that writes
};

// Cumulative milliseconds from the start of the call; -1 where a phase did not
// take place (a kept connection has no dns, connect and tls).
struct transfer_timing {
    double dns, connect, tls, sent, first_byte, total;
};

struct transfer_response {
    enum transfer_outcome outcome;
    enum transfer_phase phase; // of a timeout or of a failure to reach
    char *problem;             // one sentence of what went wrong, NULL where answered
    int status;                // 0 where no status line came
    const char *http_version;  // static: "1.1" or "2"; NULL where nothing came
    GPtrArray *headers;        // of struct transfer_header; never NULL
    GBytes *body;              // decoded, at most max_body; never NULL
    struct transfer_timing timing;
    bool certified;              // the server showed a certificate
    int64_t certificate_left_ms; // until that ends, when the answer began; below 0: it has ended
    char *peer;                  // "address:port" of the other side, NULL where not connected
    bool sent;                   // a byte of the request may have gone out
    char *refused; // how the client's own authentication failed, as a sentence; else NULL
};

// A request with an empty header list; transfer_request_free frees it.
struct transfer_request *transfer_request_new(const char *method, const char *url);
void transfer_request_free(struct transfer_request *request);

// A copy that shares nothing but the texts of `tls`; transfer_request_free frees it.
struct transfer_request *transfer_request_copy(const struct transfer_request *request);

// Gives `request` the credentials of `other`, in place of its own.
void transfer_request_copy_credentials(struct transfer_request *request,
                                       const struct transfer_request *other);

// Adds what every request carries, where it is not there yet: Accept, User-Agent
// and Accept-Encoding. The transport adds nothing to them but Host and lengths.
void transfer_request_complete(struct transfer_request *request);

// A response with no outcome yet; transfer_response_free frees it.
struct transfer_response *transfer_response_new(void);
void transfer_response_free(struct transfer_response *response);

// A new, empty list of headers, which owns what is added to it.
GPtrArray *transfer_headers_new(void);

// Appends a header; both texts are copied.
void transfer_headers_add(GPtrArray *headers, const char *name, const char *value);

// Adds what a line of a response's head says, which is changed by it; a line that
// begins with a blank goes on with the one before, one without a colon is nothing.
void transfer_headers_add_line(GPtrArray *headers, char *line);

// The first value of a header, names compared without case; NULL where there is
// none. Borrowed.
const char *transfer_headers_find(const GPtrArray *headers, const char *name);

// The word for a phase as verdicts and JSON write it ("first_byte").
const char *transfer_phase_name(enum transfer_phase phase);

typedef struct transfer_request transfer_request_t;
typedef struct transfer_response transfer_response_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(transfer_request_t, transfer_request_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(transfer_response_t, transfer_response_free)

#endif

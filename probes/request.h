// SPDX-License-Identifier: MIT
// From a call of the configuration and the values of a run to the request that
// goes out. Pure but for a file body.
#ifndef PROBES_REQUEST_H
#define PROBES_REQUEST_H

#include "../base/transfer.h"
#include "../config/reach.h"
#include "values.h"

#define REQUEST_ERROR request_error_quark()
GQuark request_error_quark(void);
enum request_error {
    REQUEST_ERROR_URL,    // what came out is no http(s) URL
    REQUEST_ERROR_ORIGIN, // a whole URL that points neither to the system nor to an allowed host
    REQUEST_ERROR_HEADER, // a name or value that must not stand in a header
    REQUEST_ERROR_AUTH,   // a user name that basic authentication cannot carry
                          // that must not stand in a header
    REQUEST_ERROR_BODY,   // the file of a body cannot be read
    REQUEST_ERROR_NEVER,  // the system's pack refuses such a request
};

// The request for `call` at `system`: URL, query, the system's headers and the
// call's own (which win), body with its Content-Type, limits. Authentication and
// cookies are added later. NULL and `error` where a hole cannot be
// filled, a header would hold CR or LF, or a whole URL leads where it may not. To a host of
// `allow_hosts` it goes without the system's headers, and has to go without authentication.
struct transfer_request *request_build(const struct call *call, const struct config_system *system,
                                       struct values *values, struct clock_wall now,
                                       GError **error);

// False and `error`, a sentence, where the system's pack refuses to send `request`.
bool request_is_allowed(const struct transfer_request *request, const struct config_system *system,
                        GError **error);

// Where `url` is for calls of `system`; `error` names the host and says why where it is refused.
enum reach request_reach(const char *url, const struct config_system *system, struct values *values,
                         struct clock_wall now, GError **error);

// The same for where the call itself goes; REACH_OWN where that cannot be told yet.
enum reach request_destination(const struct call *call, const struct config_system *system,
                               struct values *values, struct clock_wall now, GError **error);

// How the server's certificate is judged: as the system says, or, elsewhere, as usual.
void request_set_tls(struct transfer_request *request, const struct config_system *system,
                     bool elsewhere);

// scheme://host:port of a URL in lower case, the port always given; NULL where
// it is no http(s) URL. The caller frees it.
char *request_origin(const char *url);

// True where both are http(s) URLs with the same scheme, host and port.
bool request_has_same_origin(const char *left, const char *right);

// `location` made absolute against `base` (RFC 3986 section 5); the caller
// frees it. NULL where it is no URL.
char *request_resolve(const char *base, const char *location);

// Adds a header; false and `error` where its name or value could become a second
// line.
bool request_add_header(GPtrArray *headers, const char *name, const char *value, GError **error);

// Basic, bearer and header authentication are added to `request`; session
// headers and cookies by the session itself. False and `error` as above.
bool request_authenticate(struct transfer_request *request, const struct config_system *system,
                          struct values *values, struct clock_wall now, GError **error);

// Signs `request` as it is about to be sent, where `system` wants that (oauth1):
// before each sending, since a signature serves once. False and `error` as above.
bool request_sign(struct transfer_request *request, const struct config_system *system,
                  struct values *values, struct clock_wall now, GError **error);

#endif

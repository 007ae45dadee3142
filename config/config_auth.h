// SPDX-License-Identifier: MIT
// How a system is authenticated to, as the user gave it: section 6 of the language.
// Part of the configuration (config.h), which owns it.
#ifndef CONFIG_CONFIG_AUTH_H
#define CONFIG_CONFIG_AUTH_H

#include "call.h"

enum config_auth_kind {
    CONFIG_AUTH_BASIC,
    CONFIG_AUTH_BEARER,
    CONFIG_AUTH_HEADER,
    CONFIG_AUTH_DIGEST,
    CONFIG_AUTH_NTLM,
    CONFIG_AUTH_NEGOTIATE,
    CONFIG_AUTH_CLIENT_CERT,
    CONFIG_AUTH_OAUTH1,
    CONFIG_AUTH_OAUTH2,
    CONFIG_AUTH_SESSION,
    CONFIG_AUTH_CSRF
};

// RFC 5849: each request is signed anew, none is sent twice with one signature.
struct config_oauth1 {
    struct template *consumer_key, *consumer_secret;
    struct template *token, *token_secret; // NULL where only the consumer signs
    struct template *realm;                // or NULL
    bool sha1;                             // HMAC-SHA1 in place of HMAC-SHA256
};

struct config_oauth2; // config_oauth2.h

// What is asked for before a call: a session, an access token, a CSRF token. One for all flows of
// a system in a process, as most systems limit how many may be open.
struct config_session {
    const char *step;             // its name in the evidence: "log in"
    struct call *login, *logout;  // logout NULL for none
    GPtrArray *cookies;           // of char *: names that the login sets
    GPtrArray *headers;           // of struct call_field: sent with each call
    GPtrArray *expired;           // of struct expectation: the session has ended; empty: status 401
    int64_t idle_ms, lasts_ms;    // 0 for no limit
    struct config_oauth2 *oauth2; // of oauth2, else NULL
};

// One row of `auth`; several are passed in their order. Only what its kind needs is there: the
// name behind each member says whose it is.
struct config_auth {
    enum config_auth_kind kind;
    struct template *username, *password; // basic, digest, ntlm; client_cert: or NULL
    char *cert, *key;                     // client_cert: PEM files
    char *service;                        // negotiate, or NULL
    struct template *domain;              // ntlm, or NULL
    struct template *token;               // bearer
    GPtrArray *headers;                   // of struct call_field: header
    struct config_oauth1 *oauth1;         // oauth1
    struct config_session *session;       // oauth2, session, csrf
    struct config_place place;
};

#endif

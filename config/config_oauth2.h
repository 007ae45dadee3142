// SPDX-License-Identifier: MIT
// How a system's access token is asked for (auth: oauth2): what is not in the
// call that the reader makes of it, as it is only known when it is sent.
#ifndef CONFIG_CONFIG_OAUTH2_H
#define CONFIG_CONFIG_OAUTH2_H

#include "config.h"

// The names by which the call of the token finds what is made for it.
#define CONFIG_OAUTH2_REFRESH_TOKEN "oauth2.refresh_token"
#define CONFIG_OAUTH2_ASSERTION "oauth2.client_assertion"
#define CONFIG_OAUTH2_AUTHORIZATION "oauth2.authorization"

enum config_algorithm { CONFIG_ALGORITHM_PS256, CONFIG_ALGORITHM_ES256, CONFIG_ALGORITHM_RS256 };

// The client proves itself with a signed statement (RFC 7523).
struct config_assertion {
    char *key;            // PEM file of the private key
    char *certificate;    // PEM file; its fingerprints go into the statement's head; or NULL
    struct template *kid; // or NULL
    enum config_algorithm algorithm;
    GPtrArray *claims; // of struct call_field: in place of ours, or beside them
};

struct config_oauth2 {
    bool refresh; // by a refresh token; else by client credentials
    bool basic;   // the client's id and secret go into the Authorization header
    struct template *client_id, *client_secret, *refresh_token;
    struct config_assertion *assertion; // NULL for none
};

// Frees it and what it owns; NULL is allowed.
void config_oauth2_free(struct config_oauth2 *oauth2);

#endif

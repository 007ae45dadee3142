// SPDX-License-Identifier: MIT
// One curl easy handle and the call that it is making: the request goes into it
// as options, the response comes out of its callbacks. Used again and again.
#ifndef BASE_TRANSFER_EASY_H
#define BASE_TRANSFER_EASY_H

#include "transfer_message.h"
#include "transfer_tls.h"

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

// Who opens and closes a handle's sockets.
struct transfer_opener {
    curl_socket_t (*open)(void *self, const struct curl_sockaddr *address);
    int (*close)(void *self, curl_socket_t fd);
    void *self;
};

struct transfer_easy {
    CURL *handle;
    CURLU *url;                  // of the call under way, as parts
    char place[128];             // "https://host:port" of `url`, "" where it holds more or less
    char error[CURL_ERROR_SIZE]; // curl's own words for a failure
    struct transfer_opener opener;
    struct transfer_tls_stores *stores;
    bool fresh; // the next call uses no kept connection, and leaves none
    // Of the call under way:
    const struct transfer_request *request; // borrowed
    struct transfer_response *response;     // being filled
    GByteArray *body;                       // decoded so far, NULL before the first byte
    struct curl_slist *headers;             // one block
    char *ours;                             // what of ours failed, as a sentence
    uint64_t started_ns;
    uint64_t tls_started_ns; // the connection stood; 0 where there was none or no TLS
    union {                  // that was tried last
        struct sockaddr any;
        struct sockaddr_storage storage;
    } address;
    unsigned legs;  // requests that went out: authentication takes several
    bool stopped;   // the next one was not let out
    bool answered;  // a header line came
    bool headed;    // all of them came
    bool too_large; // the body was cut
};

// Sets up `easy` with what all calls have in common.
void transfer_easy_init(struct transfer_easy *easy, const struct transfer_opener *opener,
                        struct transfer_tls_stores *stores);

// Makes it ready for `request`, which is borrowed until transfer_easy_end. False
// and `easy->ours` where the request cannot be made.
bool transfer_easy_begin(struct transfer_easy *easy, const struct transfer_request *request);

// True where the call went over a kept connection.
bool transfer_easy_was_kept(const struct transfer_easy *easy);

// Forgets the call. False where the handle keeps what must not be met by another
// call, and is to be cleared.
bool transfer_easy_end(struct transfer_easy *easy);

// Frees the handles; the call's must not be in a multi handle.
void transfer_easy_clear(struct transfer_easy *easy);

#endif

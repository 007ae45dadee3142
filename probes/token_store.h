// SPDX-License-Identifier: MIT
// What is kept of an access token and its refresh token, and the durable place
// for it as auth_token sees it. Implemented by monitor/token_keep.
#ifndef PROBES_TOKEN_STORE_H
#define PROBES_TOKEN_STORE_H

#include "../base/clock.h"

#include <glib.h>

// What is known of one token. A refresh token that a server exchanges for a new one must
// never be lost: it is kept before what came with it is used.
struct token_record {
    char *refresh;                  // to be used next; NULL: none came yet
    char *former;                   // the one before, tried once where that one is refused
    char *access;                   // NULL for none
    char *purpose;                  // digest of what `access` was asked with
    struct clock_wall access_until; // us 0: the answer did not say
    struct clock_wall obtained;     // when `access` came
    struct clock_wall asking;       // since when an answer is due; us 0 for none
};

// `record` is NULL where there is a `problem`; both are borrowed.
typedef void (*token_store_opened)(const struct token_record *record, const char *problem,
                                   void *context);
typedef void (*token_store_saved)(const char *problem, void *context);

// All answers come on the loop, never from the call itself.
struct token_store {
    // Takes the token `key` for this process alone, waiting up to `patience_ms` for another one
    // to give it back, then reads what is kept: an empty record where there is nothing.
    void (*open)(void *self, const char *key, int64_t patience_ms, token_store_opened done,
                 void *context);
    // Ends the waiting of `open` now, with a problem.
    void (*abandon)(void *self, void *context);
    // Makes the record of an open token durable.
    void (*save)(void *self, const char *key, const struct token_record *record,
                 token_store_saved done, void *context);
    // Gives the token back.
    void (*close)(void *self, const char *key);
    void *self;
};

// A copy that the caller owns, and its end; secrets are wiped. NULL is allowed.
struct token_record *token_record_copy(const struct token_record *record);
void token_record_free(struct token_record *record);

typedef struct token_record token_record_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(token_record_t, token_record_free)

#endif

// SPDX-License-Identifier: MIT
// OAuth 1.0a signatures (RFC 5849). Pure: time and nonce come from the caller, so
// that the published examples can be held against it.
#ifndef PROBES_OAUTH1_H
#define PROBES_OAUTH1_H

#include "../base/transfer_message.h"

// What a system's requests are signed with. Owns its texts.
struct oauth1_keys {
    char *consumer_key, *consumer_secret;
    char *token, *token_secret; // NULL where only the consumer signs
    char *realm;                // named in the header and not signed; NULL for none
    bool sha1;                  // HMAC-SHA1 in place of HMAC-SHA256
};

// The signature base string (section 3.4.1) of a request to `url` with its query
// and these `parameters`: a list of names and values in turns, ended by NULL.
// `form` is the body where it is a form, else NULL. The caller frees it.
char *oauth1_base_string(const char *method, const char *url, const char *form,
                         const char *const *parameters);

// The signature (section 3.4.2) of a base string in base64; `token_secret` may
// be NULL. The caller frees it.
char *oauth1_signature(bool sha1, const char *base, const char *consumer_secret,
                       const char *token_secret);

// The value of the Authorization header of `request`, signed over the URL and
// the form as they are sent. The caller frees it.
char *oauth1_authorization(const struct oauth1_keys *keys, const struct transfer_request *request,
                           int64_t timestamp_s, const char *nonce);

// Keys yet to be filled in; oauth1_keys_free frees them (NULL is allowed).
struct oauth1_keys *oauth1_keys_new(void);
void oauth1_keys_free(struct oauth1_keys *keys);

typedef struct oauth1_keys oauth1_keys_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(oauth1_keys_t, oauth1_keys_free)

#endif

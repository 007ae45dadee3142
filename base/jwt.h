// SPDX-License-Identifier: MIT
// JSON Web Tokens (RFC 7515, 7519), signed only: for clients that prove who they are with
// a private key. Keys and certificates come as PEM texts; no file is read.
#ifndef BASE_JWT_H
#define BASE_JWT_H

#include <cjson/cJSON.h>
#include <glib.h>
#include <stdbool.h>

#define JWT_ERROR jwt_error_quark()
GQuark jwt_error_quark(void);
enum jwt_error {
    JWT_ERROR_KEY, // the key or certificate cannot be used
    JWT_ERROR_SIGN
};

enum jwt_algorithm { JWT_PS256, JWT_ES256, JWT_RS256 };

// The compact form of `claims` (an object), signed with the private key `pem`; `head` gets
// "alg" and "typ". The caller frees it. NULL and a sentence where the key is no key, is
// encrypted, or is of another kind than the algorithm wants.
char *jwt_sign(enum jwt_algorithm algorithm, const char *pem, cJSON *head, const cJSON *claims,
               GError **error);

// Adds the certificate's fingerprints as "x5t" and "x5t#S256": some servers know a key by them.
bool jwt_add_thumbprints(cJSON *head, const char *pem, GError **error);

#endif

// SPDX-License-Identifier: MIT
// Ids that are hashes of what they name, so that every machine computes the same.
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stddef.h>
#include <stdint.h>

// The first `length` characters (at most 26) of SHA-256 over the texts up to a
// NULL, each with its end marked, in 0-9 A-Z without I L O U (Crockford). The
// caller frees it.
char *ids_hash(size_t length, const char *first, ...) __attribute__((sentinel));

// 64 bits of the same hash of one text, for spreading.
uint64_t ids_number(const char *text);

// A UUID of version 5 (RFC 9562: SHA-1 of a name, in a name space of our own) of the
// texts up to a NULL, each with its end marked; the caller frees it.
char *ids_uuid_of(const char *first, ...) __attribute__((sentinel));

// A random UUID of version 4 in lower case; the caller frees it.
char *ids_uuid(void);

#endif

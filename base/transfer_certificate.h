// SPDX-License-Identifier: MIT
// A client's own certificate: whether its files are fit to be used.
#ifndef BASE_TRANSFER_CERTIFICATE_H
#define BASE_TRANSFER_CERTIFICATE_H

#include "clock.h"

#include <glib.h>
#include <stdbool.h>

// Holds the PEM file `cert`, its key in `key` (may be the same file) and the key's
// `password` (NULL for none) against each other and against `now`. False and `error`
// where they cannot be used; `warning` receives what is to be said of good ones, or
// NULL, and is the caller's.
bool transfer_certificate_check(const char *cert, const char *key, const char *password,
                                struct clock_wall now, char **warning, GError **error);

// Why a server ended a TLS session, from curl's words: a sentence where it was for the
// client's certificate, else NULL. The caller frees it.
char *transfer_certificate_refused(const char *words);

#endif

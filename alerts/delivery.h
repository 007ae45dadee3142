// SPDX-License-Identifier: MIT
// One small interface to whatever takes our mails: an SMTP server by libesmtp
// or by libcurl, or a directory. One session sends one mail to the recipients
// that are still owed it, and says of each what became of it.
#ifndef ALERTS_DELIVERY_H
#define ALERTS_DELIVERY_H

#include "delivery_session.h"

// Reads `mail` of the configuration. NULL and `error` where a secret is missing or the library
// that is asked for cannot do what is asked.
struct delivery *delivery_new(const struct config *config, int64_t timeout_ms, GError **error);

// Sends one mail. An SMTP session runs in a child process that is ended at the deadline: a
// library that hangs or crashes costs one attempt. Never fails: the replies say what happened.
// The caller frees the report with g_free.
struct delivery_report *delivery_send(const struct delivery *delivery,
                                      const struct delivery_mail *mail);

// "directory", "libesmtp", "libcurl".
const char *delivery_client_name(enum delivery_client client);

// Frees it, with its secrets wiped; NULL is allowed.
void delivery_free(struct delivery *delivery);

typedef struct delivery delivery_t;
typedef struct delivery_report delivery_report_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(delivery_t, delivery_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(delivery_report_t, g_free)

#endif

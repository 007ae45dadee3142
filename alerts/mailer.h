// SPDX-License-Identifier: MIT
// From facts to replies: composes a mail and sends it by the configured way.
// Keeps no state between mails; knows no outbox.
#ifndef ALERTS_MAILER_H
#define ALERTS_MAILER_H

#include "../base/json.h"
#include "delivery.h"

struct lock;
struct mailer;

// A mailer for the configuration, both borrowed with `lock` (may be NULL), which a session's
// process must not keep. NULL and `error` where the configuration does not let it send.
struct mailer *mailer_new(const struct config *config, int64_t session_ms, struct lock *lock,
                          GError **error);

// What names the server for the back-off; borrowed.
const char *mailer_server(const struct mailer *mailer);

// "libesmtp to mail.example:587 (starttls)", for people. The caller frees it.
char *mailer_describe(const struct mailer *mailer);

// The bytes of a notice's mail, with attachments or (lighter) without; NULL and `error`.
GBytes *mailer_compose(const cJSON *facts, bool lighter, GError **error);

// Sends `bytes` to `recipients` (of char *); the replies have no secrets in them. The caller
// frees the report with g_free.
struct delivery_report *mailer_send(const struct mailer *mailer, const cJSON *facts,
                                    const GPtrArray *recipients, GBytes *bytes);

// Frees it; NULL is allowed.
void mailer_free(struct mailer *mailer);

typedef struct mailer mailer_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(mailer_t, mailer_free)

#endif

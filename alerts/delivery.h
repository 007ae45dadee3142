// SPDX-License-Identifier: MIT
// One small interface to whatever takes our mails: an SMTP server by libesmtp
// or by libcurl, or a directory. One session sends one mail to the recipients
// that are still owed it, and says of each what became of it.
#ifndef ALERTS_DELIVERY_H
#define ALERTS_DELIVERY_H

#include "../config/config.h"
#include "delivery_plan.h"

#define DELIVERY_ERROR delivery_error_quark()
GQuark delivery_error_quark(void);
enum delivery_error { DELIVERY_ERROR_SETTINGS, DELIVERY_ERROR_NOTICE };

enum delivery_client { DELIVERY_DIRECTORY, DELIVERY_LIBESMTP, DELIVERY_LIBCURL };

// Where mails go and as whom: the configuration's `mail`, with its secrets filled in.
struct delivery {
    enum delivery_client client;
    char *key;       // names the server for the back-off: host:port, or the directory
    char *directory; // NULL with a server
    char *host;
    int port;
    enum config_security security;
    char *from; // the address alone: the envelope's sender
    char *ca;
    char *username, *password;                                           // NULL for no AUTH
    char *token_url, *client_id, *client_secret, *scope, *refresh_token; // NULL: no XOAUTH2
    int64_t timeout_ms;                                                  // of a whole session
    struct lock *child_frees; // a lock that a session's process may not keep, or NULL; borrowed
};

struct delivery_mail {
    const char *name;            // of the file, in a directory
    const GPtrArray *recipients; // of char *
    GBytes *bytes;               // CRLF line ends
};

// What became of a mail: a reply for each recipient, in their order.
struct delivery_report {
    enum delivery_stage stage; // how far the session has come
    guint count;
    struct delivery_reply replies[];
};

// A session as the mail clients see it.
struct delivery_session {
    const struct delivery *delivery;
    const struct delivery_mail *mail;
    struct delivery_report *report;
    struct clock_mono deadline;
    int done_fd; // -1 where nobody waits
};

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

// For the clients: every recipient without an answer of its own gets this one. A 4xx or 5xx to
// RCPT is an answer of its own.
void delivery_report_close(struct delivery_report *report, enum delivery_stage stage, int code,
                           const char *text);

// For the clients: the report is complete, whatever the connection still does.
void delivery_session_done(const struct delivery_session *session);

void delivery_free(struct delivery *delivery);

typedef struct delivery delivery_t;
typedef struct delivery_report delivery_report_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(delivery_t, delivery_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(delivery_report_t, g_free)

#endif

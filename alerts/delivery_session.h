// SPDX-License-Identifier: MIT
// One session with whatever takes our mails, as delivery and its three clients
// share it: where it goes, the mail, and the report that is filled.
#ifndef ALERTS_DELIVERY_SESSION_H
#define ALERTS_DELIVERY_SESSION_H

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

// What a client is given.
struct delivery_session {
    const struct delivery *delivery;
    const struct delivery_mail *mail;
    struct delivery_report *report;
    struct clock_mono deadline;
    int done_fd; // -1 where nobody waits
};

// Every recipient without an answer of its own gets this one. A 4xx or 5xx to
// RCPT is an answer of its own.
void delivery_report_close(struct delivery_report *report, enum delivery_stage stage, int code,
                           const char *text);

// The report is complete, whatever the connection still does.
void delivery_session_done(const struct delivery_session *session);

#endif

// SPDX-License-Identifier: MIT
// The three ways to send a mail, for delivery.c alone. Each fills the
// session's report; the SMTP ones block and may crash, so they run in a child.
#ifndef ALERTS_DELIVERY_CLIENTS_H
#define ALERTS_DELIVERY_CLIENTS_H

#include "delivery_session.h"

// STARTTLS, or nothing to a loopback address, with or without a password.
void smtp_esmtp_send(const struct delivery_session *session);

// What libesmtp cannot do: implicit TLS (465), XOAUTH2, an IPv6 literal; all else too.
void smtp_curl_send(const struct delivery_session *session);

// One .eml file for each notice, with all its recipients in To: written under another name,
// synced, renamed; mode 0600. The same notice again replaces its file.
void delivery_directory_send(const struct delivery_session *session);

#endif

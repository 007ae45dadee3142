// SPDX-License-Identifier: MIT
// From a notice's facts to the bytes of its mail. Pure: the same facts give the
// same bytes, so that a resend is the same mail.
#ifndef ALERTS_COMPOSE_MAIL_H
#define ALERTS_COMPOSE_MAIL_H

#include "../base/json.h"

// A mail is never larger than this (failure-semantics 25).
enum { COMPOSE_MAIL_MAX_BYTES = 1024 * 1024 };

#define COMPOSE_MAIL_ERROR compose_mail_error_quark()
GQuark compose_mail_error_quark(void);
enum compose_mail_error { COMPOSE_MAIL_ERROR_FACTS, COMPOSE_MAIL_ERROR_ADDRESS };

// The complete message with CRLF line ends; `facts` as notice.c describes them. NULL and `error`
// where they lack an id, a time, a sender or a good recipient. The caller unrefs it.
GBytes *compose_mail(const cJSON *facts, GError **error);

// The same mail without attachments: the second try after a server refused its content
// (failure-semantics 23).
GBytes *compose_mail_bare(const cJSON *facts, GError **error);

#endif

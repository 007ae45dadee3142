// SPDX-License-Identifier: MIT
// What an answer of a mail server means for one recipient, and when the next
// attempt is due (failure-semantics section 4). Pure: no clock, no network.
#ifndef ALERTS_DELIVERY_PLAN_H
#define ALERTS_DELIVERY_PLAN_H

#include "../base/clock.h"

#include <stdbool.h>
#include <stddef.h>

// A recipient is given up after this many attempts, however old they are.
#define DELIVERY_PLAN_ATTEMPTS 120

// A mail is at most this large, attachments included.
#define DELIVERY_PLAN_MAIL_BYTES (1024 * 1024)

// How far a session had come when the deciding answer was due.
enum delivery_stage {
    DELIVERY_STAGE_NONE,
    DELIVERY_STAGE_CONNECT, // name, connection, or the token of XOAUTH2
    DELIVERY_STAGE_GREETING,
    DELIVERY_STAGE_EHLO,
    DELIVERY_STAGE_TLS, // STARTTLS, handshake, certificate
    DELIVERY_STAGE_AUTH,
    DELIVERY_STAGE_MAIL,
    DELIVERY_STAGE_RCPT,
    DELIVERY_STAGE_DATA,
    DELIVERY_STAGE_DOT, // the answer to the whole message
};

// What one recipient was told. Plain bytes: it crosses from a child process.
struct delivery_reply {
    bool accepted; // the server has taken the mail for this recipient
    enum delivery_stage stage;
    int code;       // 0 where no answer came
    char text[480]; // the answer, or what went wrong, in one line
};

enum delivery_fate {
    DELIVERY_ACCEPTED,
    DELIVERY_AGAIN,    // by the schedule
    DELIVERY_LIGHTER,  // once more, at once, without attachments
    DELIVERY_GIVEN_UP, // for good
};

// What becomes of a recipient. `lighter` says that the mail already went without
// attachments; `attempts` counts this one.
enum delivery_fate delivery_plan_fate(const struct delivery_reply *reply, bool lighter,
                                      int attempts);

// True where the failure concerns every mail to this server, not this one.
bool delivery_plan_is_server_wide(const struct delivery_reply *reply);

// Microseconds from the attempt with this number (from 1) to the next.
int64_t delivery_plan_interval_us(int attempts);

// True where something due at `due` is due at `now`: it is past, or further off
// than its own interval, which means that the clock was set back.
bool delivery_plan_is_due(struct clock_wall due, int64_t interval_us, struct clock_wall now);

// The word of a stage, as reports write it ("RCPT"), and of a fate ("accepted").
const char *delivery_stage_word(enum delivery_stage stage);
const char *delivery_fate_word(enum delivery_fate fate);

// True for an address that may stand in an SMTP command: one @ or more, no
// control characters, blanks, angle brackets or bytes beyond ASCII, at most 254.
bool delivery_address_is_safe(const char *address);

// Room for a reply with its stage and code.
enum { DELIVERY_REPLY_LINE = 512 };

// "RCPT: 250 2.1.5 OK", without a code where no answer came; at most `size` bytes.
void delivery_reply_format(const struct delivery_reply *reply, char *buffer, size_t size);

// Fills a reply; control characters in `text` become spaces.
void delivery_reply_set(struct delivery_reply *reply, enum delivery_stage stage, int code,
                        const char *text);

#endif
